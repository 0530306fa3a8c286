"""The model of a broker: a nats-server as far as our code uses it, in memory, with all its faults on demand.

`Server` keeps streams, durable and ephemeral pull consumers, and core subscriptions with queue groups. `Line` stands in
for nats-py's client below the real `hustings.bus.Connection`: everything said on it takes its time, and may be lost
where it may be lost on a real line. tests/simulation/test_model.py holds the model against the server.
"""

import asyncio
import random
from base64 import b64encode
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any, NamedTuple, cast

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from pydantic_core import from_json, to_json

from hustings.bus import Connection
from hustings.protocols import BusError

from .loop import EPOCH, Ordered, Place

Headers = dict[str, str]
Body = dict[str, Any]
Handler = Callable[[Msg], Awaitable[None]]

BETWEEN = 1e-8  # seconds between two messages of one line: timers of one moment have no order
_EXPECTED = "Nats-Expected-Last-Subject-Sequence"


@dataclass
class Faults:
    """What may go wrong at the moment. `delay` is the longest that a message takes; the others are probabilities."""

    random: random.Random
    delay: float = 0.0005
    lose: float = 0.0  # a request, an answer or an acknowledgement
    repeat: float = 0.0  # a delivery, although it was not too late to acknowledge it

    def happens(self, probability: float) -> bool:
        return probability > 0 and self.random.random() < probability


class Kept(NamedTuple):
    """A message of a stream; `stamp` is its time, in nanoseconds since the epoch."""

    seq: int
    subject: str
    data: bytes
    stamp: int

    @property
    def time(self) -> float:
        """Since the epoch, in seconds, as the bus reads it from a delivery."""
        return self.stamp / 1e9


class Refusal(Exception):
    """An error of the API."""

    def __init__(self, err_code: int, description: str, code: int = 400) -> None:
        self.error = {"code": code, "err_code": err_code, "description": description}


class Stream:
    """Messages in order, with limits and fences."""

    def __init__(self, config: Body) -> None:
        self.config = config
        self.messages: dict[int, Kept] = {}
        self.subjects: dict[str, list[int]] = {}
        self.consumers: dict[str, Consumer] = {}
        self.batches: dict[str, list[tuple[str, bytes, Headers]]] = {}
        self.last = self.bytes = 0

    def takes(self, subject: str) -> bool:
        return any(matches(pattern, subject) for pattern in self.config["subjects"])

    def last_on(self, pattern: str) -> int:
        if "*" not in pattern and ">" not in pattern:
            return self.subjects.get(pattern, [0])[-1]
        return max((seqs[-1] for subject, seqs in self.subjects.items() if matches(pattern, subject)), default=0)

    def store(self, group: Sequence[tuple[str, bytes, Headers]], now: float) -> int:
        """All of these messages, or none: raises Refusal."""
        size = sum(_size(subject, data) for subject, data, _ in group)
        for subject, _, headers in group:
            if _EXPECTED in headers:
                last = self.last_on(headers.get(f"{_EXPECTED}-Subject", subject))
                if last != int(headers[_EXPECTED]):
                    raise Refusal(10071, f"wrong last sequence: {last}")
        if 0 < self.config.get("max_bytes", -1) < self.bytes + size:
            raise Refusal(10077, "maximum bytes exceeded")
        self.bytes += size
        for subject, data, _ in group:
            self.last += 1
            self.messages[self.last] = Kept(self.last, subject, data, int((EPOCH + now) * 1e9))
            self.subjects.setdefault(subject, []).append(self.last)
        return self.last

    def batch(self, subject: str, data: bytes, headers: Headers, now: float) -> Body | None:
        """One message of an atomic batch (ADR-50); the answer to the one that commits it."""
        name, number = headers["Nats-Batch-Id"], int(headers["Nats-Batch-Sequence"])
        group = self.batches.setdefault(name, []) if number == 1 else self.batches.get(name, [])
        if number != len(group) + 1:
            self.batches.pop(name, None)
            raise Refusal(10176, "atomic publish batch is incomplete")
        group.append((subject, data, headers))
        if "Nats-Batch-Commit" not in headers:
            return None
        del self.batches[name]
        return {"seq": self.store(group, now), "batch": name, "count": len(group)}

    def find(self, where: Body) -> Kept:
        if "last_by_subj" in where:
            seq = self.last_on(where["last_by_subj"])
        elif "next_by_subj" in where:
            seq = next(
                (kept.seq for kept in self.after(where["seq"] - 1) if matches(where["next_by_subj"], kept.subject)), 0
            )
        else:
            seq = where["seq"]
        if seq not in self.messages:
            raise Refusal(10037, "no message found", 404)
        return self.messages[seq]

    def erase(self, seq: int) -> Body:
        """Only what is not there is ever erased: to hear whether the stream can be written."""
        if seq in self.messages:
            raise NotImplementedError("a message is deleted")
        raise Refusal(10057, "no message found", 500)

    def after(self, seq: int) -> Iterator[Kept]:
        return (self.messages[n] for n in range(seq + 1, self.last + 1) if n in self.messages)

    def purge(self, pattern: str) -> int:
        gone = [kept for kept in self.messages.values() if matches(pattern, kept.subject)]
        for kept in gone:
            del self.messages[kept.seq]
            self.subjects.pop(kept.subject, None)
            self.bytes -= _size(kept.subject, kept.data)
        return len(gone)


@dataclass
class Pending:
    """A delivery that was not acknowledged yet: how often it was made, to whom last, and until when it is theirs."""

    times: int
    to: str
    since: float
    until: float
    order: int  # of the first delivery
    took_over: bool = False  # from somebody who had not confirmed it in time


@dataclass
class PullConsumer:
    """A request for messages, parked at a consumer."""

    inbox: str
    left: int
    expires: float
    heartbeat: float
    heard: float


@dataclass
class Consumer:
    """A pull consumer: a cursor on a stream, and what is out for acknowledgement."""

    name: str
    filters: tuple[str, ...]
    explicit: bool
    wait: float
    cursor: int
    order: int = 0
    floor: int = 0
    floor_order: int = 0
    sent: dict[int, float] = field(default_factory=dict)  # when each delivery was
    pending: dict[int, Pending] = field(default_factory=dict)
    again: list[int] = field(default_factory=list)
    times: dict[int, int] = field(default_factory=dict)
    settled: deque[tuple[float, int, Pending]] = field(default_factory=lambda: deque(maxlen=1000))
    waiting: deque[PullConsumer] = field(default_factory=deque)
    timer: asyncio.TimerHandle | None = None

    def wants(self, kept: Kept) -> bool:
        return any(matches(pattern, kept.subject) for pattern in self.filters)

    def next(self, stream: Stream) -> Kept | None:
        while self.again:
            seq = self.again.pop(0)
            if seq in stream.messages:
                return stream.messages[seq]
            self.settle(seq)  # it was purged
        for kept in stream.after(self.cursor):
            self.cursor = kept.seq
            if self.wants(kept):
                return kept
        self.cursor = max(self.cursor, stream.last)
        return None

    def unseen(self, stream: Stream) -> int:
        return sum(self.wants(kept) for kept in stream.after(self.cursor))

    def settle(self, seq: int) -> Pending:
        """Acknowledged: up to the floor nothing is out, as far as the server has noticed."""
        settled = self.pending.pop(seq)
        if seq in self.again:
            self.again.remove(seq)
        self.advance()
        if self.pending and settled.order == self.floor_order + 1:
            out = min((each for each in self.pending if each > seq), default=0)
            self.floor_order, self.floor = settled.order, seq
            if out:
                self.floor_order, self.floor = self.pending[out].order - 1, out - 1
        return settled

    def advance(self) -> None:
        """The floor rises to the cursor, if nothing is out."""
        if not self.pending:
            self.floor_order, self.floor = self.order, self.cursor


class Word(NamedTuple):
    """A word for a delivery that is out: from whom, when it was said, and how long that delivery had been under way."""

    consumer: str
    kept: Kept
    pending: Pending
    says: str
    line: "Line"
    sent: float
    taken_after: float


class Subscription:
    """What subscribe() gives."""

    def __init__(self, line: "Line", sid: int) -> None:
        self._line, self._sid = line, sid

    async def unsubscribe(self) -> None:
        self._line.handlers.pop(self._sid, None)
        self._line.say(partial(self._line.server.unsubscribe, self._line, self._sid))

    async def drain(self) -> None:
        self._line.say(partial(self._line.server.unsubscribe, self._line, self._sid))
        with suppress(asyncio.TimeoutError):
            await self._line.flush(1)
        self._line.handlers.pop(self._sid, None)


class Interest(NamedTuple):
    line: "Line"
    sid: int
    queue: str


class Server:
    """The broker. `audit` is told of each word that comes for a delivery that is out."""

    def __init__(self, loop: asyncio.AbstractEventLoop, faults: Faults) -> None:
        self.loop = loop
        self.faults = faults
        self.context = copy_context()
        self.up = True
        self.streams: dict[str, Stream] = {}
        self.lines: list[Line] = []
        self.audit: Callable[[Word], None] = lambda _: None
        self._interests: dict[str, list[Interest]] = {}  # by subject, which may have wildcards
        self._sids: dict[tuple[Line, int], str] = {}
        self._verbs: dict[str, Callable[..., Body]] = {
            "STREAM.INFO": self._stream_info,
            "STREAM.CREATE": self._stream_create,
            "STREAM.MSG.DELETE": lambda stream, body: stream.erase(body["seq"]),
            "STREAM.MSG.GET": lambda stream, body: {"message": _shown(stream.find(body))},
            "STREAM.PURGE": lambda stream, body: {"success": True, "purged": stream.purge(body.get("filter", ">"))},
            "CONSUMER.CREATE": self._consumer_create,
            "CONSUMER.DELETE": self._consumer_delete,
            "CONSUMER.INFO": self._consumer_info,
        }

    @property
    def now(self) -> float:
        return self.loop.time()

    def log(self, name: str) -> list[Kept]:
        """All that is on a stream."""
        return [*self.streams[name].messages.values()]

    def at(self, when: float, act: Callable[..., None], *args: object) -> asyncio.TimerHandle:
        return self.loop.call_at(when, act, *args, context=self.context)

    # core

    def subscribe(self, line: "Line", sid: int, subject: str, queue: str) -> None:
        self._interests.setdefault(subject, []).append(Interest(line, sid, queue))
        self._sids[line, sid] = subject

    def unsubscribe(self, line: "Line", sid: int) -> None:
        if subject := self._sids.pop((line, sid), None):
            self._interests[subject] = [each for each in self._interests[subject] if each[:2] != (line, sid)]
            if not self._interests[subject]:
                del self._interests[subject]

    def forget(self, line: "Line") -> None:
        for of, sid in [key for key in self._sids if key[0] is line]:
            self.unsubscribe(of, sid)

    def interests(self, subject: str) -> list[Interest]:
        exact = self._interests.get(subject, [])
        if subject.startswith("_INBOX."):
            return exact or self._interests.get(subject.rpartition(".")[0] + ".*", [])
        wild = [pattern for pattern in self._interests if "*" in pattern or ">" in pattern]
        return exact + [each for pattern in wild if matches(pattern, subject) for each in self._interests[pattern]]

    def route(self, subject: str, data: bytes, reply: str = "", headers: Headers | None = None) -> bool:
        """To everybody who listens, and to one of each queue group. False if nobody does."""
        groups: dict[str, list[Interest]] = {}
        found = self.interests(subject)
        for each in found:
            if each.queue:
                groups.setdefault(each.queue, []).append(each)
            else:
                each.line.hear(each.sid, subject, data, reply, headers)
        for members in groups.values():
            one = self.faults.random.choice(members)
            one.line.hear(one.sid, subject, data, reply, headers)
        return bool(found)

    def publish(self, line: "Line", sent: float, subject: str, data: bytes, reply: str, headers: Headers) -> None:
        """What a client has published arrives here; `sent` is when it was."""
        losable = reply or (subject.startswith("$JS.ACK.") and data != b"+WPI")  # a ping confirms those before it
        if not self.up or (losable and self.faults.happens(self.faults.lose)):
            return
        if subject.startswith("$JS.API."):
            self._api(subject.removeprefix("$JS.API."), data, reply)
        elif subject.startswith("$JS.ACK."):
            self._ack(line, sent, subject.split("."), data)
        elif stream := self._stream_of(subject):
            self._store(stream, subject, data, reply, headers)
        elif not self.route(subject, data, reply, headers or None) and reply:
            self.route(reply, b"", headers={"Status": "503"})

    def _stream_of(self, subject: str) -> Stream | None:
        return next((stream for stream in self.streams.values() if stream.takes(subject)), None)

    def _store(self, stream: Stream, subject: str, data: bytes, reply: str, headers: Headers) -> None:
        answer: Body | None
        before = stream.last
        try:
            if "Nats-Batch-Id" in headers:
                answer = stream.batch(subject, data, headers, self.now)
            else:
                answer = {"seq": stream.store([(subject, data, headers)], self.now)}
        except Refusal as refusal:
            answer = {"error": refusal.error, "seq": 0}
        if reply and answer:
            self._answer(reply, {"stream": stream.config["name"], **answer})
        for kept in stream.after(before):
            self.route(kept.subject, kept.data)
        for consumer in stream.consumers.values():
            self._serve(stream, consumer)

    def _answer(self, reply: str, body: Body) -> None:
        if not self.faults.happens(self.faults.lose):
            self.route(reply, to_json(body))

    # the API

    def _api(self, verb: str, data: bytes, reply: str) -> None:
        if verb.startswith("CONSUMER.MSG.NEXT."):
            return self._pull(verb.split("."), from_json(data), reply)
        body = from_json(data) if data else {}
        try:
            answer = self._do(verb, body)
        except Refusal as refusal:
            answer = {"error": refusal.error}
        self._answer(reply, answer)

    def _do(self, verb: str, body: Body) -> Body:
        if verb == "INFO":
            return {}
        if verb == "STREAM.NAMES":
            names = [*self.streams]
            return {"total": len(names), "streams": names}
        kind = next((each for each in self._verbs if verb.startswith(f"{each}.")), "")
        if not kind:
            raise NotImplementedError(f"the model does not know {verb}")
        name, *rest = verb.removeprefix(f"{kind}.").split(".")
        if kind == "STREAM.CREATE":
            return self._verbs[kind](body)
        if name not in self.streams:
            raise Refusal(10059, "stream not found", 404)
        if kind.startswith("CONSUMER"):
            return self._verbs[kind](self.streams[name], rest[0], body)
        return self._verbs[kind](self.streams[name], body)

    def _stream_create(self, config: Body) -> Body:
        self.streams.setdefault(config["name"], Stream(config))
        return self._stream_info(self.streams[config["name"]], {})

    def _stream_info(self, stream: Stream, body: Body) -> Body:
        return {"config": stream.config, "state": {"bytes": stream.bytes, "last_seq": stream.last}}

    def _consumer_create(self, stream: Stream, name: str, body: Body) -> Body:
        config = body["config"]
        if name not in stream.consumers:
            filters = config.get("filter_subjects") or [config.get("filter_subject", ">")]
            explicit = config["ack_policy"] == "explicit"
            start = config.get("opt_start_seq", 1) - 1
            stream.consumers[name] = Consumer(name, tuple(filters), explicit, config.get("ack_wait", 0) / 1e9, start)
        return self._consumer_info(stream, name, {})

    def _consumer_info(self, stream: Stream, name: str, body: Body) -> Body:
        consumer = self._consumer(stream, name)
        return {
            "name": name,
            "ack_floor": {"stream_seq": consumer.floor},
            "num_ack_pending": len(consumer.pending),
            "num_pending": consumer.unseen(stream),
        }

    def _consumer_delete(self, stream: Stream, name: str, body: Body) -> Body:
        consumer = self._consumer(stream, name)
        del stream.consumers[name]
        for pull in consumer.waiting:
            self.route(pull.inbox, b"", headers={"Status": "409", "Description": "Consumer Deleted"})
        consumer.waiting.clear()
        return {"success": True}

    def _consumer(self, stream: Stream, name: str) -> Consumer:
        if name not in stream.consumers:
            raise Refusal(10014, "consumer not found", 404)
        return stream.consumers[name]

    # pulls and deliveries

    def _pull(self, verb: list[str], body: Body, inbox: str) -> None:
        stream = self.streams.get(verb[3])
        if stream is None or verb[4] not in stream.consumers:
            self.route(inbox, b"", headers={"Status": "503"})
            return
        consumer = stream.consumers[verb[4]]
        pull = PullConsumer(
            inbox, body["batch"], self.now + body["expires"] / 1e9, body["idle_heartbeat"] / 1e9, self.now
        )
        consumer.waiting.append(pull)
        self.at(self.now + pull.heartbeat, self._tick, consumer, pull)
        self._serve(stream, consumer)

    def _tick(self, consumer: Consumer, pull: PullConsumer) -> None:
        """A sign of life to whoever waits, or the end of the request."""
        if pull not in consumer.waiting or not self.up:
            return
        if not self.interests(pull.inbox):
            consumer.waiting.remove(pull)
        elif self.now >= pull.expires:
            consumer.waiting.remove(pull)
            left = {"Nats-Pending-Messages": str(pull.left), "Nats-Pending-Bytes": "0"}
            self.route(pull.inbox, b"", headers={"Status": "408", "Description": "Request Timeout", **left})
        else:
            if self.now >= pull.heard + pull.heartbeat:
                pull.heard = self.now
                self.route(pull.inbox, b"", headers={"Status": "100", "Description": "Idle Heartbeat"})
            self.at(min(pull.heard + pull.heartbeat, pull.expires), self._tick, consumer, pull)

    def _serve(self, stream: Stream, consumer: Consumer) -> None:
        while consumer.waiting:
            pull = consumer.waiting[0]
            if not self.interests(pull.inbox):
                consumer.waiting.popleft()
                continue
            kept = consumer.next(stream)
            if kept is None:
                return
            consumer.waiting.popleft()
            pull.left, pull.heard = pull.left - 1, self.now
            if pull.left:
                consumer.waiting.append(pull)
            self._deliver(stream, consumer, kept, pull.inbox)

    def _deliver(self, stream: Stream, consumer: Consumer, kept: Kept, inbox: str) -> None:
        consumer.order += 1
        consumer.sent[consumer.order] = self.now
        times = 1
        if consumer.explicit:
            before = consumer.pending.get(kept.seq)
            times = consumer.times[kept.seq] = consumer.times.get(kept.seq, 0) + 1
            lapsed = bool(before and before.until <= self.now)
            order = before.order if before else consumer.order
            consumer.pending[kept.seq] = Pending(times, inbox, self.now, self.now + consumer.wait, order, lapsed)
            self._watch(stream, consumer)
        left = consumer.unseen(stream)
        ack = f"$JS.ACK.{stream.config['name']}.{consumer.name}.{times}.{kept.seq}.{consumer.order}.{kept.stamp}.{left}"
        for each in self.interests(inbox):
            each.line.hear(each.sid, kept.subject, kept.data, ack, None)
            if self.faults.happens(self.faults.repeat):
                self.at(self.now + self.faults.random.random(), self._repeat, stream, consumer, kept.seq)

    def _repeat(self, stream: Stream, consumer: Consumer, seq: int) -> None:
        if seq in consumer.pending and seq not in consumer.again:
            consumer.again.append(seq)
            self._serve(stream, consumer)

    def _watch(self, stream: Stream, consumer: Consumer) -> None:
        """Have the next delivery given again that is not acknowledged in time."""
        if consumer.timer is None and (
            out := [p.until for s, p in consumer.pending.items() if s not in consumer.again]
        ):
            consumer.timer = self.at(min(out), self._expire, stream, consumer)

    def _expire(self, stream: Stream, consumer: Consumer) -> None:
        consumer.timer = None
        late = [seq for seq, pending in consumer.pending.items() if pending.until <= self.now]
        consumer.again += sorted(seq for seq in late if seq not in consumer.again)
        if self.up:
            self._serve(stream, consumer)
        self._watch(stream, consumer)

    def _ack(self, line: "Line", sent: float, tokens: list[str], word: bytes) -> None:
        """A word for a delivery. As on the real server it counts for the message, whichever delivery it was for."""
        stream = self.streams[tokens[2]]
        consumer, seq = stream.consumers.get(tokens[3]), int(tokens[5])
        if consumer is None:
            return
        pending = consumer.pending.get(seq)
        if pending is None:
            if word in (b"+ACK", b"+TERM") and seq > consumer.floor:
                consumer.advance()
            return
        taken = line.taken.get(".".join(tokens), 0.0) - consumer.sent[int(tokens[6])]
        if seq in stream.messages:
            self.audit(Word(consumer.name, stream.messages[seq], pending, word.decode(), line, sent, taken))
        if word == b"+WPI":
            pending.until = self.now + consumer.wait
        elif word == b"-NAK":
            if seq not in consumer.again:
                consumer.again.append(seq)
        else:
            consumer.settle(seq)
            consumer.settled.append((self.now, seq, pending))
        self._serve(stream, consumer)
        self._watch(stream, consumer)

    # faults

    def stop(self, seconds: float) -> None:
        """kill -9, and up again on the same store after a while: acks of the last second are forgotten."""
        self.up = False
        for stream in self.streams.values():
            stream.batches.clear()
            stream.consumers = {name: each for name, each in stream.consumers.items() if each.explicit}
            for consumer in stream.consumers.values():
                self._roll_back(consumer)
        for line in self.lines:
            line.cut(seconds)
        self.at(self.now + seconds, self._start)

    def _start(self) -> None:
        self.up = True
        for stream in self.streams.values():
            for consumer in stream.consumers.values():
                self._expire(stream, consumer)

    def _roll_back(self, consumer: Consumer) -> None:
        consumer.waiting.clear()
        known = self.now - self.faults.random.random()
        while consumer.settled and consumer.settled[-1][0] > known:
            _, seq, pending = consumer.settled.pop()
            consumer.pending[seq] = pending


class Line:
    """A client's connection to the model, in place of `nats.aio.client.Client`.

    In order both ways. `cut`: broken for some seconds; `stall`: nothing comes or goes, and later all of it does;
    `kill`: whoever spoke is dead.
    """

    last_error: Exception | None = None
    options = {"name": "model"}
    pending_data_size = 0

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        self.name = name
        self.place = Place.here()
        self.is_connected = True
        self.is_closed = self.muted = False
        self.handlers: dict[int, tuple[str, str, Handler]] = {}
        self.taken: dict[str, float] = {}  # when a delivery was, by its reply subject
        self.connection: Connection | None = None
        self._context = copy_context()
        self._epochs = {0}  # of the connection, of which what is under way still arrives
        self._epoch = self._sids = self._inboxes = 0
        self._up_at = self._down_at = self._stalled = 0.0
        self._unsent: list[Callable[[], None]] = []
        server.lines.append(self)

    # what Connection asks of a client

    async def publish(self, subject: str, data: bytes = b"", reply: str = "", headers: Headers | None = None) -> None:
        if self.is_closed:
            raise nats.errors.ConnectionClosedError
        self.say(partial(self.server.publish, self, self.server.now, subject, data, reply, headers or {}))

    async def subscribe(self, subject: str, queue: str = "", cb: Handler | None = None, **_: int) -> Subscription:
        if self.is_closed:
            raise nats.errors.ConnectionClosedError
        assert cb
        self._sids += 1
        self.handlers[self._sids] = (subject, queue, cb)
        if self.is_connected:
            self.say(partial(self.server.subscribe, self, self._sids, subject, queue))
        return Subscription(self, self._sids)

    def new_inbox(self) -> str:
        self._inboxes += 1
        return f"_INBOX.{self.name}.{self._inboxes}"

    async def flush(self, timeout: float) -> None:
        if self.is_closed:
            raise nats.errors.ConnectionClosedError
        pong = self.server.loop.create_future()
        self.say(partial(self._later, partial(_fulfil, pong)))
        await asyncio.wait_for(pong, timeout)

    async def close(self) -> None:
        self.is_connected, self.is_closed = False, True
        self.say(partial(self.server.forget, self))
        if self in self.server.lines:
            self.server.lines.remove(self)

    # both ways

    def say(self, act: Callable[[], None]) -> None:
        if self.muted:
            return
        if not (self.is_connected or self.is_closed):
            self._unsent.append(act)
            return
        self._up_at = self._arrival(self._up_at)
        self.server.at(self._up_at, self._arrive, self._epoch, act)

    def _arrive(self, epoch: int, act: Callable[[], None]) -> None:
        if epoch in self._epochs:
            act()

    def hear(self, sid: int, subject: str, data: bytes, reply: str, headers: Headers | None) -> None:
        """The server sends a message to one of our subscriptions."""
        self._later(partial(self._handle, sid, subject, data, reply, headers))

    def _later(self, act: Callable[[], object]) -> None:
        self._down_at = self._arrival(self._down_at)
        self.server.loop.call_at(self._down_at, self._heard, self._epoch, act, context=self._context)

    def _heard(self, epoch: int, act: Callable[[], object]) -> None:
        if epoch == self._epoch and self.is_connected and not self.muted:
            act()

    def _handle(self, sid: int, subject: str, data: bytes, reply: str, headers: Headers | None) -> None:
        if sid in self.handlers:
            if reply.startswith("$JS.ACK."):
                self.taken[reply] = self.server.now
            with suppress(BusError):  # nats-py reports what a handler raises, and goes on
                step(self.handlers[sid][2](Msg(cast("Client", self), subject, reply, data, headers)))

    def _arrival(self, before: float) -> float:
        delay = self.server.faults.random.random() * self.server.faults.delay
        return max(before + BETWEEN, self._stalled, self.server.now + delay)

    # faults

    def kill(self) -> None:
        """The process was killed: nothing it says from now on is said."""
        self.muted, self.is_connected = True, False
        self.server.forget(self)
        self.server.lines.remove(self)
        if self.connection:
            step(self.connection._on_closed())

    def stall(self, seconds: float) -> None:
        self._stalled = max(self._stalled, self.server.now + seconds)

    def cut(self, seconds: float) -> None:
        """Of what was under way to the server all or nothing still arrives; nothing of what was under way to us."""
        if not self.is_connected:
            return
        if not self.server.up or self.server.faults.happens(0.5):
            self._epochs.discard(self._epoch)
        self.is_connected = False
        self._epoch += 1
        self._epochs.add(self._epoch)
        self.server.forget(self)
        self.server.loop.call_soon(self._turn, False, context=self._context)
        self.server.at(self.server.now + seconds, self._reconnect)

    def _reconnect(self) -> None:
        if self.muted or self.is_closed:
            return
        if not self.server.up:
            self.server.at(self.server.now + 0.1, self._reconnect)
            return
        self.server.loop.call_soon(self._turn, True, context=self._context)

    def _turn(self, connected: bool) -> None:
        if self.muted or self.is_closed or self.connection is None:
            return
        self.is_connected = connected
        if connected:
            for sid, (subject, queue, _) in self.handlers.items():
                self.say(partial(self.server.subscribe, self, sid, subject, queue))
            unsent, self._unsent = self._unsent, []
            for act in unsent:
                self.say(act)
        step(self.connection._on_reconnected() if connected else self.connection._on_disconnected())


@asynccontextmanager
async def attach(server: Server, name: str) -> AsyncIterator[Connection]:
    """What `hustings.bus.client.connection.connect` gives, over the model."""
    connection = Connection("model")
    connection.listeners = cast("set[Callable[[], None]]", Ordered())
    while not server.up:
        await asyncio.sleep(0.1)
    line = Line(server, name)
    line.connection, connection._client = connection, line  # type: ignore[assignment]
    connection._turn(connected=True)
    connection._inbox = line.new_inbox() + "."
    await connection.subscribe(connection._inbox + "*", connection._answer)
    try:
        yield connection
    finally:
        await connection._close()


@lru_cache(65536)
def matches(pattern: str, subject: str) -> bool:
    if pattern == subject:
        return True
    wanted, words = pattern.split("."), subject.split(".")
    if wanted[-1] == ">":
        wanted, words = wanted[:-1], words if len(words) < len(wanted) else words[: len(wanted) - 1]
    return len(wanted) == len(words) and all(want in ("*", word) for want, word in zip(wanted, words, strict=True))


def step(work: Awaitable[None] | Coroutine[Any, Any, None]) -> None:
    """Do it now: a handler of messages may not wait."""
    try:
        work.send(None)  # type: ignore[union-attr]
    except StopIteration:
        return
    raise AssertionError("a handler of messages waits")


def _size(subject: str, data: bytes) -> int:
    return len(subject) + len(data) + 40


def _fulfil(pong: asyncio.Future[None]) -> None:
    if not pong.done():
        pong.set_result(None)


def _shown(kept: Kept) -> Body:
    moment = datetime.fromtimestamp(kept.time, UTC).isoformat()
    return {"subject": kept.subject, "seq": kept.seq, "data": b64encode(kept.data).decode(), "time": moment}
