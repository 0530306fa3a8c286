"""Settles what witnesses said: matters groups it, settling asks the arbiters in their order, docket is what they get.

counting, rules, proof and judging hold one kind of arbiter each; they make their verdicts with verdict. It may import
protocols; it does no I/O.
"""

__all__: list[str] = []
