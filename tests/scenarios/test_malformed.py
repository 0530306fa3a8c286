"""Malformed messages into everything that reads from the bus: nobody crashes, nothing is accepted, work goes on."""

from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from random import Random

import anyio

from hustings.agents import Client
from hustings.agents.testing import running
from hustings.bus import Bus
from hustings.protocols import parse

from . import court
from .malformed import RUN, consumers
from .mutants import mutants
from .processes import Held

EACH = 1000  # malformed messages into each consumer
PAUSE = 100  # messages at a time


async def flood(bus: Bus, run: str, chance: Random) -> None:
    """So many malformed messages into every consumer, as fast as the broker takes them."""
    work_queue = bus.connection.new_inbox()
    for good, subject in consumers(bus.team, run, "scribe").values():
        for number, bad in zip(range(EACH), mutants(good, chance), strict=False):
            where = subject(number)
            bad = bad.replace(RUN.encode(), parse(where).run.encode())
            await bus.connection.publish(where, bad, reply=chance.choice(("", work_queue, "a..b", "*")))
            if number % PAUSE == 0:
                await bus.connection.flush(10)
    await bus.connection.flush(10)


async def test_malformed_messages_harm_nobody(broker: str, team: str, tmp_path: Path) -> None:
    """A thousand into each consumer while one run waits and others come and go: no process ends, none of them is taken
    for a goal, a task, an answer, an end or a sign of life, and the run ends as if nothing had been."""
    (tmp_path / "text").write_text("alpha\nbeta\nfatal\n")
    async with running(replace(court.team, name=team), broker) as client, anyio.create_task_group() as group:
        held = Held(client.bus)
        await group.start(held.listen)
        with anyio.fail_after(300):
            text = await client.upload(tmp_path / "text", court.Text)
            undisturbed = await (await client.ask(court.Case(text=text))).wait()
            run = await client.ask(court.Case(text=text, hold=("eager",), gate=str(tmp_path)))
            await held.at(run.id, "eager")
            await flood(client.bus, run.id, Random(1))
            other = await (await client.ask(court.Case(text=text))).wait()
            (tmp_path / "eager").touch()
            report = await run.wait()
            state = await run.state()
        assert report.status == other.status == "decided"
        assert report.outcome == other.outcome == undisturbed.outcome
        assert {task.attempt for task in state.tasks.values()} == {1}
        assert [said for said in held.said if said.agent == "ghost"] == []
        assert await said_in(client, "g", "t") == {"mallory", "coordinator"}
        group.cancel_scope.cancel()


async def said_in(client: Client[court.Case, court.Ruling], *runs: str) -> set[str]:
    """Who wrote in the runs whose names begin so; nothing of it can be read."""
    authors, final = set(), (await client.ask(court.Case(text=court.Text(digest="", size=0)))).id
    async with aclosing(client.bus.log.tail(all=True)) as entries:
        async for entry in entries:
            if entry.subject.run.startswith(runs):
                assert entry.event is None, entry
                authors.add(entry.subject.author)
            if entry.subject.run == final:
                break
    return authors
