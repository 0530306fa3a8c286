"""Coordinator: the thin shell around the decider. It follows the log of each run and appends the decisions."""

import math
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from typing import Literal

import anyio
from anyio.abc import TaskGroup, TaskStatus
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from hustings.bus import Bus, Delivery, background, failpoint
from hustings.protocols import (
    COORDINATOR,
    AgentCard,
    AttemptAbandoned,
    BusFull,
    Concluded,
    Decision,
    Entry,
    GoalAsked,
    Planned,
    Result,
    RunAcquired,
    Settled,
    StaleWriter,
    Unanswered,
    Unsendable,
    UsageError,
    timing,
)

from ..decider.decision import decide, wake
from ..decider.folding import evolve
from ..decider.policy import Policy, View
from ..decider.state import RunState
from ..observe.logger import structlog
from ..observe.sanitize import inert
from ..observe.telemetry import (
    Spanned,
    planning,
    settling,
    workflow,
)
from ..skills.tracebacks import described
from .heartbeat import present
from .housekeeping import Housekeeper
from .invalid_messages import InvalidMessages
from .registry import AgentRegistry
from .takeover import TakeoverMonitor

CARD = AgentCard(name=COORDINATOR, version="1.0.0", description="plans the work and settles the conflicts", skills=())
RUNS = 250  # driven by one process at a time; further goals wait in the work queue
AHEAD = 256  # entries read ahead of the fold
TOLD = ("task", "child", "to", "attempt", "kind", "barrier", "status", "because")  # in the log of the process
FIELDS = {"to": "agent"}  # `agent` is there who writes the line
CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")

End = Literal["ended", "acquired by another", "fenced off"]


async def coordinate(
    bus: Bus, policy: Policy, *, instance: str, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED
) -> None:
    """Drive each new run, and each run whose driver has died, until cancelled.

    Several coordinators may do this at once: the work queue of goals and the TakeoverMonitor decide who drives a run,
    the log's fence who may write to it.
    """
    registry = AgentRegistry(bus, instance)
    async with (
        bus.goals(max_concurrent_tasks=RUNS) as goals,
        present(bus, CARD, instance=instance),
        anyio.create_task_group() as group,
    ):
        await group.start(registry.keep)
        helm = RunManager(bus, policy, registry, instance, group)
        group.start_soon(helm.follow)
        group.start_soon(helm.watch)
        group.start_soon(Housekeeper(bus, policy, instance, registry.present).keep)
        structlog.get_logger().info("ready", instance=instance)
        task_status.started()
        async for delivery in goals:
            group.start_soon(helm.begin, delivery)


class RunManager:
    """The runs that this process drives, and the goals it holds of runs that another process drives."""

    def __init__(self, bus: Bus, policy: Policy, registry: AgentRegistry, instance: str, group: TaskGroup) -> None:
        self._bus = bus
        self._policy = policy
        self._registry = registry
        self._instance = instance
        self._group = group
        self._takeovers = TakeoverMonitor(bus, registry)
        self._invalid = InvalidMessages()
        self._driving: set[str] = set()
        self._held: dict[str, Delivery] = {}

    async def begin(self, delivery: Delivery) -> None:
        """Drive the run of a goal, unless another process does. The goal is acked when the run has ended.

        A message that is not a goal is dropped, and so is a second goal of a run: the first one counts.
        """
        before = self._held.get(delivery.run)
        again = before is not None and before.entry.seq != delivery.entry.seq
        if again or not isinstance(delivery.entry.event, GoalAsked):
            self._invalid.note(delivery.entry)
            return await delivery.term()
        self._held[delivery.run] = delivery
        await self._pursue(delivery.run)
        return None

    async def follow(self) -> None:
        """Follow the lifecycle events of all runs; ack the goals of those that have ended."""
        async for entry in self._bus.log.lifecycle_events():
            if self._takeovers.note(entry):
                await self._release(entry.subject.run)

    async def watch(self) -> None:
        """Take over the runs that no process drives any more."""
        while True:
            await anyio.sleep(timing.SILENCE_CHECK)
            for run in await self._takeovers.orphans(self._instance):
                if run not in self._driving:
                    self._group.start_soon(self._pursue, run)

    async def _pursue(self, run: str) -> None:
        if run in self._driving:
            return
        self._driving.add(run)
        try:
            end = await RunLoop(self._bus, self._policy, self._registry, self._takeovers, self._instance, run).drive()
        except Unanswered as error:
            structlog.get_logger().warning(
                "the run cannot be acquired now, trying again later", run=run, why=str(error)
            )
            end = "fenced off"
        finally:
            self._driving.discard(run)
        if end == "ended":
            await self._release(run)
        elif end == "fenced off" and (delivery := self._held.pop(run, None)):
            delivery.forget()

    async def _release(self, run: str) -> None:
        if delivery := self._held.pop(run, None):
            await delivery.ack()


class RunLoop:
    """Drives one run: folds the log, decides, appends, and repeats until the run is concluded."""

    def __init__(
        self, bus: Bus, policy: Policy, registry: AgentRegistry, takeovers: TakeoverMonitor, instance: str, run: str
    ) -> None:
        self._bus = bus
        self._policy = policy
        self._registry = registry
        self._takeovers = takeovers
        self._instance = instance
        self._sent, self._work_queue = _channel()
        self._cause: str | None = None
        self._trace = ""  # the client's trace, or else that of the first driver
        self._state = RunState(run)
        self._moved: list[tuple[object, ...]] = []  # the decisions appended last, to notice a repetition
        self._log = structlog.get_logger().bind(run=run)

    async def drive(self) -> End:
        """Drive the run to its end, unless another process does; if another one acquires it, return quietly."""
        state = self._state
        with self._sent, self._work_queue:
            try:
                failpoint("fold.before", run=state.run)
                async for entry in self._bus.log.read(state.run):
                    self._fold(entry)
                failpoint("fold.after", run=state.run, seq=state.seq)
                if state.goal is None:
                    self._log.warning("the run has no goal", why="it cannot be read, or the run was deleted")
                elif not state.concluded:
                    if state.driver != self._instance and self._takeovers.lives(state.driver):
                        return "acquired by another"
                    await self._pursue()
            except StaleWriter as fenced:
                self._log.warning("fenced off", why=str(fenced))
                return "fenced off"
            return "ended"

    async def _pursue(self) -> None:
        state = self._state
        self._registry.changed.add(self._nudge)
        try:
            async with background(partial(self._follow, state.run, state.seq)):
                with workflow(self._bus.team, state.run, self._trace) as span:
                    await self._drive_on(span)
        finally:
            self._registry.changed.discard(self._nudge)

    async def _drive_on(self, span: Spanned) -> None:
        state = self._state
        await self._append([RunAcquired(instance=self._instance, retry=self._policy.retry)])
        while not state.concluded:
            await self._turn()
        if state.concluded.status == "failed":
            span.failed("failed")

    async def _turn(self) -> None:
        view = View(time.time(), self._registry.directory())
        decisions = self._decide(view)
        if any(
            isinstance(each, AttemptAbandoned) for each in decisions
        ):  # the answer may be on the log already, after what was folded
            await self._catch_up()
            decisions = self._decide(view)  # with the same view: a new one may again be newer than what was folded
        if self._state.driver not in (
            "",
            self._instance,
        ):  # we have read the other driver's events, so the fence would let us write
            raise StaleWriter("another coordinator has acquired the run", self._state.driver)
        if decisions:
            with self._span_of(decisions, view.now):
                await self._write(self._forward(decisions))
        else:
            at = wake(self._state, self._policy, view)
            await self._hear(math.inf if at is None else at - view.now)

    def _decide(self, view: View) -> list[Decision]:
        state = self._state
        try:
            return decide(state, self._policy, view)
        except Exception as error:  # noqa: BLE001 - planners and arbiters are the team's code: an error ends only this run
            self._log.error("the team's policy raised", exc_info=True)
            said = str(error) if isinstance(error, UsageError) else f"the team's policy raised {described(error)}"
            return [self._failed(said)]

    def _failed(self, because: str) -> Concluded:
        state, text = self._state, inert(because[:4000])[:2000]
        return Concluded(status="failed", because=text, state_hash=state.hash(), at=state.seq)

    def _forward(self, decisions: list[Decision]) -> list[Decision]:
        """The decisions; or the end of the run, if they repeat those appended last: having no effect, they would be
        appended forever. Raises StaleWriter if the end had no effect either."""
        if _moves(decisions) != self._moved:
            return decisions
        kinds = ", ".join(sorted({type(decision).__name__ for decision in decisions}))
        self._log.error("decided the same again", decisions=kinds)
        if isinstance(decisions[0], Concluded):
            raise StaleWriter("the run cannot be concluded", "its end is on the log but has no effect")
        return [self._failed(f"the coordinator decided the same again after it was on the log: {kinds}")]

    async def _write(self, decisions: list[Decision]) -> None:
        try:
            await self._append(decisions)
        except Unsendable as error:  # made by a planner or an arbiter
            self._log.error("cannot be written", why=str(error))
            await self._append([self._failed(str(error))])

    def _span_of(self, decisions: list[Decision], since: float) -> AbstractContextManager[object]:
        lost = self._state.plan is None and any(isinstance(e, Concluded) and e.status == "failed" for e in decisions)
        if lost or any(isinstance(each, Planned) for each in decisions):
            return planning(self._bus.team, self._state.run, since, lost=lost)
        if any(isinstance(each, Settled) for each in decisions):
            return settling(self._state.run, since)
        return nullcontext()

    async def _append(self, decisions: list[Decision]) -> None:
        """Append, then fold up to what was appended. Raises StaleWriter if another coordinator drives the run."""
        state = self._state
        self._tell(decisions)
        try:
            last = await self._stored(decisions)
        except StaleWriter:
            before = state.seq
            await self._catch_up()
            if state.seq == before or state.driver not in ("", self._instance):
                raise
            return
        while state.seq < last:
            await self._hear(math.inf)
        self._moved = _moves(decisions)

    async def _stored(self, decisions: list[Decision]) -> int:
        """Append and return the last sequence. Events that an earlier try has stored make the fence reject the rest."""
        state, log = self._state, self._bus.log
        return await self._insist(
            lambda: log.append(state.run, decisions, after=state.fence, source=self._instance, cause=self._cause)
        )

    async def _insist(self, act: Callable[[], Awaitable[int]]) -> int:
        """Do it; while the broker is away or full, try again."""
        while True:
            try:
                return await act()
            except (Unanswered, BusFull) as error:
                self._log.warning("the log is unavailable, trying again", why=str(error))
                await anyio.sleep(timing.STORE_RETRY)

    async def _catch_up(self) -> None:
        """Fold to the current end of the log; do not wait for entries that are deleted meanwhile."""
        state, log = self._state, self._bus.log
        last = await self._insist(lambda: log.last_seq(state.run))
        while state.seq < last:
            await self._hear(1)
            last = min(last, await self._insist(lambda: log.last_seq(state.run)))

    async def _hear(self, seconds: float) -> None:
        """Wait for the next entry or a change among the agents, then fold all entries that are there."""
        with anyio.move_on_after(seconds):
            self._fold(await self._work_queue.receive())
            with suppress(anyio.WouldBlock):
                while True:
                    self._fold(self._work_queue.receive_nowait())

    def _fold(self, entry: Entry | None) -> None:
        if entry is None:
            return
        state = self._state
        evolve(state, entry)
        self._cause = entry.envelope.id if entry.envelope else self._cause
        if entry.envelope and not self._trace:
            self._trace = entry.envelope.traceparent or ""
        if isinstance(entry.event, Result) and entry.event.task in state.tasks:
            step = state.tasks[entry.event.task].step
            if step in state.steps:
                self._registry.took(state.steps[step].step.skill, entry.event.seconds)

    async def _follow(self, run: str, after: int) -> None:
        async for entry in self._bus.log.follow(run, after):
            await self._sent.send(entry)

    def _nudge(self) -> None:
        with suppress(anyio.WouldBlock):  # enough is buffered; the rest is folded before the next decision
            self._sent.send_nowait(None)

    def _tell(self, decisions: list[Decision]) -> None:
        for decision in decisions:
            about = {key: value for key in TOLD if (value := getattr(decision, FIELDS.get(key, key), None))}
            self._log.info(CAPITAL.sub(" ", type(decision).__name__).lower(), **about)


def _moves(decisions: list[Decision]) -> list[tuple[object, ...]]:
    """What each decision is about, without times, so that a repetition is noticed."""
    return [
        (type(decision), *(getattr(decision, name, None) for name in ("task", "attempt", "barrier", "child")))
        for decision in decisions
    ]


def _channel() -> tuple[MemoryObjectSendStream[Entry | None], MemoryObjectReceiveStream[Entry | None]]:
    return anyio.create_memory_object_stream[Entry | None](AHEAD)
