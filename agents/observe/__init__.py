"""Logs and telemetry of every process; and the sanitizer for everything that is shown or logged.
It may import protocols only, since every other package of agents writes logs.
"""

__all__: list[str] = []
