"""Malformed messages into everything that reads from the bus: nobody crashes, nothing is accepted, work goes on."""

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from random import Random

import anyio

from moot.agents import Client
from moot.agents.testing import running
from moot.protocols import (
    Amount,
    Assigned,
    Cancelled,
    Concluded,
    Event,
    GoalAsked,
    Heartbeat,
    Progress,
    Result,
    Spent,
    parse,
    seal,
)

from . import court
from .mutants import mutants
from .processes import Held

EACH = 1000  # malformed messages into each consumer
PAUSE = 100  # messages at a time
At = Callable[[int], str]
RUN = "RUN"  # in a good message stands for the run of its subject


def sealed(event: Event, run: str) -> bytes:
    return seal(event, source="mallory", run=run).encode()


def consumers(team: str, run: str) -> dict[str, tuple[bytes, At]]:
    """Of every consumer the subject, by a number, and a message that would be good there."""
    runs = f"moot.{team}.run"
    goal = GoalAsked(type="court.Case.v1", goal={}, by="mallory")
    task = Assigned(task="t", step="s", agent="scribe", attempt=1, skill="draft", input={}, deadline=4e9)
    result = Result(task="t", attempt=1, agent="eager", output={}, version="1.0.0", seconds=0.1)
    end = Concluded(status="failed", outcome={}, because="", state_hash="", at=1)
    beat = Heartbeat(agent="ghost", instance="ghost", version="1", card="", pid=1, host="h")
    progress = Progress(run=run, task="t", agent="ghost", says="!")
    return {
        "goals": (sealed(goal, RUN), lambda n: f"{runs}.g{n}.mallory.goal"),
        "tasks": (sealed(task, RUN), lambda n: f"{runs}.t{n}.coordinator.task.scribe"),
        "results": (sealed(result, run), lambda n: f"{runs}.{run}.eager.result.nonsense.{n}"),
        "ends": (sealed(end, run), lambda n: f"{runs}.{run}.coordinator.event.concluded"),
        "cancels": (sealed(Cancelled(because="", by="mallory"), run), lambda n: f"{runs}.{run}.mallory.cancel"),
        "spends": (
            sealed(Spent(task="t", attempt=1, agent="eager", amount=Amount(calls=1)), run),
            lambda n: f"{runs}.{run}.eager.spend.t.{n}",
        ),
        "heartbeats": (beat.model_dump_json().encode(), lambda n: f"moot.{team}.live.ghost.heartbeat"),
        "progress": (progress.model_dump_json().encode(), lambda n: f"moot.{team}.live.ghost.progress"),
        "cards": (b'{"name":"ghost"}', lambda n: f"moot.{team}.live.scribe.card"),
        "discovery": (b'{"name":"ghost"}', lambda n: f"$SRV.{('PING', 'INFO', 'STATS')[n % 3]}"),
    }


async def flood(client: Client, run: str, chance: Random) -> None:
    """So many malformed messages into every consumer, as fast as the broker takes them."""
    inbox = client.bus.connection.new_inbox()
    for good, subject in consumers(client.bus.team, run).values():
        for number, bad in zip(range(EACH), mutants(good, chance), strict=False):
            where = subject(number)
            bad = bad.replace(RUN.encode(), parse(where).run.encode())
            await client.bus.connection.publish(where, bad, reply=chance.choice(("", inbox, "a..b", "*")))
            if number % PAUSE == 0:
                await client.bus.connection.flush(10)
    await client.bus.connection.flush(10)


async def test_malformed_messages_harm_nobody(broker: str, team: str, tmp_path: Path) -> None:
    """A thousand into each consumer while one run waits and others come and go: no process ends, none of them is taken
    for a goal, a task, an answer, an end or a sign of life, and the run ends as if nothing had been."""
    (tmp_path / "text").write_text("alpha\nbeta\nfatal\n")
    async with running(replace(court.team, name=team), broker) as client, anyio.create_task_group() as group:
        held = Held(client)
        await group.start(held.listen)
        with anyio.fail_after(90):
            text = await client.upload(tmp_path / "text", court.Text)
            undisturbed = await client.outcome(await client.ask(court.Case(text=text)))
            run = await client.ask(court.Case(text=text, hold=("eager",), gate=str(tmp_path)))
            await held.at(run, "eager")
            await flood(client, run, Random(1))
            other = await client.outcome(await client.ask(court.Case(text=text)))
            (tmp_path / "eager").touch()
            report = await client.outcome(run)
            state = await client.state(run)
        assert report.status == other.status == "decided"
        assert report.outcome == other.outcome == undisturbed.outcome
        assert {task.attempt for task in state.tasks.values()} == {1}
        assert [said for said in held.said if said.agent == "ghost"] == []
        assert await said_in(client, "g", "t") == {"mallory", "coordinator"}
        group.cancel_scope.cancel()


async def said_in(client: Client, *runs: str) -> set[str]:
    """Who wrote in the runs whose names begin so; nothing of it can be read."""
    authors, final = set(), await client.ask(court.Case(text=court.Text(digest="", size=0)))
    async with aclosing(client.bus.log.tail(all=True)) as entries:
        async for entry in entries:
            if entry.subject.run.startswith(runs):
                assert entry.event is None, entry
                authors.add(entry.subject.author)
            if entry.subject.run == final:
                break
    return authors
