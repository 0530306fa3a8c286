"""The research desk: a model plans a question in plain words, two readers with different models and tools read, their
conflicts are settled, the answer is cited. `hustings run hustings.examples.research_desk:team --question ... --library
FOLDER`."""

from .team import team

__all__ = ["team"]
