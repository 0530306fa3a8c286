"""What a member of a team uses: its log, work queue, live messages and stored objects, and the service it shows.
It may import protocols and bus/client, but not bus/broker: the broker may run anywhere.
"""

__all__: list[str] = []
