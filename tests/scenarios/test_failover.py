"""Several coordinators: another one goes on where one dies, sleeps or leaves; and what no cursor holds is found."""

import os
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import anyio
import pytest

from hustings.agents import Client, Specialist, Team
from hustings.agents.testing import running
from hustings.bus import Bus
from hustings.protocols import (
    COORDINATOR,
    Assigned,
    AttemptAbandoned,
    Concluded,
    Entry,
    Goal,
    Message,
    Outcome,
    Result,
    RunAcquired,
)

from .processes import Place, following
from .test_killed import case, open_gates, settled

pytestmark = pytest.mark.processes

Within = Callable[[float], AbstractContextManager[None]]


async def driver(client: Client, run: str, others: frozenset[str] = frozenset()) -> tuple[str, int]:
    """The coordinator that drives the run and is none of the others, and its process."""
    async with client.bus.live.heartbeats() as heartbeats:
        async for entry in client.bus.log.follow(run):
            if isinstance(entry.event, RunAcquired) and entry.event.instance not in others:
                async for beat in heartbeats:
                    if beat.instance == entry.event.instance:
                        return beat.instance, beat.pid
    raise AssertionError("the connection was closed")


async def entries(client: Client, run: str) -> list[Entry]:
    return [entry async for entry in client.bus.log.read(run)]


def nothing_twice(log: list[Entry]) -> None:
    """No finished task was asked again, no task was assigned twice, and there is one end."""
    assert set(Counter(entry.event.task for entry in log if isinstance(entry.event, Assigned)).values()) == {1}
    assert set(Counter(entry.event.task for entry in log if isinstance(entry.event, Result)).values()) == {1}
    assert sum(isinstance(entry.event, Concluded) for entry in log) == 1


@pytest.mark.timing
async def test_another_coordinator_goes_on_where_one_was_killed_or_slept(tmp_path: Path, within: Within) -> None:
    """kill -9; SIGSTOP, and late awakening; two that recover at one instant; SIGTERM. The run comes to the same, and
    the one that slept is refused by the fence, stops driving without a word on the log, and lives on."""
    place = Place(tmp_path)
    async with (
        place.up("court:team", "-m", "coordinator=3") as up,
        following(place) as (client, held),
    ):
        with anyio.fail_after(300):
            undisturbed = await client.run(await case(client, place)).wait()

            # killed: of the other two, that see it at the same moment, one goes on
            run = await case(client, place, "careful")
            await held.at(run, "careful")
            first, pid = await driver(client, run)
            os.kill(pid, signal.SIGKILL)
            second, pid = await driver(client, run, frozenset({first}))

            # asleep: somebody else goes on, and the sleeper finds out when it wakes
            os.kill(pid, signal.SIGSTOP)
            third, _ = await driver(client, run, frozenset({first, second}))
            os.kill(pid, signal.SIGCONT)
            open_gates(place, "careful")
            report = await client.run(run).wait()
            assert settled(report) == settled(undisturbed)
            log = await entries(client, run)
            nothing_twice(log)
            drivers = [entry.event.instance for entry in log if isinstance(entry.event, RunAcquired)]
            after = [entry for entry in log if entry.seq > [e.seq for e in log if isinstance(e.event, RunAcquired)][-1]]
            assert drivers[:2] == [first, second]
            assert {e.envelope.source for e in after if e.envelope and e.subject.author == COORDINATOR} == {third}
            os.kill(pid, 0)  # it is still there

            # told to stop: handed over at once
            (place.folder / "prover").unlink(missing_ok=True)
            run = await case(client, place, "prover")
            await held.at(run, "prover")
            first, pid = await driver(client, run)
            with within(5):
                os.kill(pid, signal.SIGTERM)
                await driver(client, run, frozenset({first}))
            open_gates(place, "prover")
            report = await client.run(run).wait()
            assert settled(report) == settled(undisturbed)
            nothing_twice(await entries(client, run))
            assert not [row for row in up.rows if "Traceback" in row or "error" in row.split(" | ")[-1][:6]]
    await place.all_gone()


class Ask(Goal):
    number: int


class Sum(Message):
    number: int


class Summed(Outcome):
    sum: Sum


def summing(name: str, gate: anyio.Event) -> Team:
    clerk = Specialist("clerk")

    @clerk.skill
    async def add(ask: Ask) -> Sum:
        await gate.wait()
        return Sum(number=ask.number + 1)

    return Team(name, goal=Ask, outcome=Summed, specialists=[clerk])


async def acknowledge(bus: Bus, work_queue: str, seq: int) -> None:
    """As a hand that slipped on the NATS command line would, for whatever this inbox holds."""
    stream = f"LOG_{bus.team}"
    await bus.connection.publish(f"$JS.ACK.{stream}.{work_queue}.1.{seq}.1.0.0", b"+ACK")
    await bus.connection.flush()


async def test_a_goal_that_no_cursor_holds_is_found_on_the_log(bus: Bus) -> None:
    """Acknowledged before anybody had begun with it, it would lie there for ever."""
    gate = anyio.Event()
    gate.set()
    async with bus.goals() as goals:
        client = Client(bus)
        run = await client.ask(Ask(number=1))
        await (await anext(goals)).ack()
    async with running(summing(bus.team, gate), bus.url) as there:
        with anyio.fail_after(300):
            assert (await there.run(run.id).wait()).outcome == {"sum": {"number": 2}}


async def test_a_task_that_no_inbox_holds_is_given_again(bus: Bus) -> None:
    """Acknowledged without an answer, nobody would work on it: the attempt is abandoned, and there is another one."""
    gate = anyio.Event()
    async with running(summing(bus.team, gate), bus.url) as client:
        with anyio.fail_after(300):
            run = await client.ask(Ask(number=1))
            async for entry in bus.log.follow(run.id):
                if isinstance(entry.event, Assigned) and entry.event.attempt == 1:
                    await acknowledge(bus, "clerk", entry.seq)
                if isinstance(entry.event, AttemptAbandoned):
                    assert "does not hold it" in entry.event.because
                    gate.set()
                if isinstance(entry.event, Concluded):
                    assert entry.event.status == "decided"
                    break
