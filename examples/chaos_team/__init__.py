"""A team made to be broken: `hustings chaos hustings.examples.chaos_team:team` kills it by a seed."""

from .team import team

__all__ = ["team"]
