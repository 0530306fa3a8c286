"""Two witnesses that disagree about a text. `hustings run hustings.examples.hello:team --text FILE`."""

from .team import team

__all__ = ["team"]
