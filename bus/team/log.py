"""Log: all events of a team's runs, durable and in order; the only durable record there is."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from time import time
from typing import NamedTuple

import anyio
from pydantic import JsonValue

from hustings.protocols import (
    AlreadyThere,
    Answered,
    Asked,
    Assigned,
    BusFull,
    Called,
    Cancelled,
    Completion,
    Concluded,
    DeadLetter,
    Decision,
    Discarded,
    Entry,
    Event,
    GoalAsked,
    NotFound,
    RunAcquired,
    Spent,
    StaleWriter,
    Subjects,
    ToolResult,
    Unreadable,
    open_envelope,
    parse,
)
from hustings.protocols.envelope import seal, uuid7
from hustings.protocols.events import Stored

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
    ack_floor,
    find,
    last,
    purge,
    stream_info,
)
from ..client.ordered_consumer import follow, read
from ..failpoints import failpoint
from . import large_messages
from .object_store import ObjectStore
from .values import Values

FILLING, NEARLY_FULL = 0.75, 0.9  # people are told; no goals are accepted, so that running runs can end


class Usage(NamedTuple):
    """The bytes of a log, and how many it may have; 0: as many as there is room for."""

    bytes: int
    limit: int

    @property
    def share(self) -> float:
        return self.bytes / self.limit if self.limit else 0.0

    @property
    def level(self) -> float:
        """The highest of the levels FILLING and NEARLY_FULL that is reached, or 0."""
        return max((level for level in (FILLING, NEARLY_FULL) if self.share >= level), default=0.0)


class RunHead(NamedTuple):
    """A run in a list: its goal, and its end if it has ended."""

    run: str
    asked: Entry
    concluded: Entry | None


class Log:
    """The run log of a team. Every method may be used by several tasks at once.

    All of them raise BrokerUnavailable (closed for good), Denied, and Unanswered (no answer for 12 seconds); those that
    write raise BusFull. When a write returns, it is on the disk, or on the majority of the cluster.
    """

    def __init__(self, connection: Connection, subjects: Subjects, blobs: ObjectStore) -> None:
        self._connection = connection
        self._subjects = subjects
        self._stream = subjects.stream()
        self._values = Values(connection, blobs)

    # writing

    async def ask(self, run: str, goal: GoalAsked, *, client: str) -> int:
        """Begin a run. Raises AlreadyThere if the id is taken, BusFull if the log is 90 % full."""
        if (used := await self.usage()).level == NEARLY_FULL:
            why = f"{used.bytes} of {used.limit} bytes are used, and the rest is for the runs that are under way"
            raise BusFull("the log is nearly full", why)
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
        """Append the coordinator's decisions, in order, and return the sequence of the last.

        `after` is the last sequence under the run's coordinator subjects that the caller has seen (0: none). Raises
        StaleWriter if another coordinator wrote there since. Up to eight events are sent one by one, so a crash may
        leave only the first ones; more are sent in batches of a thousand, each stored as a whole or not at all.
        `cause` is the id of the envelope that led to this.
        """
        messages = [await self._seal(event, self._subject(run, event), source, run, cause) for event in events]
        failpoint("append.before", run=run, by=source, after=after, kinds=[_kind(type(event)) for event in events])
        fence = Fence(self._subjects.coordinator(run), after)
        seq = await append(self._connection, self._stream, messages, fence)
        failpoint("append.after", run=run, by=source, seq=seq)
        return seq

    async def complete(self, run: str, answer: Completion, *, source: str, cause: str | None = None) -> bool:
        """Complete an attempt of a task. False if it is complete already: the first completion counts.

        `cause` is the id of the envelope that assigned it.
        """
        subject = self._subjects.result(run, answer.agent, answer.task, answer.attempt)
        failpoint("answer.before", run=run, task=answer.task, attempt=answer.attempt, by=source)
        first = await self._first(answer, subject, source, run, cause)
        failpoint("answer.after", run=run, task=answer.task, attempt=answer.attempt, by=source, first=first)
        return first

    async def spend(self, run: str, event: Spent, *, after: int, source: str) -> int:
        """Reserve an amount for an attempt, before it is spent. Returns the sequence.

        `after` is the last sequence of the attempt that the caller has seen. Raises StaleWriter if the attempt has a
        newer message: another process has spent something, or answered.
        """
        subject = self._subjects.spend(run, event.agent, event.task, event.attempt)
        fence = Fence(self._subjects.attempt(run, event.agent, event.task, event.attempt), after)
        failpoint("spend.before", run=run, task=event.task, attempt=event.attempt, by=source)
        seq = await self._append([await self._seal(event, subject, source, run)], fence)
        failpoint("spend.after", run=run, task=event.task, attempt=event.attempt, by=source, seq=seq)
        return seq

    async def called(self, run: str, event: Called, *, source: str) -> bool:
        """Record a call of a model or a tool, before its answer is used. False if its place is taken: the recorded
        call counts. A failed call has no place and is always recorded."""
        write = self._subjects.tool if isinstance(event.answer, ToolResult) else self._subjects.model
        call = event.call if event.answer else f"{event.call}-{uuid7().hex}"
        subject = write(run, event.agent, event.task, event.attempt, call)
        failpoint("call.before", run=run, task=event.task, attempt=event.attempt, by=source, call=call)
        first = await self._first(event, subject, source, run)
        failpoint("call.after", run=run, task=event.task, attempt=event.attempt, by=source, call=call, first=first)
        return first

    async def ask_for(self, run: str, event: Asked, *, source: str) -> bool:
        """Ask for another agent's skill, within an attempt. False if this was asked before: the first ask counts."""
        subject = self._subjects.ask(run, event.agent, event.task, event.attempt, event.ask)
        failpoint("query.before", run=run, task=event.task, attempt=event.attempt, by=source, ask=event.ask)
        first = await self._first(event, subject, source, run)
        failpoint("query.after", run=run, task=event.task, attempt=event.attempt, by=source, ask=event.ask, first=first)
        return first

    async def discard(self, run: str, event: Discarded, *, client: str) -> None:
        """Discard a dead letter. If the same client does it twice, the first time counts."""
        subject = self._subjects.discard(run, client, event.task)
        await self._first(event, subject, client, run)

    async def cancel(self, run: str, event: Cancelled, *, client: str) -> int:
        """Withdraw a run. If the same client does it twice, the first time counts."""
        subject = self._subjects.cancel(run, client)
        failpoint("cancel.before", run=run)
        try:
            seq = await self._append([await self._seal(event, subject, client, run)], Fence(subject, 0))
        except StaleWriter:
            before = await last(self._connection, self._stream, subject)
            seq = before.seq if before else 0
        failpoint("cancel.after", run=run, seq=seq)
        return seq

    async def delete(self, run: str, *, up_to: int | None = None) -> None:
        """Remove a run from the log; with `up_to`, only its messages up to this sequence. Its blobs stay: `remove`
        takes both."""
        await purge(self._connection, self._stream, self._subjects.run(run), up_to=up_to)

    # reading

    async def usage(self) -> Usage:
        """How full the log is."""
        info = await stream_info(self._connection, self._stream)
        return Usage(info.state.bytes, max(info.config.max_bytes, 0)) if info else Usage(0, 0)

    async def read(self, run: str) -> AsyncGenerator[Entry, None]:
        """All entries that a run has now, without a gap."""
        async with aclosing(read(self._connection, self._stream, [self._subjects.run(run)])) as messages:
            async for message in messages:
                yield await self.entry(message)

    async def follow(self, run: str, after: int = 0) -> AsyncGenerator[Entry, None]:
        """The entries of a run after the sequence `after`, then each new one; a lost connection leaves no gap."""
        messages = follow(self._connection, self._stream, [self._subjects.run(run)], after)
        async with aclosing(messages):
            async for message in messages:
                yield await self.entry(message)

    async def replay(self, run: str, speed: float = 1.0) -> AsyncGenerator[Entry, None]:
        """The entries of a run, `speed` times as fast as they were written."""
        before = 0.0
        async with aclosing(self.read(run)) as entries:
            async for entry in entries:
                await anyio.sleep(max(entry.time - before, 0) / speed if before else 0)
                before = entry.time
                yield entry

    async def tail(
        self, *, all: bool = False, since_seconds: float | None = None, subject: str | None = None
    ) -> AsyncGenerator[Entry, None]:
        """The entries of all runs: those of the last seconds, or all, then the new ones.

        `subject` (with NATS wildcards) selects some of them.
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
        """The goals, RunAcquired and ends of all runs, from the first on, then as they come."""
        kinds = [self._subjects.decisions(_kind(kind)) for kind in (RunAcquired, Concluded)]
        async with aclosing(follow(self._connection, self._stream, [self._subjects.goals(), *kinds])) as messages:
            async for message in messages:
                yield await self.entry(message)

    async def dead_letters(self) -> AsyncGenerator[Entry, None]:
        """The goals, ends, dead letters and discards that there are now, of all runs."""
        kinds = [self._subjects.decisions(_kind(kind)) for kind in (DeadLetter, Concluded)]
        subjects = [self._subjects.goals(), self._subjects.discards(), *kinds]
        async with aclosing(read(self._connection, self._stream, subjects)) as messages:
            async for message in messages:
                yield await self.entry(message)

    async def answers_to(self, run: str) -> AsyncGenerator[Answered, None]:
        """The answers to all asks in a run, from the first on, then as they come."""
        subject = self._subjects.decision(run, _kind(Answered))
        async with aclosing(follow(self._connection, self._stream, [subject])) as messages:
            async for message in messages:
                if isinstance(event := (await self.entry(message)).event, Answered):
                    yield event

    async def work(self, run: str, agent: str, task: str) -> list[Entry]:
        """All messages of an agent about one task: answers, reservations, calls and asks."""
        subject = self._subjects.work(run, agent, task)
        async with aclosing(read(self._connection, self._stream, [subject])) as messages:
            return [await self.entry(message) async for message in messages]

    async def value(self, digest: str) -> JsonValue:
        """A large JSON value that lies in the object store. Raises NotFound, or Unreadable: it is damaged."""
        return await self._values.value(digest)

    async def at(self, seq: int) -> Kept | None:
        """The bytes of one message, with subject and time, as the broker has them; None if it was deleted."""
        return await find(self._connection, self._stream, {"seq": seq})

    async def entry_at(self, seq: int) -> Entry | None:
        """One entry of the log; None if it was deleted, and for sequence 0."""
        kept = await self.at(seq) if seq else None
        return await self.entry(kept) if kept else None

    async def settled_up_to(self, agent: str) -> int:
        """The sequence up to which an agent's work queue is empty; 0 if it has no work queue yet.

        All tasks up to there are answered on the log, perhaps after the point up to which the caller has read.
        """
        return await ack_floor(self._connection, self._stream, agent)

    async def last_seq(self, run: str) -> int:
        """The sequence of the last entry that a run has now; 0 if it has none."""
        final = await last(self._connection, self._stream, self._subjects.run(run))
        return final.seq if final else 0

    async def ended(self, run: str) -> bool:
        """True if the run has been concluded."""
        subject = self._subjects.decision(run, _kind(Concluded))
        final = await last(self._connection, self._stream, subject)
        if final is None or _concludes(final.data):
            return final is not None
        async with aclosing(
            read(self._connection, self._stream, [subject])
        ) as messages:  # somebody without the right to conclude the run wrote there
            return any([isinstance((await self.entry(message)).event, Concluded) async for message in messages])

    async def answered(self, run: str, agent: str, task: str, attempt: int) -> bool:
        """True if the answer to this attempt is on the log."""
        return bool(await last(self._connection, self._stream, self._subjects.result(run, agent, task, attempt)))

    async def there(self, seq: int) -> bool:
        """True if this message has not been deleted."""
        return bool(await find(self._connection, self._stream, {"seq": seq}))

    async def entry(self, message: Arrived | Kept) -> Entry:
        """The message as an entry: without an envelope if it is unreadable, of another run, or its blob is gone."""
        envelope, why, subject = None, "", parse(message.subject)
        try:
            envelope = await large_messages.restore(open_envelope(message.data), self._values)
            if envelope.runid != subject.run:
                raise Unreadable(f"it belongs to the run {envelope.runid[:80]!r}")
        except (Unreadable, NotFound) as error:
            envelope, why = None, str(error)
        moment = message.time.timestamp() if isinstance(message, Kept) else message.time
        return Entry(message.seq, subject, moment, envelope, why)

    async def _first(self, event: Event, subject: str, source: str, run: str, cause: str | None = None) -> bool:
        """Append the first message on a subject. False if there is one already: that one counts."""
        try:
            await self._append([await self._seal(event, subject, source, run, cause)], Fence(subject, 0))
        except StaleWriter:
            return False
        return True

    async def _append(self, messages: Sequence[Sealed], fence: Fence) -> int:
        return await append_one(self._connection, self._stream, messages, fence)

    async def _seal(self, event: Event, subject: str, source: str, run: str, cause: str | None = None) -> Sealed:
        envelope = seal(event, source=source, run=run, cause=cause)
        return Sealed(subject, await large_messages.shrink(envelope, self._values))

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
