"""What a member of a team uses: its log, work queue, live messages and stored objects, and the service it shows.
It may import protocols and bus/client; a broker that it talks to may run anywhere, so it does without bus/broker.
"""

__all__: list[str] = []
