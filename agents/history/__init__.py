"""Reads recorded runs: report (with cost), timeline, conflicts with their sides, dead letters.

reexecute does a run's tasks again from the journal. It may import everything up to agents/members, and writes no log.
"""

__all__: list[str] = []
