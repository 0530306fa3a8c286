"""`hustings cancel RUN`: cancel a run, and wait until it has ended."""

import time
from contextlib import aclosing
from typing import Any

import anyio
import click

from hustings.bus import connect
from hustings.protocols import COORDINATOR, Concluded, timing

from ...client.client import Client
from ...client.run import Run
from ...views.text import plain, span
from ..frame.options import common
from ..frame.output import emit, say
from ..frame.session import (
    NAME,
    broker,
    bus_of,
    find,
    go,
)
from ..frame.settings import Settings
from ..frame.table import shaded


@click.command()
@click.argument("run")
@click.option("--because", default="", metavar="TEXT", help="The reason; it is written to the log.")
@click.option("--team", help="The team of the run, if the id fits runs of several teams.")
@common
def cancel(settings: Settings, run: str, because: str, team: str | None) -> int:
    """Cancel a run, and wait until it has ended. Its tasks are stopped.

    RUN is an id, the beginning of one, @last or @prev. Exit code 0: it has ended, now or earlier; 1: it ends as soon as
    a coordinator of its team is up.
    """
    ended = go(_cancel, settings, run, because, team)
    emit(settings, ended, _text)
    if ended["status"] != "running":
        return 0
    say(f"no coordinator of team {ended['team']} ended it within {span(ended['seconds'])}; it ends when one is up")
    return 1


async def _cancel(settings: Settings, run: str, because: str, team: str | None) -> dict[str, Any]:
    async with broker(settings) as url:
        name, found = await find(url, run, team)
        async with connect(url, name=NAME) as connection:
            client, began = Client(bus_of(connection, name), NAME), time.monotonic()
            before = end = await _end(client, found)
            if end is None:
                end = await _withdrawn(client, client.run(found), because)
            return {
                "run": found,
                "team": name,
                "status": end.status if end else "running",
                "because": end.because if end else "withdrawn",
                "before": before is not None,
                "seconds": round(time.monotonic() - began, 3),
            }


async def _withdrawn(client: Client, run: Run, because: str) -> Concluded | None:
    """Cancel the run and give its end, or None if no coordinator ends it in time."""
    at = await run.cancel(because)
    if await client.bus.log.ended(run.id):
        return await _end(client, run.id)
    with anyio.move_on_after(timing.CANCEL):
        return await _conclusion(run, at)
    if any(one.name == COORDINATOR for one in await client.bus.live.roll_call()):
        with anyio.move_on_after(timing.CANCEL_TAKEOVER):
            return await _conclusion(run, at)
    return None


async def _conclusion(run: Run, after: int) -> Concluded | None:
    async with aclosing(run.follow(after)) as entries:
        async for entry in entries:
            if isinstance(entry.event, Concluded) and entry.subject.author == COORDINATOR:
                return entry.event
    return None


async def _end(client: Client, run: str) -> Concluded | None:
    heads = {head.run: head for head in await client.runs()}
    concluded = heads[run].concluded
    return concluded.event if concluded and isinstance(concluded.event, Concluded) else None


def _text(ended: dict[str, Any]) -> str:
    when = "it had already ended" if ended["before"] else f"after {span(ended['seconds'])}"
    return f"run {ended['run']} of team {ended['team']}: {shaded(ended['status'])}, {when}: {plain(ended['because'])}"
