"""Logs and telemetry of every process; and what people see, or a log keeps, is made harmless here first.
It may import protocols only, since every other package of agents writes logs.
"""

__all__: list[str] = []
