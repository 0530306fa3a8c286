"""Log: everything that was said in a team's runs, durable and in order; the only durable write anyone makes."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from time import time
from typing import NamedTuple

import anyio

from hustings.protocols import (
    AlreadyThere,
    Answer,
    Answered,
    Asked,
    Assigned,
    BusFull,
    Called,
    Cancelled,
    Concluded,
    DeadLetter,
    Decision,
    Discarded,
    Entry,
    Envelope,
    Event,
    GoalAsked,
    NotFound,
    RunAcquired,
    Spent,
    StaleWriter,
    Stored,
    Subjects,
    ToolResult,
    Unanswered,
    Unreadable,
    open_envelope,
    parse,
    seal,
    uuid7,
)

from ..client.connection import Connection
from ..client.fence import (
    Fence,
    Sealed,
    append,
    append_one,
)
from ..client.jetstream import (
    Arrived,
    Kept,
    Reply,
    ack_floor,
    call,
    find,
    last,
    persist,
    stream_info,
)
from ..client.ordered_consumer import follow, read
from ..failpoints import failpoint
from .object_store import ObjectStore

LARGE = 512 * 1024  # bytes of an envelope, from which on it travels as a blob
NEARLY_FULL = 0.9  # from here on no goals are taken, so that the runs under way can end


class RunHead(NamedTuple):
    """A run in a list: how it was asked for, and how it ended if it has."""

    run: str
    asked: Entry
    concluded: Entry | None


class Log:
    """The run log of a team. Every method may be used by several tasks at once.

    All of them raise BrokerUnavailable (closed for good), Denied, and Unanswered where the broker did not answer for 12
    seconds; those that write raise BusFull. A write is on the disk, or on the cluster's majority, when it returns.
    """

    def __init__(self, connection: Connection, subjects: Subjects, blobs: ObjectStore) -> None:
        self._connection = connection
        self._subjects = subjects
        self._stream = subjects.stream()
        self._blobs = blobs

    # writing

    async def ask(self, run: str, goal: GoalAsked, *, client: str) -> int:
        """Begin a run; only one client can. Raises AlreadyThere, or BusFull from 90 % of the log's size on."""
        info = await stream_info(self._connection, self._stream)
        if info and 0 < info.config.max_bytes * NEARLY_FULL <= info.state.bytes:
            raise BusFull("the log is nearly full", f"{info.state.bytes} of {info.config.max_bytes} bytes are used")
        message = await self._seal(goal, self._subjects.goal(run, client), client, run)
        failpoint("ask.before", run=run)
        try:
            seq = await self._append([message], Fence(self._subjects.run(run), 0))
        except StaleWriter:
            raise AlreadyThere(f"there is a run {run} already") from None
        failpoint("ask.after", run=run, seq=seq)
        return seq

    async def append(
        self, run: str, events: Sequence[Decision], *, after: int, source: str, cause: str | None = None
    ) -> int:
        """Append what the coordinator decided, in order, and return the sequence of the last.

        Only if nobody else wrote under the run's coordinator subjects since `after`, the last sequence there that the
        caller has seen (0: none): else StaleWriter, and the log tells who. Up to eight events go one by one, and a
        crash may leave the first of them; more go in batches of a thousand, each stored as a whole or not at all.
        `cause` is the id of the envelope that led to this.
        """
        messages = [await self._seal(event, self._subject(run, event), source, run, cause) for event in events]
        failpoint("append.before", run=run, by=source, after=after, kinds=[_kind(type(event)) for event in events])
        fence = Fence(self._subjects.coordinator(run), after)
        seq = await append(self._connection, self._stream, messages, fence)
        failpoint("append.after", run=run, by=source, seq=seq)
        return seq

    async def answer(self, run: str, answer: Answer, *, source: str, cause: str | None = None) -> bool:
        """Answer an attempt of a task. False if it was answered before: the first answer stands.

        `cause` is the id of the envelope that assigned it.
        """
        subject = self._subjects.result(run, answer.agent, answer.task, answer.attempt)
        failpoint("answer.before", run=run, task=answer.task, attempt=answer.attempt, by=source)
        first = await self._first(answer, subject, source, run, cause)
        failpoint("answer.after", run=run, task=answer.task, attempt=answer.attempt, by=source, first=first)
        return first

    async def spend(self, run: str, event: Spent, *, after: int, source: str) -> int:
        """Reserve an amount for an attempt, before it is spent; the sequence.

        Only if nothing was said of the attempt since `after`, the last sequence that `attempt` showed: else
        StaleWriter, for another process has spent something, or answered.
        """
        subject = self._subjects.spend(run, event.agent, event.task, event.attempt)
        fence = Fence(self._subjects.attempt(run, event.agent, event.task, event.attempt), after)
        failpoint("spend.before", run=run, task=event.task, attempt=event.attempt, by=source)
        seq = await self._append([await self._seal(event, subject, source, run)], fence)
        failpoint("spend.after", run=run, task=event.task, attempt=event.attempt, by=source, seq=seq)
        return seq

    async def called(self, run: str, event: Called, *, source: str) -> bool:
        """Record a call of a model or a tool, before its answer is used. False if its place is taken: what is there
        stands. A call that failed has no place, and is always recorded."""
        write = self._subjects.tool if isinstance(event.answer, ToolResult) else self._subjects.model
        call = event.call if event.answer else f"{event.call}-{uuid7().hex}"
        subject = write(run, event.agent, event.task, event.attempt, call)
        failpoint("call.before", run=run, task=event.task, attempt=event.attempt, by=source, call=call)
        first = await self._first(event, subject, source, run)
        failpoint("call.after", run=run, task=event.task, attempt=event.attempt, by=source, call=call, first=first)
        return first

    async def ask_for(self, run: str, event: Asked, *, source: str) -> bool:
        """Ask within an attempt for another agent's skill. False if that was asked before, and the question stands."""
        subject = self._subjects.ask(run, event.agent, event.task, event.attempt, event.ask)
        failpoint("query.before", run=run, task=event.task, attempt=event.attempt, by=source, ask=event.ask)
        first = await self._first(event, subject, source, run)
        failpoint("query.after", run=run, task=event.task, attempt=event.attempt, by=source, ask=event.ask, first=first)
        return first

    async def discard(self, run: str, event: Discarded, *, client: str) -> None:
        """Nothing more is to be done about a dead letter. Done twice by the same client, the first stands."""
        subject = self._subjects.discard(run, client, event.task)
        await self._first(event, subject, client, run)

    async def cancel(self, run: str, event: Cancelled, *, client: str) -> int:
        """Withdraw a run. Done twice by the same client, the first stands."""
        subject = self._subjects.cancel(run, client)
        failpoint("cancel.before", run=run)
        try:
            seq = await self._append([await self._seal(event, subject, client, run)], Fence(subject, 0))
        except StaleWriter:
            before = await last(self._connection, self._stream, subject)
            seq = before.seq if before else 0
        failpoint("cancel.after", run=run, seq=seq)
        return seq

    async def delete(self, run: str) -> None:
        """Remove a run from the log."""
        body = {"filter": self._subjects.run(run)}
        await persist(lambda: call(self._connection, f"STREAM.PURGE.{self._stream}", body, Reply, timeout=5))

    # reading

    async def read(self, run: str) -> AsyncGenerator[Entry, None]:
        """The entries of a run from the first to the last there is now, without a gap."""
        async with aclosing(read(self._connection, self._stream, [self._subjects.run(run)])) as messages:
            async for message in messages:
                yield await self.entry(message)

    async def follow(self, run: str, after: int = 0) -> AsyncGenerator[Entry, None]:
        """The entries of a run behind the sequence `after`, and then each new one, without a gap whatever breaks."""
        messages = follow(self._connection, self._stream, [self._subjects.run(run)], after)
        async with aclosing(messages):
            async for message in messages:
                yield await self.entry(message)

    async def replay(self, run: str, speed: float = 1.0) -> AsyncGenerator[Entry, None]:
        """The entries of a run at the pace at which they were written, `speed` times as fast."""
        before = 0.0
        async with aclosing(self.read(run)) as entries:
            async for entry in entries:
                await anyio.sleep(max(entry.time - before, 0) / speed if before else 0)
                before = entry.time
                yield entry

    async def tail(
        self, *, all: bool = False, since_seconds: float | None = None, subject: str | None = None
    ) -> AsyncGenerator[Entry, None]:
        """The entries of all runs: new ones, and before them those of the last seconds, or all there are.

        `subject` narrows them, with NATS wildcards.
        """
        after, since = 0, None
        if since_seconds is not None:
            since = time() - since_seconds
        elif not all and (info := await stream_info(self._connection, self._stream)):
            after = info.state.last_seq
        messages = follow(self._connection, self._stream, [subject or self._subjects.log()], after, since)
        async with aclosing(messages):
            async for message in messages:
                yield await self.entry(message)

    async def runs(self) -> list[RunHead]:
        """All runs, the newest first."""
        subjects = [self._subjects.goals(), self._subjects.decisions(_kind(Concluded))]
        heads: dict[str, RunHead] = {}
        async with aclosing(read(self._connection, self._stream, subjects)) as messages:
            async for message in messages:
                entry = await self.entry(message)
                run = entry.subject.run
                if entry.subject.kind == "goal":
                    heads.setdefault(run, RunHead(run, entry, None))
                elif run in heads and isinstance(entry.event, Concluded):
                    heads[run] = heads[run]._replace(concluded=entry)
        return [*reversed(heads.values())]

    async def lifecycle_events(self) -> AsyncGenerator[Entry, None]:
        """Of all runs, from the first on and then as they come: their goals, who drives them, how they end."""
        kinds = [self._subjects.decisions(_kind(kind)) for kind in (RunAcquired, Concluded)]
        async with aclosing(follow(self._connection, self._stream, [self._subjects.goals(), *kinds])) as messages:
            async for message in messages:
                yield await self.entry(message)

    async def dead_letters(self) -> AsyncGenerator[Entry, None]:
        """Of all runs: their goals, ends and dead letters, and which of these were discarded; what there is now."""
        kinds = [self._subjects.decisions(_kind(kind)) for kind in (DeadLetter, Concluded)]
        subjects = [self._subjects.goals(), self._subjects.discards(), *kinds]
        async with aclosing(read(self._connection, self._stream, subjects)) as messages:
            async for message in messages:
                yield await self.entry(message)

    async def answers_to(self, run: str) -> AsyncGenerator[Answered, None]:
        """What came of all that agents have asked for in a run, from the first on and then as it comes."""
        subject = self._subjects.decision(run, _kind(Answered))
        async with aclosing(follow(self._connection, self._stream, [subject])) as messages:
            async for message in messages:
                if isinstance(event := (await self.entry(message)).event, Answered):
                    yield event

    async def work(self, run: str, agent: str, task: str) -> list[Entry]:
        """All that an agent has said of one task: its answers, and what it reserved, called and asked for them."""
        subject = self._subjects.work(run, agent, task)
        async with aclosing(read(self._connection, self._stream, [subject])) as messages:
            return [await self.entry(message) async for message in messages]

    async def at(self, seq: int) -> Kept | None:
        """The bytes of one message, with subject and time, as the broker has them; None if it is gone."""
        return await find(self._connection, self._stream, {"seq": seq})

    async def entry_at(self, seq: int) -> Entry | None:
        """What one message says; None if it is gone, and for 0."""
        kept = await self.at(seq) if seq else None
        return await self.entry(kept) if kept else None

    async def settled_up_to(self, agent: str) -> int:
        """The place on the log up to which an agent's inbox holds nothing any more; 0 if it has no inbox yet.

        Of what lies there the answers are on the log, but perhaps further on than the caller has read.
        """
        return await ack_floor(self._connection, self._stream, agent)

    async def last_seq(self, run: str) -> int:
        """The sequence of the last entry that a run has now; 0 without one."""
        final = await last(self._connection, self._stream, self._subjects.run(run))
        return final.seq if final else 0

    async def ended(self, run: str) -> bool:
        """True if the run has been concluded."""
        subject = self._subjects.decision(run, _kind(Concluded))
        final = await last(self._connection, self._stream, subject)
        if final is None or _concludes(final.data):
            return final is not None
        async with aclosing(read(self._connection, self._stream, [subject])) as messages:  # a stranger wrote there
            return any([isinstance((await self.entry(message)).event, Concluded) async for message in messages])

    async def answered(self, run: str, agent: str, task: str, attempt: int) -> bool:
        """True if this attempt has its answer on the log."""
        return bool(await last(self._connection, self._stream, self._subjects.result(run, agent, task, attempt)))

    async def there(self, seq: int) -> bool:
        """True if this message has not been deleted."""
        return bool(await find(self._connection, self._stream, {"seq": seq}))

    async def entry(self, message: Arrived | Kept) -> Entry:
        """What a message says. What cannot be read, is of another run, or in a blob that is gone, has no envelope."""
        envelope, why, subject = None, "", parse(message.subject)
        try:
            envelope = open_envelope(message.data)
            if isinstance(envelope.data, Stored):
                envelope = open_envelope(await self._fetch(envelope.data.digest))
            if envelope.runid != subject.run:
                raise Unreadable(f"it is of the run {envelope.runid[:80]!r}")
        except (Unreadable, NotFound) as error:
            envelope, why = None, str(error)
        moment = message.time.timestamp() if isinstance(message, Kept) else message.time
        return Entry(message.seq, subject, moment, envelope, why)

    async def _fetch(self, digest: str) -> bytes:
        """The blob behind a message. As for the log itself, a broker that is away is waited for."""
        while True:
            try:
                return await self._blobs.get(digest)
            except Unanswered:
                await self._connection.ready()

    async def _first(self, event: Event, subject: str, source: str, run: str, cause: str | None = None) -> bool:
        """Say something that can be said once. False if its subject is taken: what is there stands."""
        try:
            await self._append([await self._seal(event, subject, source, run, cause)], Fence(subject, 0))
        except StaleWriter:
            return False
        return True

    async def _append(self, messages: Sequence[Sealed], fence: Fence) -> int:
        return await append_one(self._connection, self._stream, messages, fence)

    async def _seal(self, event: Event, subject: str, source: str, run: str, cause: str | None = None) -> Sealed:
        envelope = seal(event, source=source, run=run, subject=subject, cause=cause)
        raw = envelope.encode()
        return Sealed(subject, raw if len(raw) <= LARGE else await self._store(envelope, raw))

    async def _store(self, envelope: Envelope, raw: bytes) -> bytes:
        blob = await self._blobs.put(raw)
        note = Stored(digest=blob.digest, size=blob.size)
        return seal(note, source=envelope.source, run=envelope.runid, subject=envelope.subject).encode()

    def _subject(self, run: str, event: Decision) -> str:
        if isinstance(event, Assigned):
            return self._subjects.task(run, event.agent)
        return self._subjects.decision(run, _kind(type(event)))


def _concludes(raw: bytes) -> bool:
    try:
        return isinstance(open_envelope(raw).data, Concluded | Stored)
    except Unreadable:
        return False


def _kind(event: type[Decision]) -> str:
    return event.__name__.lower()
