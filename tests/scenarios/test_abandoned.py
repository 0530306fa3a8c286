"""Abandoned: an attempt is given up only after reading to the end of the log; no answer there is overlooked."""

import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Literal

import anyio
import pytest

from hustings.agents import Client, Specialist, Team, coordinate
from hustings.agents.testing import serving
from hustings.bus import Bus, Log
from hustings.protocols import Assigned, AttemptAbandoned, Entry, Goal, Message, Outcome, Result, RetryPolicy

from .mill import Grain, Mill

RUNS, PIECES = 30, 100
HANDS = """
import logging, sys, anyio, structlog
from tests.scenarios.mill import Mill

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))

async def main(url, team):
    mill = Mill(url, team)
    async with mill.serving(mill.team.specialists[0], mill.grinder("1.0.0")):
        print("ready", flush=True)
        await anyio.wait_readable(sys.stdin)

anyio.run(main, *sys.argv[1:])
"""


@asynccontextmanager
async def max_concurrent_tasks(url: str, team: str) -> AsyncIterator[None]:
    """The specialists of a mill, in a process of their own: they answer faster than the coordinator reads."""
    async with await anyio.open_process([sys.executable, "-c", HANDS, url, team], stderr=None) as process:
        assert process.stdout
        assert process.stdin
        assert await process.stdout.receive()
        yield
        await process.stdin.aclose()


async def decided(client: Client, run: str) -> None:
    assert (await client.run(run).wait()).status == "decided"


async def abandoned(bus: Bus, run: str) -> list[AttemptAbandoned]:
    """The attempts that were given up although their answer lay on the log."""
    given_up: list[AttemptAbandoned] = []
    answered: set[tuple[str, int]] = set()
    async for entry in bus.log.read(run):
        if isinstance(entry.event, Result):
            answered.add((entry.event.task, entry.event.attempt))
        elif isinstance(entry.event, AttemptAbandoned) and (entry.event.task, entry.event.attempt) in answered:
            given_up.append(entry.event)
    return given_up


@pytest.mark.processes
async def test_no_answered_task_is_abandoned_in_a_crowd_of_runs(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of tasks at once: the coordinator hears how far the inboxes are long before it has read the answers."""
    monkeypatch.setattr("hustings.protocols.timing.QUEUE_CHECK", 0.05)
    mill, client = Mill(bus.url, bus.team), Client(bus)
    async with max_concurrent_tasks(bus.url, bus.team):
        runs = [(await client.ask(Grain(pieces=PIECES))).id for _ in range(RUNS)]
        async with mill.coordinating(), anyio.create_task_group() as group:
            for run in runs:
                group.start_soon(decided, client, run)
        assert [each for run in runs for each in await abandoned(bus, run)] == []


class Ask(Goal):
    number: int


class Sum(Message):
    number: int


class Summed(Outcome):
    sum: Sum


class Behind(Log):
    """A log whose answers are seen late: only when the inboxes have been looked into so many times since."""

    LOOKS = 80  # of two agents: some two seconds, in which whoever could take the answer for lost would have done so

    def __init__(self, log: Log, *, floors: bool) -> None:
        super().__init__(log._connection, log._subjects, log._values.blobs)
        self.floors, self.looked = floors, 0
        self.news, self.heard = anyio.Event(), anyio.Event()

    async def settled_up_to(self, agent: str) -> int:
        self.looked += 1
        self.news.set()
        self.news = anyio.Event()
        return await super().settled_up_to(agent) if self.floors else 0

    async def follow(self, run: str, after: int = 0) -> AsyncGenerator[Entry, None]:
        async for entry in super().follow(run, after):
            if isinstance(entry.event, Result):
                self.heard.set()
                enough = self.looked + self.LOOKS
                while self.looked < enough:
                    await self.news.wait()
            yield entry


@pytest.mark.parametrize("reason", ["settled", "silent", "late"])
async def test_an_answer_behind_the_fold_is_waited_for(
    bus: Bus, monkeypatch: pytest.MonkeyPatch, reason: Literal["settled", "silent", "late"]
) -> None:
    """Its inbox is past the task, its agent has left, or its time is over: but the answer is there, and counts."""
    monkeypatch.setattr("hustings.protocols.timing.QUEUE_CHECK", 0.05)
    clerk = Specialist("clerk")
    clerk.skill(add)
    timeout, heartbeat_timeout = (0.5 if reason == "late" else 300.0), 0.2
    team = Team(
        bus.team,
        goal=Ask,
        outcome=Summed,
        specialists=[clerk],
        retry=RetryPolicy(max_attempts=2),
        attempt_timeout=timeout,
        heartbeat_timeout=heartbeat_timeout,
        discovery_timeout=30.0,
    )
    log, client = Behind(bus.log, floors=reason == "settled"), Client(bus)
    with anyio.fail_after(300):
        async with anyio.create_task_group() as group:
            await group.start(partial(coordinate, replace(bus, log=log), team.policy(), instance="c1"))
            async with serving(clerk, bus.url, bus.team):
                run = await client.ask(Ask(number=1))
                await log.heard.wait()
                if reason != "silent":
                    await run.wait()
            report = await run.wait()
            group.cancel_scope.cancel()
    said = [entry.event async for entry in bus.log.read(run.id)]
    assert [each for each in said if isinstance(each, AttemptAbandoned)] == []
    assert [each.attempt for each in said if isinstance(each, Assigned)] == [1]
    assert (report.status, report.outcome) == ("decided", {"sum": {"number": 2}})


async def add(ask: Ask) -> Sum:
    return Sum(number=ask.number + 1)
