"""How long a run stands still when somebody who works on it dies.

    .venv/bin/python benchmarks/failover.py [--trials 50]

Two coordinators and two replicas of one agent, each a process. In each trial one that has a run in hand gets a
kill -9 (or a SIGTERM), and the clock runs until the other goes on: for a coordinator until its first event is on the
log, for an agent until its replica begins with the task. Prints p50, p99 and the longest, in seconds.
"""

import argparse
import os
import signal
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from hustings.agents import Client, Specialist, Supervisor, TaskContext, Team, connect
from hustings.agents.deploy.launch import children
from hustings.bus import embedded
from hustings.protocols import COORDINATOR, Goal, Message, Outcome, Progress, RetryPolicy, RunAcquired

sitter = Specialist("sitter", "works on one thing until it is told to stop", max_concurrent_tasks=1)


class Sit(Goal, contract="failover.Sit.v1"): ...


class Sat(Message, contract="failover.Sat.v1"): ...


class Rested(Outcome, contract="failover.Rested.v1"):
    sat: Sat


@sitter.skill
async def sit(sit: Sit, context: TaskContext) -> Sat:
    await context.progress(str(os.getpid()))
    await anyio.sleep_forever()
    return Sat()


team = Team(
    "failover",
    goal=Sit,
    outcome=Rested,
    specialists=[sitter],
    heartbeat_timeout=60,
    retry=RetryPolicy(max_attempts=1000),
)


@asynccontextmanager
async def started() -> AsyncIterator[Client[Sit, Rested]]:
    """The team as processes, and a client of it."""
    with tempfile.TemporaryDirectory(prefix="hustings-failover-") as home:
        async with embedded(Path(home)) as url, connect(team, url) as client:
            twice = {COORDINATOR: 2, "sitter": 2}
            processes = children("benchmarks.failover:team", team, url, parts=(COORDINATOR, "sitter"), replicas=twice)
            quiet = Supervisor(
                processes, on_change=lambda _: None, on_line=lambda *_: None, restarts=10_000, backoff=(0.25, 0.25)
            )
            async with anyio.create_task_group() as group:
                await group.start(quiet.run)
                yield client
                group.cancel_scope.cancel()


async def pids(client: Client[Sit, Rested], agent: str, count: int) -> dict[str, int]:
    """The processes of an agent by their instance, as soon as there are so many."""
    found: dict[str, int] = {}
    async with client.bus.live.heartbeats() as heartbeats:
        async for beat in heartbeats:
            if beat.agent == agent and not beat.leaving:
                found[beat.instance] = beat.pid
            if len(found) == count:
                return found
    raise AssertionError("the connection was closed")


async def coordinator_trial(client: Client[Sit, Rested], number: int) -> float:
    """Seconds from the end of the one that drives until the other has appended something."""
    run = await client.ask(Sit())
    gone, began = "", 0.0
    async for entry in client.bus.log.follow(run.id):
        if isinstance(entry.event, RunAcquired) and not gone:
            gone = entry.event.instance
            there = await pids(client, COORDINATOR, 2)
            await anyio.sleep(0.5 + (number % 10) / 10)  # at any moment between two heartbeats
            began = time.time()
            os.kill(there[gone], number_of_signal)
        elif isinstance(entry.event, RunAcquired) and entry.event.instance != gone:
            await run.cancel()
            return entry.time - began
    raise AssertionError("the connection was closed")


async def agent_trial(client: Client[Sit, Rested], number: int) -> float:
    """Seconds from the end of the process that has the task until another begins with it."""
    async with client.bus.live.watch() as live:
        run = await client.ask(Sit())
        first, began = 0, 0.0
        async for said in live:
            if not isinstance(said, Progress) or said.run != run.id:
                continue
            if not first:
                first = int(said.says)
                await pids(client, "sitter", 2)
                await anyio.sleep(0.5 + (number % 10) / 10)
                began = time.time()
                os.kill(first, number_of_signal)
            elif int(said.says) != first:
                took = time.time() - began
                await run.cancel()
                return took
    raise AssertionError("the connection was closed")


number_of_signal = signal.SIGKILL


def told(what: str, times: list[float]) -> None:
    ordered = sorted(times)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    print(
        f"{what:<34} {len(times)} trials   p50 {statistics.median(times):.2f}   p99 {p99:.2f}   max {ordered[-1]:.2f} s"
    )


async def main(trials: int) -> None:
    global number_of_signal
    async with started() as client:
        for what, trial, sent, count in (
            ("coordinator, kill -9", coordinator_trial, signal.SIGKILL, trials),
            ("coordinator, SIGTERM", coordinator_trial, signal.SIGTERM, max(trials // 3, 1)),
            ("agent, kill -9", agent_trial, signal.SIGKILL, max(trials // 2, 1)),
            ("agent, SIGTERM", agent_trial, signal.SIGTERM, max(trials // 3, 1)),
        ):
            number_of_signal = sent
            told(what, [await trial(client, number) for number in range(count)])


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=50)
    anyio.run(main, parser.parse_args().trials)
