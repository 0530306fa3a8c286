"""JetStream: the requests of its API that the bus needs, typed (https://github.com/nats-io/nats-architecture-and-design)."""

import errno
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Self, TypeVar

import anyio
from nats.aio.msg import Msg
from pydantic import AwareDatetime, Base64Bytes, BaseModel, JsonValue
from pydantic_core import to_json

from hustings.protocols import BusError, BusFull, Unanswered, timing

from .connection import Connection, NobodyThere

R = TypeVar("R", bound="Reply")
T = TypeVar("T")

NOT_FOUND = {10014, 10037, 10059}  # consumer, message, stream
WRONG_LAST = {10071, 10164}
_NO_MESSAGE = {10043, 10057}  # nothing to delete
_FULL = {10023, 10028, 10047, 10077, 10120, 10122}
_DISK = [os.strerror(code).lower() for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)]
_DISK += ["error creating store"]  # the whole message if a new stream or consumer cannot be written
_NEVER = 2**63  # no message has this sequence
_AGAIN = {
    10005,
    10008,
    10118,
    10176,
    10210,
}  # peers missing, no leader, too many open batches: nothing was stored, retry


class JetStreamError(BusError):
    """The broker refused a request; `code` is JetStream's error code."""

    def __init__(self, what: str, why: str, code: int) -> None:
        super().__init__(what, why)
        self.code = code


class _Error(BaseModel):
    code: int
    err_code: int = 0
    description: str = ""


class Reply(BaseModel):
    """An answer of the API."""

    error: _Error | None = None


class PubAck(Reply):
    seq: int = 0


class StreamState(BaseModel, extra="allow"):
    messages: int = 0
    bytes: int = 0
    num_deleted: int = 0
    last_seq: int = 0
    subjects: dict[str, int] | None = None  # only if they were asked for


class StreamConfig(BaseModel, extra="allow"):
    name: str = ""
    num_replicas: int = 1
    subjects: list[str] = []
    max_bytes: int = -1
    allow_atomic: bool = False


class StreamInfo(Reply):
    config: StreamConfig = StreamConfig()
    state: StreamState = StreamState()
    total: int = 0  # of the subjects


class _Floor(BaseModel):
    stream_seq: int = 0


class ConsumerInfo(Reply):
    ack_floor: _Floor = _Floor()


class Kept(BaseModel):
    """A stored message, as the stream has it."""

    subject: str
    seq: int
    data: Base64Bytes = b""
    time: AwareDatetime


class StreamNames(Reply):
    total: int = 0
    streams: list[str] | None = None


class _KeptReply(Reply):
    message: Kept | None = None


@dataclass(slots=True)
class Arrived:
    """A message as a consumer delivers it, for the `times`-th time. `order` counts the consumer's deliveries.

    `confirmed`: when it arrived, or when we last told the server that we work on it, by our own monotonic clock.
    """

    subject: str
    data: bytes
    ack: str
    times: int
    seq: int
    order: int
    stamp: int
    confirmed: float
    headers: Mapping[str, str]

    @property
    def time(self) -> float:
        """In seconds since the epoch; `stamp` is in nanoseconds."""
        return self.stamp / 1e9

    @classmethod
    def of(cls, message: Msg) -> Self:
        tokens = message.reply.split(".")
        at = 4 if len(tokens) == 9 else 6  # newer servers put a domain and an account first
        times, seq, order, stamp = (int(word) for word in tokens[at : at + 4])
        headers = message.headers or {}
        return cls(message.subject, message.data, message.reply, times, seq, order, stamp, monotonic(), headers)


def flow(message: Msg) -> str:
    """Where the server wants to hear that a piece of a snapshot has arrived; "" if nowhere."""
    return message.reply if message.reply.startswith("$JS.SNAPSHOT.ACK.") else ""


async def call(
    connection: Connection, verb: str, body: Mapping[str, JsonValue], reply: type[R], *, timeout: float = timing.ANSWER
) -> R:
    """One request to the API. Raises JetStreamError, BusFull, Unanswered, Denied, BrokerUnavailable."""
    return _opened(verb, await connection.request(f"$JS.API.{verb}", to_json(body), timeout=timeout), reply)


async def publish(connection: Connection, stream: str, subject: str, data: bytes, headers: dict[str, str]) -> int:
    """Append one message to the stream and return its sequence.

    Raises as `call`; BusFull also if the server does not answer because it cannot write. After Unanswered the message
    may or may not be stored.
    """
    try:
        answer = await connection.request(subject, data, headers=headers)
    except NobodyThere:
        raise
    except Unanswered:
        if connection.connected and (full := await stuck(connection, stream)):
            raise full from None
        raise
    return _opened(subject, answer, PubAck).seq


async def stuck(connection: Connection, stream: str) -> BusFull | None:
    """The reason why the server cannot write this stream, as an error; None if it can, or gives no reason.

    After a failed write, for example on a full disk, a server answers no append to the stream until it is restarted,
    even if there is room again. But it answers a request to delete a message, with the reason.
    """
    try:
        await call(connection, f"STREAM.MSG.DELETE.{stream}", {"seq": _NEVER, "no_erase": True}, Reply, timeout=1)
    except BusFull as full:
        return full
    except BusError:
        pass
    return None


async def persist(act: Callable[[], Awaitable[T]]) -> T:
    """Retry `act` for 12 seconds while it is unanswered or temporarily impossible. Raises the last error."""
    deadline, pause = monotonic() + timing.LEADER_ELECTION, 0.01
    while True:
        try:
            return await act()
        except Unanswered:
            if monotonic() + pause > deadline:
                raise
        except JetStreamError as error:
            if error.code not in _AGAIN:
                raise
            if monotonic() + pause > deadline:
                raise Unanswered(error.what, error.why) from None
        await anyio.sleep(pause)
        pause = min(pause * 2, 1.0)


async def find(connection: Connection, stream: str, where: Mapping[str, JsonValue]) -> Kept | None:
    """The message that `where` selects (seq, last_by_subj, seq and next_by_subj), from the stream's leader, or None."""

    async def ask() -> Kept | None:
        return (await call(connection, f"STREAM.MSG.GET.{stream}", where, _KeptReply)).message

    try:
        return await persist(ask)
    except JetStreamError as error:
        if error.code in NOT_FOUND:
            return None
        raise


async def last(connection: Connection, stream: str, subject: str) -> Kept | None:
    """The last message on a subject, which may have wildcards."""
    return await find(connection, stream, {"last_by_subj": subject})


async def stream_info(connection: Connection, stream: str, **body: JsonValue) -> StreamInfo | None:
    """Configuration and size of a stream; None if it does not exist."""

    async def ask() -> StreamInfo:
        return await call(connection, f"STREAM.INFO.{stream}", body, StreamInfo)

    try:
        return await persist(ask)
    except JetStreamError as error:
        if error.code in NOT_FOUND:
            return None
        raise


async def subjects_of(connection: Connection, stream: str, subject: str) -> set[str]:
    """The subjects on which a stream has messages, of those that match `subject`."""
    found: set[str] = set()
    while True:
        info = await stream_info(connection, stream, subjects_filter=subject, offset=len(found))
        page = (info and info.state.subjects) or {}
        found |= page.keys()
        if not page or not info or len(found) >= info.total:
            return found


async def purge(connection: Connection, stream: str, subject: str, *, up_to: int | None = None) -> None:
    """Remove the messages on a subject, which may have wildcards; with `up_to`, only those up to this sequence."""
    body: dict[str, JsonValue] = {"filter": subject} | ({} if up_to is None else {"seq": up_to + 1})
    await persist(lambda: call(connection, f"STREAM.PURGE.{stream}", body, Reply, timeout=5))


async def erase(connection: Connection, stream: str, seq: int) -> bool:
    """Remove one message. False if it is not there any more."""
    try:
        await persist(lambda: call(connection, f"STREAM.MSG.DELETE.{stream}", {"seq": seq, "no_erase": True}, Reply))
    except JetStreamError as error:
        if error.code not in _NO_MESSAGE:
            raise
        return False
    return True


async def ack_floor(connection: Connection, stream: str, consumer: str) -> int:
    """The sequence up to which a consumer's messages are all acknowledged; 0 if there is no such consumer."""

    async def ask() -> ConsumerInfo:
        return await call(connection, f"CONSUMER.INFO.{stream}.{consumer}", {}, ConsumerInfo)

    try:
        return (await persist(ask)).ack_floor.stream_seq
    except JetStreamError as error:
        if error.code in NOT_FOUND:
            return 0
        raise


def rfc3339(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _opened(what: str, answer: Msg, reply: type[R]) -> R:
    opened = reply.model_validate_json(answer.data)
    if (error := opened.error) is None:
        return opened
    if any(words in error.description for words in _DISK):
        raise BusFull("the broker cannot write", error.description, "Make room on the disk that the broker writes to.")
    if error.err_code in _FULL:
        raise BusFull(f"no room for {what}", error.description)
    raise JetStreamError(f"the broker refused {what}", f"{error.description} ({error.err_code})", error.err_code)
