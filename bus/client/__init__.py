"""Our NATS client: one connection, JetStream's API, consumers that survive a restart of the server, fenced appends.
It may import protocols, bus/background and bus/failpoints; it knows servers and streams, but not teams.
"""

__all__: list[str] = []
