"""Work queue: a durable consumer of the log that all replicas of an agent share. At least once; skips settled work."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from time import monotonic, time

import anyio
from anyio import get_cancelled_exc_class
from pydantic import JsonValue

from hustings.protocols import Assigned, BusError, Entry, Subjects, Unanswered, parse, timing

from ..background import background
from ..client.connection import Connection
from ..client.jetstream import (
    Arrived,
    Reply,
    call,
    persist,
)
from ..client.pull_consumer import PullConsumer
from ..failpoints import failpoint
from .log import Log

MANY = 64  # messages requested at once, at most


class Delivery:
    """One message of a work queue, held until `ack`, `nak` or `term` is called; only the first of these is sent.

    `count` is 1 for the first delivery. When `stale`, another replica may have the message by now: then nothing is
    sent, because the server would take it for the other replica's answer.
    """

    entry: Entry

    def __init__(self, work_queue: "WorkQueue", arrived: Arrived) -> None:
        self.run = parse(arrived.subject).run
        self.count = arrived.times
        self.arrived = arrived
        self._work_queue = work_queue

    @property
    def stale(self) -> bool:
        return _stale(self.arrived)

    async def ack(self) -> None:
        """Acknowledge: the message is processed and its result is on the log."""
        await self._work_queue.release(self, b"+ACK")

    async def nak(self) -> None:
        """Give it back: the server redelivers it at once."""
        await self._work_queue.release(self, b"-NAK")

    async def term(self) -> None:
        """Drop it: the server never redelivers it."""
        await self._work_queue.release(self, b"+TERM")

    def forget(self) -> None:
        """Stop holding it and send nothing: another replica has it, or the server will redeliver it."""
        self._work_queue.forget(self)


class WorkQueue:
    """The deliveries for one agent. One task iterates; any number of tasks may hold deliveries.

    One background task confirms all held deliveries, so that the server gives them to no other replica. At the end of
    the block whatever is still held is given back.
    """

    def __init__(
        self,
        connection: Connection,
        log: Log,
        stream: str,
        open_consumer: Callable[[], Awaitable[str]],
        max_concurrent_tasks: int,
    ) -> None:
        self._connection = connection
        self._log = log
        self._max_concurrent_tasks = max_concurrent_tasks
        self._held: dict[int, Delivery] = {}  # by sequence of the message
        self._began = time()
        self._pull = PullConsumer(connection, stream, open_consumer, self._wanted)

    def __aiter__(self) -> AsyncIterator[Delivery]:
        return self

    async def __anext__(self) -> Delivery:
        """The next delivery that is not settled yet. Raises BrokerUnavailable, Denied."""
        while True:
            arrived = await self._pull.next()
            if arrived and (delivery := await self._accept(arrived)):
                return delivery

    async def release(self, delivery: Delivery, word: bytes) -> None:
        """Send the word (an ack, nak or term) to the server, if we still hold the delivery."""
        if not self.forget(delivery):
            return
        if self._connection.connected and not delivery.stale:
            point = "back" if word == b"-NAK" else "ack"
            failpoint(f"{point}.before", run=delivery.run, seq=delivery.arrived.seq, word=word.decode())
            with suppress(Unanswered):
                await self._connection.publish(delivery.arrived.ack, word)
            failpoint(f"{point}.after", run=delivery.run, seq=delivery.arrived.seq)

    def forget(self, delivery: Delivery) -> bool:
        """Stop holding a delivery without telling the server; False if it was not held."""
        if self._held.get(delivery.arrived.seq) is not delivery:
            return False
        del self._held[delivery.arrived.seq]
        self._pull.poke()
        return True

    async def confirm_held(self) -> None:
        """Confirm the held deliveries in time, again and again."""
        while True:
            await anyio.sleep(timing.TOUCH)
            await self._confirm()

    async def stop(self) -> None:
        """Take no more, and give back what arrived but was not taken. Held deliveries stay held."""
        with suppress(BusError):
            await self._pull.close()
            while self._pull.ready:
                if not _stale(arrived := self._pull.ready.popleft()):
                    await self._connection.publish(arrived.ack, b"-NAK")

    async def close(self) -> None:
        """Give back all deliveries: held ones, and those that arrived but were not taken."""
        with suppress(BusError):
            for delivery in tuple(self._held.values()):
                await delivery.nak()
            await self.stop()
            if self._connection.connected:
                await self._connection.flush(1)

    def _wanted(self) -> int:
        free = self._max_concurrent_tasks - len(self._held)
        return max(min(free, MANY) - len(self._pull.ready), 0)

    async def _accept(self, arrived: Arrived) -> Delivery | None:
        if _stale(arrived):
            return None  # another replica has it by now, or the server will redeliver it
        if before := self._held.get(arrived.seq):
            before.arrived = arrived  # a restarted broker redelivers what we hold; from now on confirm this delivery
            return None
        failpoint("take.before", seq=arrived.seq, times=arrived.times)
        delivery, kept = Delivery(self, arrived), False
        self._held[arrived.seq] = delivery
        try:
            delivery.entry = await self._log.entry(arrived)
            unreadable = delivery.entry.event is None  # the holder drops it, so whether it is settled does not matter
            kept = unreadable or not (self._doubtful(arrived) and await self._settled(delivery))
            if not kept:
                await delivery.term()
            failpoint("take.after", run=delivery.run, seq=arrived.seq, times=arrived.times, kept=kept)
            return delivery if kept else None
        except get_cancelled_exc_class():
            self._pull.ready.appendleft(arrived)  # nobody has it: `stop` gives it back
            raise
        finally:
            if not kept:
                self.forget(delivery)

    def _doubtful(self, arrived: Arrived) -> bool:
        """True if it may be settled: it was delivered before, is old, or is from before our (re)connection.

        A broker that was killed has forgotten the last acks and delivery counts.
        """
        came = max(self._began, self._connection.since)
        return arrived.times > 1 or time() - arrived.time > timing.OLD_TASK or arrived.time < came

    async def _settled(self, delivery: Delivery) -> bool:
        """True if nobody waits for it: the run was deleted or has ended, or the attempt is answered."""
        task, run = delivery.entry.event, delivery.run
        try:
            if await self._log.ended(run) or not await self._log.there(delivery.entry.seq):
                return True
            return isinstance(task, Assigned) and await self._log.answered(run, task.agent, task.task, task.attempt)
        except Unanswered:
            return False

    async def _confirm(self) -> None:
        now, at_hand = monotonic(), [*(delivery.arrived for delivery in self._held.values()), *self._pull.ready]
        ours = [arrived for arrived in at_hand if not _stale(arrived)]
        if not ours or not self._connection.connected:
            return
        with suppress(Unanswered):
            for arrived in ours:
                await self._connection.publish(arrived.ack, b"+WPI")
            await self._connection.flush(1)  # when this returns, the server has processed the confirmations
            for arrived in ours:
                arrived.confirmed = now


@asynccontextmanager
async def open_work_queue(
    connection: Connection, log: Log, subjects: Subjects, *, name: str, subject: str, max_concurrent_tasks: int
) -> AsyncIterator[WorkQueue]:
    """The work queue `name` for `subject`; at most `max_concurrent_tasks` deliveries at a time."""
    stream = subjects.stream()

    async def consumer() -> str:
        config: dict[str, JsonValue] = {
            "durable_name": name,
            "filter_subject": subject,
            "deliver_policy": "all",
            "ack_policy": "explicit",
            "ack_wait": int(timing.ACK_WAIT * 1e9),
            "max_deliver": -1,  # with a limit the server would silently stop delivering a message
            "max_ack_pending": -1,  # the default of 1000 would silently hold back the rest
        }
        verb = f"CONSUMER.CREATE.{stream}.{name}.{subject}"
        body: dict[str, JsonValue] = {"stream_name": stream, "config": config}
        await persist(lambda: call(connection, verb, body, Reply))
        return name

    work_queue = WorkQueue(connection, log, stream, consumer, max_concurrent_tasks)
    try:
        async with background(work_queue.confirm_held):
            yield work_queue
    finally:
        with anyio.move_on_after(timing.QUEUE_CLOSING, shield=True):
            await work_queue.close()


def _stale(arrived: Arrived) -> bool:
    return monotonic() - arrived.confirmed > timing.STALE
