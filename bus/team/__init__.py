"""What a member of a team uses: its log, work queue, object store of blobs (and of large messages), live messages.
It may import protocols and bus/client, but not bus/broker: the broker may run anywhere.
"""

__all__: list[str] = []
