"""Skills that swallow their cancellation, and a lifespan that does: their process is replaced, whoever started it."""

import os
import shutil
import signal
from pathlib import Path

import anyio
import pytest

from hustings.agents import Client
from hustings.agents.runtime.process import RECYCLE

from . import mules
from .processes import Place, following
from .test_deaths import exit_codes

pytestmark = pytest.mark.processes


def place_of_mules(folder: Path) -> Place:
    place = Place(folder)
    shutil.copy(mules.__file__, folder / "mules.py")
    return place


async def given_up(client: Client) -> None:
    """A run whose skill goes on when the patience has ended."""
    report = await (await client.ask(mules.Ask(stubborn=True), execution_timeout=1)).wait()
    assert report.status == "failed"


async def polled(client: Client) -> int:
    """An ordinary run: the process that answers."""
    report = await (await client.ask(mules.Ask(), execution_timeout=40)).wait()
    assert report.status == "decided", report.because
    return mules.Said.of(report.outcome["said"]).pid


@pytest.mark.long
async def test_a_process_that_swallows_is_replaced_as_often_as_it_takes(tmp_path: Path) -> None:
    """More often than a supervisor lets children fail; each new one does what the old one could not."""
    place = place_of_mules(tmp_path)
    async with place.up("mules:team") as up, following(place, "mules") as (client, _):
        with anyio.fail_after(300):
            seen = {await polled(client)}
            for _ in range(7):
                await given_up(client)
                await given_up(client)
                while (pid := await polled(client)) in seen:
                    pass  # for two seconds it may end by itself
                seen.add(pid)
        assert not any("given up" in row for row in up.rows)
        assert RECYCLE in exit_codes(place, "mules")
    await place.all_gone()


@pytest.mark.long
async def test_an_agent_run_alone_begins_anew_by_itself_and_ends_when_told(tmp_path: Path) -> None:
    """Under its own number. Neither a skill nor a lifespan that swallows its cancellation holds it up."""
    place = place_of_mules(tmp_path)
    alone = ("agent", "mules:sloth", "--team", "sloths", "--log-format", "json")
    async with place.hustings("coordinator", "mules:sloths") as coordinator:
        await coordinator.until('"ready"')
        async with place.hustings(*alone) as agent, following(place, "sloths") as (client, _):
            with anyio.fail_after(300):
                await agent.until('"event": "ready"')
                await given_up(client)
                await agent.until("recycled")
                del agent.rows[:]
                await agent.until('"event": "ready"')
                assert await polled(client) == agent.pid
                os.kill(agent.pid, signal.SIGTERM)
                assert (await agent.end()).code == 0
    await place.all_gone()
