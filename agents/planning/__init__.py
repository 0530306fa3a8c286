"""Plans the steps of a run: chain goes by types, draft by a model's plan; validate finds what is wrong with any plan.

planner has the interface, json_schema checks values. It may import protocols; it does no I/O.
"""

__all__: list[str] = []
