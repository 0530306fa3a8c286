"""The smallest team: two witnesses that disagree about a text. `moot run moot.examples.hello:team --text FILE`."""

from .team import team

__all__ = ["team"]
