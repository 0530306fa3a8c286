"""A team to break: `hustings chaos hustings.examples.chaos_team:team` injects faults into it by a seed."""

from .team import team

__all__ = ["team"]
