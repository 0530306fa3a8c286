"""Envelope: CloudEvents 1.0 in structured JSON (https://github.com/cloudevents/spec), one validation from bytes."""

import os
import time
from contextvars import ContextVar
from typing import Annotated, Literal, NamedTuple, Union, get_args
from uuid import UUID

from pydantic import AwareDatetime, Field, TypeAdapter, ValidationError, create_model

from .errors import Unreadable, Unsendable
from .events import Decision, Event
from .message import Message
from .subjects import Subject
from .validation import first_error_of_others
from .wire import DEEPEST, READABLE, ROOM, check_legible

traceparent: ContextVar[str | None] = ContextVar("traceparent", default=None)
"""The current W3C trace context; `seal` writes it into each envelope."""

_OPTIONAL = ("subject", "time", "datacontenttype", "dataschema", "causationid", "correlationid", "traceparent")


class Envelope(Message, contract="hustings.Envelope.v1"):
    """One event on the wire. `type` is the contract of `data`; the extensions name its run and its cause.

    Nothing is said twice: hustings writes no `subject` and no `time` (the broker vouches for those of the message), no
    `correlationid` (that is the run), and no `datacontenttype` (JSON is the default of CloudEvents).
    """

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str
    type: str
    subject: str | None = None
    time: AwareDatetime | None = None
    datacontenttype: Literal["application/json"] | None = None
    dataschema: str | None = None
    runid: str
    causationid: str | None = None
    correlationid: str | None = None
    traceparent: str | None = None
    data: Event

    def encode(self) -> bytes:
        """The bytes on the wire. Unset attributes are left out; a null inside `data` is kept.

        Raises Unsendable if the bytes could not be read back.
        """
        unset = {name for name in _OPTIONAL if getattr(self, name) is None}
        try:
            raw = self.__pydantic_serializer__.to_json(self, exclude=unset, warnings=False)
            open_envelope(raw)
        except (ValueError, RecursionError, Unreadable) as error:
            raise Unsendable(f"{type(self.data).__name__} cannot be written", str(error)) from None
        return raw


class Entry(NamedTuple):
    """One message of the log as it was read. If it cannot be read, `envelope` is None and `why` gives the reason."""

    seq: int
    subject: Subject
    time: float
    envelope: Envelope | None
    why: str = ""

    @property
    def event(self) -> Event | None:
        return self.envelope.data if self.envelope else None


_KINDS: dict[type[Message], type[Envelope]] = {
    event: create_model(
        f"{event.__name__}Envelope",
        __base__=Envelope,
        type=(Literal[event.__contract__], event.__contract__),  # type: ignore[arg-type]  # one variant per event, built from data
        data=(event, ...),
    )
    for event in get_args(Event)
}
_READER: TypeAdapter[Envelope] = TypeAdapter(
    Annotated[Union[tuple(_KINDS.values())], Field(discriminator="type")]  # type: ignore[arg-type]  # noqa: UP007
)


def seal(event: Event, *, source: str, run: str, cause: str | None = None) -> Envelope:
    """Put an event into its envelope, with a new id, which begins with the current time."""
    return _KINDS[type(event)](
        id=str(uuid7()),
        source=source,
        type=event.__contract__,
        runid=run,
        causationid=cause,
        traceparent=traceparent.get(),
        data=event,
    )


def open_envelope(raw: bytes) -> Envelope:
    """Read bytes from the wire as an envelope.

    Raises Unreadable: not JSON, an unknown type, a newer major version, an invalid field, or nested so deeply that a
    message with it inside could not be read any more.
    """
    try:
        envelope = _READER.validate_json(raw)
    except ValidationError as error:
        raise Unreadable(first_error_of_others(error, whole="the message", skip=1)) from None
    check_legible(raw, READABLE if isinstance(envelope.data, Decision) else DEEPEST + ROOM)
    return envelope


def uuid7() -> UUID:
    """A time-ordered UUID (RFC 9562, section 5.7)."""
    stamp = (time.time_ns() // 1_000_000) << 80
    bits = stamp | int.from_bytes(os.urandom(10), "big")
    return UUID(int=bits & ~(0xF << 76) & ~(0x3 << 62) | (0x7 << 76) | (0x2 << 62))
