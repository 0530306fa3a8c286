"""Planted bugs: each breaks one promise on purpose, so that the checks can show that they would notice.

`plant(name)` patches the product for the rest of the process's life; `planted(name)` for the time of a block. A process
of a real team is given HUSTINGS_PLANTED=name and calls `plant_if_asked()` before it starts. The patches hold on to as
little as they can: public methods, `Fence.headers`, `evolve` and `decide`, and a few module constants.
"""

import os
import random
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from hustings.protocols import COORDINATOR, Assigned, Concluded, Entry, Failure, Result, StaleWriter

PLANTED = "HUSTINGS_PLANTED"  # in the environment

context, coordinator, decider, dispatch, folding, state, worker = (
    import_module(f"hustings.agents.{name}")
    for name in (
        "skills.context",
        "runtime.coordinator",
        "decider.decision",
        "decider.assign",
        "decider.folding",
        "decider.state",
        "runtime.worker",
    )
)
retry = import_module("hustings.protocols.retry")
fence, work_queue, log, reader = (
    import_module(f"hustings.bus.{name}")
    for name in ("client.fence", "team.work_queue", "team.log", "client.ordered_consumer")
)


@dataclass(frozen=True)
class Patch:
    """One name in a module or class, and what stands there instead."""

    where: Any
    name: str
    by: Any


Bug = Callable[[], list[Patch]]
BUGS: dict[str, Bug] = {}


def bug(make: Bug) -> Bug:
    BUGS[make.__name__] = make
    return make


def plant(name: str) -> None:
    """From now on this process has the bug. Raises KeyError for a name that there is not."""
    for patch in BUGS[name]():
        setattr(patch.where, patch.name, patch.by)


def plant_if_asked() -> None:
    """Plant what HUSTINGS_PLANTED names, if it names something."""
    if name := os.environ.get(PLANTED):
        plant(name)


@contextmanager
def planted(name: str) -> Iterator[None]:
    """While the block runs, this process has the bug."""
    patches = BUGS[name]()
    before = [getattr(patch.where, patch.name) for patch in patches]
    try:
        for patch in patches:
            setattr(patch.where, patch.name, patch.by)
        yield
    finally:
        for patch, value in zip(patches, before, strict=True):
            setattr(patch.where, patch.name, value)


# the fence


@bug
def no_fence() -> list[Patch]:
    """Nothing is appended on a condition."""
    return [Patch(fence.Fence, "headers", lambda self: {})]


@bug
def answers_not_fenced() -> list[Patch]:
    """A second answer to one attempt is stored as well."""
    return [_unfenced(lambda subject: ".result." in subject)]


@bug
def goals_not_fenced() -> list[Patch]:
    """Two clients can start one run."""
    return [_unfenced(lambda subject: subject.endswith(".>") and COORDINATOR not in subject)]


def _unfenced(which: Callable[[str], bool]) -> Patch:
    real = fence.Fence.headers
    return Patch(fence.Fence, "headers", lambda self: {} if which(self.subject) else real(self))


@bug
def resent_without_fence() -> list[Patch]:
    """A lost answer is taken for a failure: what is sent again is sent without condition."""
    real, sent = fence.publish, set[bytes]()

    async def publish(*arguments: Any) -> Any:
        *where, data, headers = arguments
        kept = {key: value for key, value in headers.items() if not (data in sent and "Expected" in key)}
        sent.add(data)
        return await real(*where, data, kept)

    return [Patch(fence, "publish", publish)]


@bug
def stale_writer_ignored() -> list[Patch]:
    """A coordinator that is refused takes the newest place for its fence, and writes what it wanted to."""
    real = log.Log.append

    async def append(self: Any, run: str, events: Any, *, after: int, **more: Any) -> Any:
        while True:
            try:
                return await real(self, run, events, after=after, **more)
            except StaleWriter:
                async with aclosing(self.read(run)) as entries:
                    after = max([each.seq async for each in entries if each.subject.author == COORDINATOR])

    return [Patch(log.Log, "append", append)]


@bug
def older_driver_goes_on() -> list[Patch]:
    """A coordinator that reads a newer driver's RunAcquired goes on behind it."""
    real = coordinator.RunLoop._turn

    async def turn(self: Any) -> None:
        self._state.driver = self._instance
        await real(self)

    return [Patch(coordinator.RunLoop, "_turn", turn)]


# acknowledgements


@bug
def acked_when_taken() -> list[Patch]:
    """A delivery is acknowledged before anything has come of it."""
    real = work_queue.WorkQueue.__anext__

    async def take(self: Any) -> Any:
        delivery = await real(self)
        await self._connection.publish(delivery.arrived.ack, b"+ACK")
        return delivery

    return [Patch(work_queue.WorkQueue, "__anext__", take)]


@bug
def goal_acked_when_taken() -> list[Patch]:
    """A goal is acknowledged before its run has ended."""
    real = work_queue.WorkQueue.__anext__

    async def take(self: Any) -> Any:
        delivery = await real(self)
        if not isinstance(delivery.entry.event, Assigned):
            await delivery.ack()
        return delivery

    return [Patch(work_queue.WorkQueue, "__anext__", take)]


@bug
def stale_holder_speaks() -> list[Patch]:
    """Who has not confirmed a delivery for long still confirms and acknowledges it."""
    return [Patch(work_queue, "_stale", lambda arrived: False)]


@bug
def acked_before_append() -> list[Patch]:
    """A task is acknowledged as soon as its handler has returned; the answer is stored afterwards."""
    answer, handle = log.Log.complete, worker.Worker._handle
    held: dict[tuple[str, str, int], Any] = {}

    async def remember(self: Any, delivery: Any) -> None:
        if isinstance(task := delivery.entry.event, Assigned):
            held[delivery.run, task.task, task.attempt] = delivery
        await handle(self, delivery)

    async def first_ack(self: Any, run: str, said: Result | Failure, **more: Any) -> Any:
        await held[run, said.task, said.attempt].ack()
        return await answer(self, run, said, **more)

    return [Patch(worker.Worker, "_handle", remember), Patch(log.Log, "complete", first_ack)]


@bug
def dedupe_in_memory() -> list[Patch]:
    """What comes again is only dropped if this very process has answered it; the log is not asked."""

    async def settled(self: Any, delivery: Any) -> bool:
        return False

    return [Patch(work_queue.WorkQueue, "_settled", settled)]


# ids


@bug
def key_of_the_attempt() -> list[Patch]:
    """The key of an effect names the attempt, so another attempt has the effect again."""
    real = context.TaskContext.once
    return [Patch(context.TaskContext, "once", lambda self, key="": real(self, f"{key}/{self.attempt}"))]


@bug
def key_of_the_delivery() -> list[Patch]:
    """The key of an effect is another one in each delivery."""
    real = context.TaskContext.once
    return [Patch(context.TaskContext, "once", lambda self, key="": real(self, f"{key}/{id(self)}/{random.random()}"))]


@bug
def ids_from_chance() -> list[Patch]:
    """The decider makes up the ids of tasks, so that whoever takes over makes up others."""
    real = dispatch.task_id
    return [Patch(dispatch, "task_id", lambda step, ordinal: f"{real(step, ordinal)}{random.choice('abc')}")]


# reading


@bug
def takeover_without_tail() -> list[Patch]:
    """A snapshot without its tail: what came last before the last entry is not folded."""
    real = log.Log.read

    async def read(self: Any, run: str, **more: Any) -> AsyncGenerator[Entry, None]:
        async with aclosing(real(self, run, **more)) as entries:
            everything = [each async for each in entries]
        for each in [*everything[:-3], *everything[-1:]] if len(everything) > 6 else everything:
            yield each

    return [Patch(log.Log, "read", read)]


@bug
def reader_resumes_too_late() -> list[Patch]:
    """After a break a reader goes on behind the message that came next."""
    real = reader.OrderedConsumer._config

    def config(self: Any, name: str) -> Any:
        made = real(self, name)
        if self._name and self.after:
            made["opt_start_seq"] = self.after + 2
        return made

    return [Patch(reader.OrderedConsumer, "_config", config)]


# folding and deciding


@bug
def old_answers_count() -> list[Patch]:
    """An answer to an older attempt counts for the one that is open."""
    real = folding.completed

    def completed(state: Any, entry: Entry, event: Any) -> None:
        task = state.tasks.get(event.task)
        if task and task.status == "open" and event.attempt < task.attempt:
            subject = entry.subject._replace(author=task.agent, rest=(event.task, str(task.attempt)))
            event = event.model_copy(update={"attempt": task.attempt})
            entry = entry._replace(subject=subject)
        real(state, entry, event)

    return [Patch(folding, "completed", completed)]


@bug
def late_answer_replaces() -> list[Patch]:
    """A late answer to an older attempt replaces what a newer one has said."""
    real = folding.completed

    def completed(state: Any, entry: Entry, event: Any) -> None:
        task = state.tasks.get(event.task)
        if task and task.status == "done" and task.step and isinstance(event, Result):
            state.steps[task.step].outputs[task.ordinal] = event.output
        real(state, entry, event)

    return [Patch(folding, "completed", completed)]


@bug
def retries_at_once() -> list[Patch]:
    """What has failed is tried again without a wait."""
    return [Patch(retry.RetryPolicy, "interval", lambda self, attempt, spread: 0.0)]


@bug
def waits_from_the_first_failure() -> list[Patch]:
    """The wait does not grow with the attempts."""
    real = retry.RetryPolicy.interval
    return [Patch(retry.RetryPolicy, "interval", lambda self, attempt, spread: real(self, 1, spread))]


@bug
def never_retries() -> list[Patch]:
    """The next attempt of a task of the plan is never found to be due."""
    return [Patch(state.RunState, "due", lambda self, now: iter(()))]


@bug
def concluded_too_early() -> list[Patch]:
    """A run is concluded when nothing is to be decided for the moment, though tasks are open."""
    real = decider.decide

    def decide(state: Any, policy: Any, view: Any) -> list[Any]:
        decisions: list[Any] = real(state, policy, view)
        if decisions or not any(step.outputs for step in state.steps.values()):
            return decisions
        because = "nothing is to be done at the moment"
        return [Concluded(status="decided", because=because, state_hash=state.hash(), at=state.seq)]

    return [Patch(coordinator, "decide", decide)]


@bug
def judges_behind_the_end() -> list[Patch]:
    """What an inbox is past is taken for lost although the log has not been read that far."""

    async def last_seq(self: Any, run: str) -> int:
        return 0

    return [Patch(log.Log, "last_seq", last_seq)]


@bug
def folds_behind_the_end() -> list[Patch]:
    """What comes behind the conclusion still changes the state."""
    real = folding.evolve

    def evolve(state: Any, entry: Entry) -> None:
        concluded, state.concluded = state.concluded, None
        real(state, entry)
        state.concluded = state.concluded or concluded

    return [Patch(folding, "evolve", evolve), Patch(coordinator, "evolve", evolve)]


@bug
def asked_again_when_taken_over() -> list[Patch]:
    """Whoever takes over assigns what is open anew, without waiting for the answers that are on their way."""
    real = decider.decide

    def decide(state: Any, policy: Any, view: Any) -> list[Any]:
        decisions: list[Any] = real(state, policy, view)
        taken_over = "seen" not in vars(state) and state.plan is not None and not state.concluded
        vars(state)["seen"] = True
        return [*_open_tasks(state), *decisions] if taken_over else decisions

    return [Patch(coordinator, "decide", decide)]


def _open_tasks(state: Any) -> Iterator[Assigned]:
    for name, task in state.tasks.items():
        if task.status == "open" and task.step:
            step = state.steps[task.step].step
            yield Assigned(
                task=name,
                step=step.id,
                agent=task.agent,
                attempt=task.attempt,
                skill=step.skill,
                input=next(state.inputs(step, task.ordinal)),
                deadline=task.deadline,
                ordinal=task.ordinal,
            )
