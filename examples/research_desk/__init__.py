"""The research desk: a question in plain words, planned by a model, read by two with different models and tools, their
conflicts settled, the answer cited. `hustings run hustings.examples.research_desk:team --question ... --library
FOLDER`."""

from .team import team

__all__ = ["team"]
