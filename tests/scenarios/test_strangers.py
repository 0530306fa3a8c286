"""What a run bears from outside while it goes on: invalid bytes, and messages that come again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import anyio
from pydantic import JsonValue
from pydantic_core import to_json

from hustings.agents import Client
from hustings.agents.testing import running
from hustings.protocols import Event, Result, RunAcquired
from hustings.protocols.envelope import seal

from . import court
from .processes import Held


@asynccontextmanager
async def at_work(url: str, team: str) -> AsyncIterator[tuple[Client[court.Case, court.Ruling], Held]]:
    """The court in this process, under a name of its own."""
    async with running(replace(court.team, name=team), url) as client, anyio.create_task_group() as group:
        held = Held(client.bus)
        await group.start(held.listen)
        with anyio.fail_after(300):
            yield client, held
        group.cancel_scope.cancel()


async def ask(client: Client[court.Case, court.Ruling], folder: Path, *hold: str) -> str:
    (folder / "text").write_text("alpha\nbeta\nfatal\n")
    text = await client.upload(folder / "text", court.Text)
    return (await client.ask(court.Case(text=text, hold=hold, gate=str(folder)))).id


async def test_what_comes_again_is_done_once(broker: str, team: str, tmp_path: Path) -> None:
    """After a crash the broker may deliver again a goal or a task that the same process is at work on."""
    async with at_work(broker, team) as (client, held):
        run = await ask(client, tmp_path, "eager")
        await held.at(run, "eager")
        for name in ("coordinator", "eager"):  # made anew, they begin with the first message
            await client.bus.connection.request(f"$JS.API.CONSUMER.DELETE.LOG_{team}.{name}")
        other = await ask(client, tmp_path)
        assert (await client.run(other).wait()).status == "decided"  # so what was before it has come again
        (tmp_path / "eager").touch()
        assert (await client.run(run).wait()).status == "decided"
        assert (await client.run(await ask(client, tmp_path)).wait()).status == "decided"
        drivers = [entry async for entry in client.bus.log.read(run) if isinstance(entry.event, RunAcquired)]
        assert len(drivers) == 1
        assert [progress.run for progress in held.said] == [run]


def sealed(event: Event, run: str, **changes: JsonValue) -> bytes:
    """What a member would send, but for these changes."""
    return to_json({**seal(event, source="mallory", run=run).model_dump(mode="json"), **changes})


async def test_invalid_bytes_cost_an_attempt_at_most(broker: str, team: str, tmp_path: Path) -> None:
    """Not JSON, an unknown type, a newer major version, a wrong field: on the coordinator's subjects, on the subjects
    of results and of goals, as a task, and a result that somebody else says."""
    async with at_work(broker, team) as (client, held):
        undisturbed = await client.run(await ask(client, tmp_path)).wait()
        run = await ask(client, tmp_path, "eager", "careful", "scribe")
        for name in ("eager", "careful"):
            await held.at(run, name)
        result = Result(task="careful-title", attempt=1, agent="careful", output={}, version="1.0.0", seconds=0.1)
        strange = {
            "not JSON": b"\xff\x00 hello",
            "unknown type": sealed(result, run, type="hustings.surprise.v1"),
            "newer major": sealed(result, run, type="hustings.result.v2"),
            "wrong field": sealed(result, run, data={"task": 1}),
        }
        subject = f"hustings.{team}.run.{run}"
        for data in strange.values():
            for kind in ("planned", "settled", "concluded", "nonsense"):
                await client.bus.connection.publish(f"{subject}.coordinator.event.{kind}", data)
            await client.bus.connection.publish(f"{subject}.coordinator.task.scribe", data)
            await client.bus.connection.publish(f"{subject}.eager.result.eager-shout.1", data)
            await client.bus.connection.publish(f"hustings.{team}.run.strange.mallory.goal", data)
            await client.bus.connection.publish(f"hustings.{team}.live.eager.heartbeat", data)
        stolen = f"{subject}.mallory.result.careful-title.1"
        await client.bus.connection.publish(stolen, sealed(result, run))
        for name in ("eager", "careful", "scribe"):
            (tmp_path / name).touch()
        report = await client.run(run).wait()
        assert (report.status, report.outcome["draft"]) == ("decided", undisturbed.outcome["draft"])
        state = await client.run(run).state()
        assert {name: task.attempt for name, task in state.tasks.items() if not task.asked_by} == {
            "eager-shout": 2, "careful-title": 2, "scribe-draft": 1, "prover-prove": 1
        }  # fmt: skip
        assert state.invalid == 4 * 6 + 1  #


async def test_a_squatted_answer_costs_an_attempt_at_once(broker: str, team: str, tmp_path: Path) -> None:
    """Bytes on the subject of an answer that nobody was asked for yet: the attempt is lost when it is assigned."""
    async with at_work(broker, team) as (client, held):
        run = await ask(client, tmp_path, "eager")
        await held.at(run, "eager")
        await client.bus.connection.publish(f"hustings.{team}.run.{run}.scribe.result.scribe-draft.1", b"first!")
        (tmp_path / "eager").touch()
        report = await client.run(run).wait()
        assert report.status == "decided"
        assert (await client.run(run).state()).tasks["scribe-draft"].attempt == 2
