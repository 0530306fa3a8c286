"""Large messages: an envelope above `LARGE` bytes lies in the object store, and the log has a Stored in its place."""

from hustings.protocols import Envelope, open_envelope
from hustings.protocols.envelope import seal
from hustings.protocols.events import Stored

from .values import SHARED, Values

LARGE = 512 * 1024  # bytes of an envelope, without the values that lie elsewhere


async def shrink(envelope: Envelope, values: Values) -> bytes:
    """The bytes for the log. Raises Unsendable, BusFull, and what a connection raises."""
    raw = envelope.encode()
    if len(raw) >= SHARED and (stored := await values.stored(envelope)) is not envelope:
        raw = stored.encode()
    if len(raw) <= LARGE:
        return raw
    blob = await values.blobs.put(raw)
    note = Stored(digest=blob.digest, size=blob.size)
    return seal(note, source=envelope.source, run=envelope.runid).encode()


async def restore(envelope: Envelope, values: Values) -> Envelope:
    """The envelope that was shrunk, or this one. As for the log itself, waits for a broker that is away.

    Raises NotFound if a blob is gone, Unreadable if it holds no envelope, or no value.
    """
    if isinstance(envelope.data, Stored):
        envelope = open_envelope(await values.fetch(envelope.data.digest))
    return await values.filled(envelope)
