"""The broker: finds or starts the nats-server of a directory, and watches whether it can still answer and write.
It may import protocols and bus/client; it knows nothing of teams.
"""

__all__: list[str] = []
