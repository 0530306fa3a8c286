"""Settles what witnesses said: matters groups it, docket asks the arbiters in their order, the others are arbiters.

counting, rules, proof and judging hold one kind of arbiter each. It may import protocols; it does no I/O.
"""

__all__: list[str] = []
