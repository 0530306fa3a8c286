"""What a member of a team uses: its log (large messages go to the object store), work queue, live messages, service.
It may import protocols and bus/client, but not bus/broker: the broker may run anywhere.
"""

__all__: list[str] = []
