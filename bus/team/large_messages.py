"""Large messages: an envelope above `LARGE` bytes lies in the object store, and the log has a Stored in its place."""

from hustings.protocols import Envelope, Unanswered, open_envelope
from hustings.protocols.envelope import seal
from hustings.protocols.events import Stored

from ..client.connection import Connection
from .object_store import ObjectStore

LARGE = 512 * 1024  # bytes of an envelope


async def shrink(envelope: Envelope, blobs: ObjectStore) -> bytes:
    """The bytes for the log. Raises Unsendable, BusFull, and what a connection raises."""
    raw = envelope.encode()
    if len(raw) <= LARGE:
        return raw
    blob = await blobs.put(raw)
    note = Stored(digest=blob.digest, size=blob.size)
    return seal(note, source=envelope.source, run=envelope.runid).encode()


async def restore(envelope: Envelope, blobs: ObjectStore, connection: Connection) -> Envelope:
    """The envelope that was shrunk, or this one. As for the log itself, waits for a broker that is away.

    Raises NotFound if the blob is gone, Unreadable if it holds no envelope.
    """
    if not isinstance(envelope.data, Stored):
        return envelope
    while True:
        try:
            return open_envelope(await blobs.get(envelope.data.digest))
        except Unanswered:
            await connection.ready()
