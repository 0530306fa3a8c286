"""Reads a recorded run: its report, timeline, conflicts and dead letters; and does its tasks again from the record.
It may import everything up to agents/members; it writes nothing to a log.
"""

__all__: list[str] = []
