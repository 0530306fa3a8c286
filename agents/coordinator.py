"""Coordinator: the thin shell around the decider. It follows the log of each run, and appends what is decided."""

import math
import time

import anyio
from anyio.abc import TaskStatus
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from moot.bus import Bus, Delivery, reach
from moot.protocols import COORDINATOR, AgentCard, Assigned, Concluded, Decision, Driving, Entry, Result, StaleWriter

from .decider import Policy, View, decide, wake
from .folding import evolve
from .logger import structlog
from .presence import present
from .roster import Roster
from .state import RunState

CARD = AgentCard(name=COORDINATOR, version="1.0.0", description="plans the work and settles the conflicts", skills=())


async def coordinate(
    bus: Bus, policy: Policy, *, instance: str, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED
) -> None:
    """Drive every run whose goal comes in, until cancelled.

    Several coordinators may do this at once: the inbox of goals says who drives, the log's fence who may write.
    """
    roster = Roster(bus, silence=policy.lease)
    async with (
        bus.goals() as goals,
        present(bus, CARD, instance=instance),
        anyio.create_task_group() as group,
    ):
        await group.start(roster.keep)
        structlog.get_logger().info("ready", instance=instance)
        task_status.started()
        async for delivery in goals:
            group.start_soon(Drive(bus, policy, roster, instance).run, delivery)


class Drive:
    """One pursuit of one goal by this process: fold what is on the log, decide, append, and so on to the conclusion."""

    def __init__(self, bus: Bus, policy: Policy, roster: Roster, instance: str) -> None:
        self._bus = bus
        self._policy = policy
        self._roster = roster
        self._instance = instance
        self._sent, self._inbox = _channel()
        self._cause: str | None = None
        self._log = structlog.get_logger()

    async def run(self, delivery: Delivery) -> None:
        """Drive the run to its end, then acknowledge the goal. Fenced off, it leaves without a word."""
        self._log = self._log.bind(run=delivery.run)
        with self._sent, self._inbox:
            await self._run(delivery)

    async def _run(self, delivery: Delivery) -> None:
        state = RunState(delivery.run)
        try:
            reach("fold.before", run=delivery.run)
            async for entry in self._bus.log.read(delivery.run):
                self._take(state, entry)
            reach("fold.after", run=delivery.run, seq=state.seq)
            if state.goal is None:
                self._log.warning("no goal here", why=delivery.entry.why or "the run was deleted")
            elif not state.concluded:
                await self._pursue(state)
        except StaleWriter as fenced:
            self._log.warning("fenced off", why=str(fenced))
            delivery.let_go()
            return
        await delivery.done()

    async def _pursue(self, state: RunState) -> None:
        self._roster.changed.add(self._nudge)
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._follow, state.run, state.seq)
                await self._append(state, [Driving(instance=self._instance, attempts=self._policy.attempts)])
                while not state.concluded:
                    await self._turn(state)
                group.cancel_scope.cancel()
        except* StaleWriter as fenced:
            raise fenced.exceptions[0] from None
        finally:
            self._roster.changed.discard(self._nudge)

    async def _turn(self, state: RunState) -> None:
        view = View(time.time(), self._roster.directory())
        decisions = self._decide(state, view)
        if decisions:
            await self._append(state, decisions)
        else:
            at = wake(state, self._policy, view)
            await self._hear(state, math.inf if at is None else at - view.now)

    def _decide(self, state: RunState, view: View) -> list[Decision]:
        try:
            return decide(state, self._policy, view)
        except Exception as error:  # noqa: BLE001 - planners and arbiters are the team's code: a fault ends its run, no other
            self._log.error("the team's policy raised", exc_info=True)
            because = f"the team's policy raised {type(error).__name__}: {error}"
            return [Concluded(status="failed", outcome={}, because=because, state_hash=state.hash(), at=state.seq)]

    async def _append(self, state: RunState, decisions: list[Decision]) -> None:
        """Append and fold what was appended, with all that came between. Raises StaleWriter: another one drives."""
        self._tell(decisions)
        try:
            last = await self._bus.log.append(
                state.run, decisions, after=state.fence, source=self._instance, cause=self._cause
            )
        except StaleWriter:
            before = state.seq
            await self._catch_up(state)
            if state.seq == before or state.driver not in ("", self._instance):
                raise
            return
        while state.seq < last:
            await self._hear(state, math.inf)

    async def _catch_up(self, state: RunState) -> None:
        """Fold to the present end: somebody else wrote on the coordinator's subjects. A stranger's bytes do no harm."""
        last = state.seq
        async for entry in self._bus.log.read(state.run):
            last = entry.seq
        while state.seq < last:
            await self._hear(state, math.inf)

    async def _hear(self, state: RunState, seconds: float) -> None:
        """Wait for the next entry, or for a change among the agents, and take in all that is there."""
        with anyio.move_on_after(seconds):
            self._take(state, await self._inbox.receive())
            while self._inbox.statistics().current_buffer_used:
                self._take(state, self._inbox.receive_nowait())

    def _take(self, state: RunState, entry: Entry | None) -> None:
        if entry is None:
            return
        evolve(state, entry)
        self._cause = entry.envelope.id if entry.envelope else self._cause
        if isinstance(entry.event, Result) and entry.event.task in state.tasks:
            step = state.tasks[entry.event.task].step
            if step in state.steps:
                self._roster.took(state.steps[step].step.skill, entry.event.seconds)

    async def _follow(self, run: str, after: int) -> None:
        async for entry in self._bus.log.follow(run, after):
            self._sent.send_nowait(entry)

    def _nudge(self) -> None:
        self._sent.send_nowait(None)

    def _tell(self, decisions: list[Decision]) -> None:
        for decision in decisions:
            if isinstance(decision, Assigned):
                self._log.info("assigned", task=decision.task, to=decision.agent, attempt=decision.attempt)
            elif isinstance(decision, Concluded):
                self._log.info("concluded", status=decision.status, because=decision.because)
            else:
                self._log.info(type(decision).__name__.lower())


def _channel() -> tuple[MemoryObjectSendStream[Entry | None], MemoryObjectReceiveStream[Entry | None]]:
    return anyio.create_memory_object_stream[Entry | None](math.inf)
