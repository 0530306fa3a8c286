"""Values: the large values in events. Each lies once in the object store, however many events repeat it."""

from collections import OrderedDict
from collections.abc import Mapping

from pydantic import JsonValue, TypeAdapter, ValidationError
from pydantic_core import to_json

from hustings.protocols import (
    Answered,
    Asked,
    Assigned,
    Data,
    Envelope,
    Result,
    Unanswered,
    Unreadable,
)
from hustings.protocols.validation import first_error
from hustings.protocols.wire import DEEPEST, ROOM, check_legible

from ..client.connection import Connection
from .object_store import ObjectStore

SHARED = 16 * 1024  # bytes of JSON; a smaller value stays in its event
KEPT = 32 * 2**20  # bytes of JSON whose values are kept in memory, those used last

_VALUE: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)

Bearer = Answered | Asked | Assigned | Result


class Values:
    """Puts large values into the object store, and fills them in again."""

    def __init__(self, connection: Connection, blobs: ObjectStore) -> None:
        self.blobs = blobs
        self._connection = connection
        self._kept = OrderedDict[str, tuple[JsonValue, int]]()
        self._size = 0

    async def stored(self, envelope: Envelope) -> Envelope:
        """The envelope with null in place of each large value, whose digest is in `stored`."""
        event = envelope.data
        if not isinstance(event, Bearer):
            return envelope
        digests: dict[str, str] = {}
        for name, value in _values(event).items():
            raw = to_json(value)
            if len(raw) >= SHARED:
                digests[name] = (await self.blobs.put(raw)).digest
                self._keep(digests[name], value, len(raw))
        return _with(envelope, event, dict.fromkeys(digests), digests) if digests else envelope

    async def filled(self, envelope: Envelope) -> Envelope:
        """The envelope with its values again. Raises NotFound: one is gone; Unreadable: one is no value of it."""
        event = envelope.data
        if not isinstance(event, Bearer) or not event.stored:
            return envelope
        if unknown := event.stored.keys() - _values(event).keys():
            raise Unreadable(f"it has no value {min(unknown)[:80]!r}")
        values = {name: await self.value(digest) for name, digest in event.stored.items()}
        return _with(envelope, event, values, {})

    async def fetch(self, digest: str) -> bytes:
        """The bytes of a digest. Waits for a broker that is away. Raises NotFound, Unreadable."""
        while True:
            try:
                return await self.blobs.get(digest)
            except Unanswered:
                await self._connection.ready()

    async def value(self, digest: str) -> JsonValue:
        """The JSON value of a digest. Raises NotFound, Unreadable."""
        if digest in self._kept:
            self._kept.move_to_end(digest)
            return self._kept[digest][0]
        raw = await self.fetch(digest)
        check_legible(raw, DEEPEST + ROOM)
        try:
            value = _VALUE.validate_json(raw)
        except ValidationError as error:
            raise Unreadable(f"the value {digest} cannot be read", first_error(error)) from None
        self._keep(digest, value, len(raw))
        return value

    def _keep(self, digest: str, value: JsonValue, size: int) -> None:
        self._size += size - self._kept.pop(digest, (None, 0))[1]
        self._kept[digest] = value, size
        while self._size > KEPT:
            self._size -= self._kept.popitem(last=False)[1][1]


def _values(event: Bearer) -> Data:
    """The values of an event that may lie elsewhere: each parameter, or the output."""
    return event.input if isinstance(event, Asked | Assigned) else {"output": event.output}


def _with(envelope: Envelope, event: Bearer, values: Mapping[str, JsonValue], stored: dict[str, str]) -> Envelope:
    changed = {"input": {**event.input, **values}} if isinstance(event, Asked | Assigned) else values
    return envelope.model_copy(update={"data": event.model_copy(update={**changed, "stored": stored})})
