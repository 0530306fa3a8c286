"""Reads recorded runs: report, timeline, conflicts, dead letters; and re-executes their tasks from the journal.
It may import everything up to agents/members; it writes nothing to a log.
"""

__all__: list[str] = []
