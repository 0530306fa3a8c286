"""A team made to be broken: `moot chaos moot.examples.chaos_team:team` kills it by a seed, and looks what is left."""

from .team import team

__all__ = ["team"]
