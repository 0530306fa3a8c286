"""Ready-made specialists: a planner and a judge that ask a model.

They are ordinary specialists, so a team can replace them with its own.
"""

__all__: list[str] = []
