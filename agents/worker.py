"""Worker: serves one specialist on the bus. A task goes from the inbox to the skill to the log; only then the ack."""

import time
from collections.abc import AsyncIterable
from functools import partial
from inspect import iscoroutinefunction
from typing import cast

import anyio
from anyio import CancelScope, get_cancelled_exc_class
from anyio.abc import TaskGroup, TaskStatus
from anyio.to_thread import run_sync
from pydantic import JsonValue, ValidationError

from moot.bus import Bus, Delivery, Inbox, beside
from moot.protocols import (
    Answer,
    Assigned,
    BudgetExceeded,
    BusError,
    Data,
    Failure,
    FailureKind,
    Message,
    Refused,
    Result,
    Unanswered,
)

from .context import TaskContext
from .logger import structlog
from .presence import present
from .specialist import Parameter, Skill, Specialist

DELIVERIES = 5  # a task that was delivered so often ends whoever works on it
GRACE = 4.0  # seconds that tasks in hand get when the worker is to stop; a supervisor kills after 5


class Worker:
    """One replica of a specialist.

    Serves until cancelled, or until `drain` is set: then it takes no more, finishes what it has in hand within GRACE
    and hands the rest back at once.
    """

    def __init__(self, specialist: Specialist, bus: Bus, *, instance: str) -> None:
        self.specialist = specialist
        self.bus = bus
        self.instance = instance
        self.drain = anyio.Event()
        self.card = specialist.card()
        self._log = structlog.get_logger().bind(agent=specialist.name)
        self._in_hand: dict[tuple[str, str], CancelScope] = {}
        self._free = anyio.Semaphore(specialist.hands)
        self._done = self._failed = 0

    async def serve(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Register, take tasks, answer. At least once: a task whose worker dies is given to another."""
        async with (
            self.specialist.lifespan(),
            self.bus.live.endings() as endings,
            self.bus.inbox(self.specialist.name, hands=self.specialist.hands) as inbox,
            beside(partial(self._drop_ended, endings)),
            present(self.bus, self.card, instance=self.instance, busy=self._busy, stats=self._stats),
        ):
            self._log.info("ready", team=self.bus.team, skills=list(self.specialist.skills))
            task_status.started()
            async with anyio.create_task_group() as hands:
                await self._take(inbox, hands)
                grace = GRACE if self.bus.connection.connected else 0.0  # without a broker no answer would be heard
                hands.cancel_scope.deadline = anyio.current_time() + grace

    # what goes on beside the tasks

    def _busy(self) -> tuple[str, ...]:
        return tuple(task for _, task in self._in_hand)

    def _stats(self) -> Data:
        return {"done": self._done, "failed": self._failed, "in_hand": len(self._in_hand)}

    async def _drop_ended(self, endings: AsyncIterable[str]) -> None:
        """Stop what is being done for a run that has ended: nobody waits for it any more."""
        async for run in endings:
            for key, scope in self._in_hand.items():
                if key[0] == run:
                    scope.cancel()

    # the way of a task

    async def _take(self, inbox: Inbox, hands: TaskGroup) -> None:
        with CancelScope() as taking:
            hands.start_soon(self._stop_taking, taking)
            while True:
                await self._free.acquire()
                hands.start_soon(self._handle, await anext(inbox))
        await inbox.stop()  # or what is assigned from now on would lie here until the last task is done
        self._log.info("draining", in_hand=len(self._in_hand))

    async def _stop_taking(self, taking: CancelScope) -> None:
        await self.drain.wait()
        taking.cancel()

    async def _handle(self, delivery: Delivery) -> None:
        assigned = delivery.entry.event
        try:
            if not isinstance(assigned, Assigned) or assigned.agent != self.specialist.name:
                await delivery.drop()
                return
            answer = await self._answer(delivery.run, assigned, delivery.count)
            if answer is not None:
                cause = delivery.entry.envelope.id if delivery.entry.envelope else None
                await self._store(delivery, answer, cause)
            await delivery.done()
        except get_cancelled_exc_class():
            with CancelScope(shield=True), anyio.move_on_after(1):
                await delivery.hand_back()
            raise
        except BusError as error:
            self._log.error("the answer could not be stored, the task will come again", why=str(error))
            delivery.let_go()  # or it would be kept from everybody, and a hand with it
        finally:
            self._free.release()

    async def _store(self, delivery: Delivery, answer: Answer, cause: str | None) -> None:
        """Have the answer on the log, however long the broker is away; of several answers the first stands."""
        while True:
            try:
                await self.bus.log.answer(delivery.run, answer, source=self.instance, cause=cause)
            except Unanswered as error:
                self._log.warning("the answer is not stored yet", task=answer.task, why=str(error))
            else:
                return

    async def _answer(self, run: str, assigned: Assigned, count: int) -> Answer | None:
        """The answer to an attempt; None if the run ended while it was being worked on."""
        if count >= DELIVERIES:
            return _failure(assigned, "killed", f"delivered {count} times: it ends whoever works on it")
        skill = self.specialist.skills.get(assigned.skill)
        if skill is None:
            why = f"{self.specialist.name} {self.specialist.version} has no skill {assigned.skill}"
            return _failure(assigned, "refused", why)
        with CancelScope() as scope:
            self._in_hand[run, assigned.task] = scope
            try:
                answer = await self._attempt(run, assigned, skill)
            finally:
                self._in_hand.pop((run, assigned.task), None)
            self._count(answer)
            return answer
        return None

    def _count(self, answer: Answer) -> None:
        if isinstance(answer, Failure):
            self._failed += 1
            self._log.warning("failed", task=answer.task, attempt=answer.attempt, kind=answer.kind, why=answer.because)
        else:
            self._done += 1
            self._log.info("done", task=answer.task, attempt=answer.attempt, seconds=round(answer.seconds, 3))

    async def _attempt(self, run: str, assigned: Assigned, skill: Skill) -> Answer:
        try:
            arguments = _arguments(skill, assigned.input)
        except ValidationError as error:
            return _failure(assigned, "refused", _first(error))
        context = TaskContext(
            agent=self.specialist.name,
            run=run,
            task=assigned.task,
            attempt=assigned.attempt,
            deadline=assigned.deadline,
            bus=self.bus,
            share=assigned.share,
        )
        if skill.context:
            arguments[skill.context] = context
        started = time.perf_counter()
        try:
            with anyio.move_on_after(context.remaining):
                output = _spoken(skill, await _call(skill, arguments))
                seconds = time.perf_counter() - started
                return Result(
                    task=assigned.task,
                    attempt=assigned.attempt,
                    agent=assigned.agent,
                    output=output,
                    version=self.specialist.version,
                    seconds=seconds,
                )
            return _failure(assigned, "lapsed", "the deadline passed")
        except (Refused, BudgetExceeded) as error:
            return _failure(assigned, "refused", str(error))
        except Exception as error:  # noqa: BLE001 - a skill is somebody else's code: whatever it raises is an answer
            self._log.debug("raised", task=assigned.task, exc_info=True)
            return _failure(assigned, "raised", f"{type(error).__name__}: {error}")
        finally:
            await context.close()


def _arguments(skill: Skill, given: Data) -> dict[str, object]:
    return {name: _argument(parameter, given.get(name)) for name, parameter in skill.takes.items()}


def _argument(parameter: Parameter, value: JsonValue) -> object:
    message, contract = parameter
    if value is None and contract.optional:
        return None
    if contract.many:
        return [message.of(element) for element in cast("list[JsonValue]", value or [])]
    return message.of(value)


async def _call(skill: Skill, arguments: dict[str, object]) -> object:
    if iscoroutinefunction(skill.handler):
        return await skill.handler(**arguments)
    return await run_sync(partial(skill.handler, **arguments), abandon_on_cancel=True)


def _spoken(skill: Skill, said: object) -> JsonValue:
    message, contract = skill.says
    words = said if contract.many and isinstance(said, list | tuple) else [said]
    for word in words:
        if not isinstance(word, message):
            raise TypeError(f"{skill.name} promised {message.__name__} and said {type(word).__name__}")
    plain: list[JsonValue] = [cast("Message", word).plain() for word in words]
    return plain if contract.many else plain[0]


def _failure(assigned: Assigned, kind: FailureKind, because: str) -> Failure:
    return Failure(
        task=assigned.task, attempt=assigned.attempt, agent=assigned.agent, kind=kind, because=because[:2000]
    )


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{error.title}.{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
