"""What a run bears from outside while it goes on: foreign bytes, and messages that come again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import anyio

from moot.agents import Client
from moot.agents.testing import running
from moot.protocols import Driving

from . import court
from .processes import Held


@asynccontextmanager
async def at_work(url: str, team: str) -> AsyncIterator[tuple[Client, Held]]:
    """The court in this process, under a name of its own."""
    async with running(replace(court.team, name=team), url) as client, anyio.create_task_group() as group:
        held = Held(client)
        await group.start(held.listen)
        with anyio.fail_after(20):
            yield client, held
        group.cancel_scope.cancel()


async def ask(client: Client, folder: Path, *hold: str) -> str:
    (folder / "text").write_text("alpha\nbeta\nfatal\n")
    text = await client.upload(folder / "text", court.Text)
    return await client.ask(court.Case(text=text, hold=hold, gate=str(folder)))


async def test_what_comes_again_is_done_once(broker: str, team: str, tmp_path: Path) -> None:
    """After a crash the broker may deliver again a goal or a task that the same process is at work on."""
    async with at_work(broker, team) as (client, held):
        run = await ask(client, tmp_path, "eager")
        await held.at(run, "eager")
        for name in ("coordinator", "eager"):  # made anew, they begin with the first message
            await client.bus.connection.request(f"$JS.API.CONSUMER.DELETE.LOG_{team}.{name}")
        other = await ask(client, tmp_path)
        assert (await client.outcome(other)).status == "decided"  # so what was before it has come again
        (tmp_path / "eager").touch()
        assert (await client.outcome(run)).status == "decided"
        assert (await client.outcome(await ask(client, tmp_path))).status == "decided"
        drivers = [entry async for entry in client.bus.log.read(run) if isinstance(entry.event, Driving)]
        assert len(drivers) == 1
        assert [progress.run for progress in held.said] == [run]
