"""Storm: a team of real processes under work, kills and suspensions, then calm; gives the whole history."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import anyio

from hustings.bus import embedded
from hustings.protocols import COORDINATOR, AlreadyThere, BusError, Goal

from ..client.client import Client, connect
from ..deploy.launch import children
from ..deploy.supervisor import Child, Supervisor
from ..team import Team
from .faults import Fault, Victim
from .history import (
    History,
    Injected,
    effects,
    new_effects,
    operations,
)

AT_ONCE = 10  # runs in progress at the same time
CALM = 60.0  # seconds without the end of any run, after the last fault; then the remaining runs are stuck
REPLICAS = 2
MOMENT = 0.05  # seconds between two looks for a victim
SIGNALS = {"kill": signal.SIGKILL, "term": signal.SIGTERM, "pause": signal.SIGSTOP}


@dataclass(frozen=True)
class Plan:
    """The work and the faults. `goal` makes a goal of so many tasks, at most `batch`."""

    target: str
    team: Team
    goal: Callable[[int], Goal]
    tasks: int
    batch: int
    faults: list[Fault]
    duration: float


async def storm(plan: Plan, home: Path, say: Callable[[str], None], log_levels: str = "") -> History:
    """Run the storm below a folder; `say` gets progress lines, processes.log what the processes log from these levels
    on. Every process it started has ended afterwards."""
    history = History()
    (home / "ops").mkdir(parents=True)
    new_effects(home / "effects.db")
    env = {
        "HUSTINGS_HISTORY": str(home / "ops"),
        "HUSTINGS_EFFECTS": str(home / "effects.db"),
        "HUSTINGS_LOG": log_levels,
    }
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(embedded(home / "hustings"))
        client = await stack.enter_async_context(connect(plan.team, url, name="chaos"))
        log = stack.enter_context((home / "processes.log").open("w"))
        supervisor = Supervisor(
            [*_children(plan, url, env)],
            on_change=lambda _: None,
            on_line=lambda name, line: print(name, line, file=log),
            restarts=1_000_000,
            backoff=(0.1, 0.5),
        )
        async with anyio.create_task_group() as group:
            await group.start(supervisor.run)
            await _everybody(client, plan.team)
            say(
                f"{len(supervisor.statuses)} processes and a broker; {len(plan.faults)} faults in {plan.duration:.0f} s"
            )
            await _rage(plan, client, Nemesis(supervisor, home / "hustings", history), history, say)
            group.cancel_scope.cancel()
        for run in history.asked:
            history.entries[run] = [entry async for entry in client.bus.log.read(run)]
    history.ops, history.effects = operations(home / "ops"), effects(home / "effects.db")
    return history


def _children(plan: Plan, url: str, env: Mapping[str, str]) -> Iterator[list[Child]]:
    twice = dict.fromkeys((COORDINATOR, *plan.team.members), REPLICAS)
    for group in children(plan.target, plan.team, url, parts=(*twice,), replicas=twice):
        each = (group,) if isinstance(group, Child) else group
        yield [replace(child, env={**child.env, **env}) for child in each]


async def _everybody(client: Client, team: Team) -> None:
    """Wait until each part of the team is running."""
    missing = {COORDINATOR, *team.members}
    async with client.bus.live.heartbeats() as heartbeats:
        async for beat in heartbeats:
            missing.discard(beat.agent)
            if not missing:
                return


async def _rage(plan: Plan, client: Client, nemesis: "Nemesis", history: History, say: Callable[[str], None]) -> None:
    began = time.monotonic()
    sizes = [min(plan.batch, plan.tasks - first) for first in range(0, plan.tasks, plan.batch)]
    free = anyio.Semaphore(AT_ONCE)

    async def pursue(run: str, tasks: int) -> None:
        async with free:
            history.tasks[run] = tasks
            await _ask(client, run, plan.goal(tasks), history)
            await client.run(run).wait()
            history.stuck.remove(run)
        if nemesis.over.is_set():
            runs.cancel_scope.deadline = anyio.current_time() + CALM

    async with anyio.create_task_group() as faults, anyio.create_task_group() as runs:
        faults.start_soon(nemesis.strike, plan.faults)
        for number, tasks in enumerate(sizes):
            early = max(number - AT_ONCE // 2, 0)  # start some at once, so that faults always hit work
            await anyio.sleep(max(began + plan.duration * early / len(sizes) - time.monotonic(), 0))
            history.stuck.append(f"r{number}")
            runs.start_soon(pursue, f"r{number}", tasks)
        await nemesis.over.wait()
        say(
            f"{len(history.faults)} faults done after {time.monotonic() - began:.0f} s, {len(history.stuck)} runs to go"
        )
        runs.cancel_scope.deadline = anyio.current_time() + CALM
    say(f"calm after {time.monotonic() - began:.0f} s")


async def _ask(client: Client, run: str, goal: Goal, history: History) -> None:
    """Send the goal until it is confirmed; with one id it exists once."""
    history.asked[run] = "unknown"
    while history.asked[run] == "unknown":
        try:
            await client.ask(goal, run=run)
        except AlreadyThere:
            pass
        except BusError:
            continue
        history.asked[run] = "accepted"


class Nemesis:
    """Injects the scheduled faults, and wakes the processes that it suspended."""

    def __init__(self, supervisor: Supervisor, broker: Path, history: History) -> None:
        self.over = anyio.Event()
        self._supervisor = supervisor
        self._broker = broker
        self._history = history
        self._asleep: set[int] = set()
        self._killed: dict[str, int] = {}  # the last of each name: a dead broker's pid may still be in its file

    async def strike(self, faults: list[Fault]) -> None:
        """Inject each fault at its time, or as soon as there is a victim; afterwards no process is suspended."""
        began = time.monotonic()
        async with anyio.create_task_group() as group:
            for fault in faults:
                group.start_soon(self._strike, fault, began)
        self.over.set()

    async def _strike(self, fault: Fault, began: float) -> None:
        await anyio.sleep(max(began + fault.at - time.monotonic(), 0))
        while (pid := self._hit(fault)) is None:  # noqa: ASYNC110 - there is no event for a broker's return
            await anyio.sleep(MOMENT)
        if fault.kind == "pause":
            await self._sleep(pid, fault.seconds)

    def _hit(self, fault: Fault) -> int | None:
        """Send the signal to a victim, and note it; gives its pid, None if there is no victim."""
        if not (victim := self._victim(fault)):
            return None
        name, pid = victim
        now = time.monotonic_ns()
        try:
            os.kill(pid, SIGNALS[fault.kind])
        except ProcessLookupError:
            return None
        if fault.kind == "kill":
            self._killed[name] = pid
        self._history.faults.append(Injected(now, fault.kind, fault.victim, name, pid, fault.seconds))
        return pid

    async def _sleep(self, pid: int, seconds: float) -> None:
        self._asleep.add(pid)
        try:
            await anyio.sleep(seconds)
        finally:
            self._asleep.discard(pid)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def _victim(self, fault: Fault) -> tuple[str, int] | None:
        there = [each for each in sorted(self._there(fault.victim)) if self._can_be_hit(*each)]
        return there[int(fault.which * len(there))] if there else None

    def _can_be_hit(self, name: str, pid: int) -> bool:
        return pid not in self._asleep and self._killed.get(name) != pid

    def _there(self, victim: Victim) -> Iterator[tuple[str, int]]:
        if victim == "broker":
            with suppress(OSError, ValueError):  # the file is being written
                yield "broker", json.loads((self._broker / "broker.json").read_text())["pid"]
            return
        for status in self._supervisor.statuses:
            coordinator = status.name.partition(".")[0] == COORDINATOR
            if status.pid and coordinator == (victim == COORDINATOR):
                yield status.name, status.pid
