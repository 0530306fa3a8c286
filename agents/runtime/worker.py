"""Worker: serves one specialist. A task goes from the work queue to the skill, its answer to the log; then the ack."""

from collections.abc import AsyncIterable
from contextlib import closing
from functools import partial

import anyio
from anyio import CancelScope, get_cancelled_exc_class
from anyio.abc import TaskGroup, TaskStatus

from hustings.bus import Bus, Delivery, WorkQueue, background
from hustings.protocols import Assigned, BusError, BusFull, Completion, Data, Failure, Unanswered, timing

from ..models.endpoints import Endpoints, here
from ..observe.logger import structlog
from ..observe.telemetry import answered, attempting
from ..skills.attempt import Attempts, failure
from ..skills.specialist import Specialist
from .heartbeat import present
from .invalid_messages import InvalidMessages
from .isolation import IsolatedWorkers

DELIVERIES = 5  # without isolation, a task that was delivered so often counts as poison


class Worker:
    """One replica of a specialist.

    Serves until cancelled, or until `drain` is set: then it takes no more tasks, gives back those it has not begun, and
    has WORKER_GRACE seconds to finish the others. Tasks that were delivered before run in `isolated`, if given; with
    `isolate_all` all do.
    `recycle` is set when `max_concurrent_tasks` abandoned attempts still run, in threads or because they ignore
    cancellation: a new process should take over. `endpoints` are its models' endpoints, by default those of the
    process.
    """

    def __init__(
        self,
        specialist: Specialist,
        bus: Bus,
        *,
        instance: str,
        isolated: IsolatedWorkers | None = None,
        isolate_all: bool = False,
        endpoints: Endpoints | None = None,
    ) -> None:
        self.specialist = specialist
        self.bus = bus
        self.instance = instance
        self.drain = anyio.Event()
        self.recycle = anyio.Event()
        self.card = specialist.card()
        self._log = structlog.get_logger().bind(agent=specialist.name)
        self._isolated, self._isolate_all = isolated, isolate_all
        self._endpoints = endpoints or here()
        self._attempts = Attempts(specialist, bus, self._endpoints.model)
        self._in_hand: dict[tuple[str, str, int], CancelScope] = {}
        self._endings: dict[str, float] = {}
        self._free = anyio.Semaphore(specialist.max_concurrent_tasks)
        self._done = self._failed = 0
        self._invalid = InvalidMessages()

    async def serve(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Register, take tasks, answer. At least once: if a worker dies, another gets its tasks."""
        with closing(self._attempts):
            async with (
                self.specialist.lifespan(),
                self.bus.live.endings() as endings,
                self.bus.work_queue(
                    self.specialist.name, max_concurrent_tasks=self.specialist.max_concurrent_tasks
                ) as work_queue,
                background(partial(self._drop_ended, endings)),
                present(
                    self.bus,
                    self.card,
                    instance=self.instance,
                    busy=self._busy,
                    stats=self._stats,
                    unwell=lambda: self._endpoints.unwell,
                    recycle=self.recycle.is_set,
                ),
            ):
                self._log.info("ready", team=self.bus.team, skills=list(self.specialist.skills))
                task_status.started()
                async with anyio.create_task_group() as tasks:
                    await self._receive_tasks(work_queue, tasks)
                    online = self.bus.connection.connected  # without a broker no answer could be sent
                    tasks.cancel_scope.deadline = anyio.current_time() + (timing.WORKER_GRACE if online else 0.0)

    # background work beside the tasks

    def _busy(self) -> tuple[str, ...]:
        return tuple(task for _, task, _ in self._in_hand)

    def _stats(self) -> Data:
        return {
            "done": self._done,
            "failed": self._failed,
            "in_hand": len(self._in_hand),
            "abandoned": self._attempts.abandoned,
            "dropped": self._invalid.count,
        }

    async def _drop_ended(self, endings: AsyncIterable[str]) -> None:
        """Cancel the tasks of a run that has ended: nobody waits for them any more."""
        async for run in endings:
            self._remember(run)
            for key, scope in self._in_hand.items():
                if key[0] == run:
                    scope.cancel()
            if self._isolated:
                self._isolated.forget(run)

    def _remember(self, run: str) -> None:
        """Begin no more tasks of this run that are in the work queue."""
        self._endings.pop(run, None)
        self._endings[run] = now = anyio.current_time()
        while now - self._endings[first := next(iter(self._endings))] > timing.ENDED_RUN:
            del self._endings[first]

    async def _over(self, run: str) -> bool:
        """True if the log confirms that the run has ended: live messages may be early, or refused by the log."""
        while (heard := self._endings.get(run)) is not None:
            if await self.bus.log.ended(run):
                return True
            if anyio.current_time() - heard > timing.ENDING_DOUBT:
                break
            await anyio.sleep(timing.ENDING_DOUBT / 20)
        return False

    # processing a task

    async def _receive_tasks(self, work_queue: WorkQueue, tasks: TaskGroup) -> None:
        with CancelScope() as receiving:
            tasks.start_soon(self._stop_receiving, receiving)
            while True:
                await self._free.acquire()
                tasks.start_soon(self._handle, await anext(work_queue))
        await work_queue.stop()  # else new tasks would wait here until the last task is done
        self._log.info("draining", in_hand=len(self._in_hand))

    async def _stop_receiving(self, receiving: CancelScope) -> None:
        await self.drain.wait()
        receiving.cancel()

    async def _handle(self, delivery: Delivery) -> None:
        assigned = delivery.entry.event
        try:
            if not isinstance(assigned, Assigned) or assigned.agent != self.specialist.name:
                self._invalid.note(delivery.entry)
                await delivery.term()
                return
            envelope = delivery.entry.envelope
            parent = envelope.traceparent or "" if envelope else ""
            with attempting(delivery.run, assigned, self.card.version, parent) as span:
                answer = await self._answer(delivery.run, assigned, delivery.count)
                answered(span, answer)
                if answer is not None:
                    await self._store(delivery, answer, envelope.id if envelope else None)
            await delivery.ack()
        except get_cancelled_exc_class():
            with CancelScope(shield=True), anyio.move_on_after(1):
                await delivery.nak()
            raise
        except BusError as error:
            self._log.error("the answer could not be stored, the task will be redelivered", why=str(error))
            delivery.forget()  # else nobody else would get the task, and its slot would stay taken
        finally:
            self._free.release()

    async def _store(self, delivery: Delivery, answer: Completion, cause: str | None) -> None:
        """Store the answer, however long the broker is away or full; of several answers the first counts."""
        while True:
            try:
                await self.bus.log.complete(delivery.run, answer, source=self.instance, cause=cause)
            except (Unanswered, BusFull) as error:
                self._log.warning("the answer is not stored yet", task=answer.task, why=str(error))
                await anyio.sleep(timing.STORE_RETRY)
            else:
                return

    async def _answer(self, run: str, assigned: Assigned, count: int) -> Completion | None:
        """The answer to an attempt; None if the run ended meanwhile."""
        key = (run, assigned.task, assigned.attempt)
        with CancelScope() as scope:
            self._in_hand[key] = scope
            try:
                if await self._over(run):
                    return None
                answer = await self._try(run, assigned, count)
            finally:
                self._in_hand.pop(key, None)
            if isinstance(answer, Failure):
                answer = answer.model_copy(update={"version": self.card.version})
            self._count(answer)
            return answer
        return None

    async def _try(self, run: str, assigned: Assigned, count: int) -> Completion:
        if self._isolated and (self._isolate_all or count > 1 or self._isolated.suspects(run, assigned.task)):
            return await self._isolated.attempt(run, assigned)
        if not self._isolated and count >= DELIVERIES:
            return failure(assigned, "killed", f"delivered {count} times: it seems to crash its workers")
        try:
            return await self._attempts.attempt(run, assigned)
        finally:
            self._recycle_if_due()

    def _recycle_if_due(self) -> None:
        if not self.recycle.is_set() and self._attempts.abandoned >= self.specialist.max_concurrent_tasks:
            self._log.error(
                "recycled",
                abandoned=self._attempts.abandoned,
                max_concurrent_tasks=self.specialist.max_concurrent_tasks,
            )
            self.recycle.set()

    def _count(self, answer: Completion) -> None:
        if isinstance(answer, Failure):
            self._failed += 1
            self._log.warning(
                "failed",
                task=answer.task,
                attempt=answer.attempt,
                kind=answer.kind,
                why=answer.because,
                **({"at": answer.at} if answer.at else {}),
            )
            if answer.traceback:
                self._log.info("traceback", task=answer.task, attempt=answer.attempt, exception=answer.traceback)
        else:
            self._done += 1
            self._log.info("done", task=answer.task, attempt=answer.attempt, seconds=round(answer.seconds, 3))
