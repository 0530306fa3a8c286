"""`hustings tail`: the messages of the runs, live. The flags are those of `nats sub`."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from functools import partial
from typing import NamedTuple

import anyio
import click
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from hustings.bus import Bus, background, connect
from hustings.protocols import Entry, NotFound, Subjects, UsageError

from ...views.text import clock, describe, plain
from ..frame.duration import Duration
from ..frame.options import common
from ..frame.output import echo
from ..frame.session import (
    NAME,
    broker,
    bus_of,
    chosen,
    find,
    go,
)
from ..frame.settings import Settings
from ..frame.streams import stdout


class Selection(NamedTuple):
    """Which messages: new ones, preceded by those of the last `since` seconds, or by all."""

    all: bool
    since: float | None
    run: str | None
    team: str | None


@click.command()
@click.option("--new", is_flag=True, help="Only messages from now on.  [default]")
@click.option("--since", type=Duration(), metavar="1h", help="First the messages of this last period.")
@click.option("--all", "everything", is_flag=True, help="First all stored messages.")
@click.option("--run", help="Only this run: an id, the beginning of one, @last or @prev.")
@click.option("--team", help="Only this team.")
@click.option("--raw", is_flag=True, help="The messages as on the wire, one JSON object a line; as -o json.")
@click.option("--count", type=click.IntRange(min=1), metavar="N", help="End after N messages.")
@common
def tail(
    settings: Settings,
    new: bool,
    since: float | None,
    everything: bool,
    run: str | None,
    team: str | None,
    raw: bool,
    count: int | None,
) -> None:
    """Print the messages of runs, live or since a point in time, until ^C.

    Follows the teams that exist when it starts. Stored messages are printed team by team, each in its own order.
    """
    if new + everything + (since is not None) > 1:
        raise UsageError("--new, --since and --all exclude each other", hint="Choose one of them.")
    go(_tail, settings, Selection(everything, since, run, team), raw or settings.output != "text", count)


async def _tail(settings: Settings, wanted: Selection, raw: bool, count: int | None) -> None:
    looks_back = wanted.all or wanted.since is not None
    left = count
    async with (
        broker(settings, start="if-stored" if looks_back else "never") as url,
        _entries(url, wanted) as entries,
    ):
        async for bus, entry in entries:
            echo(_raw(entry) if raw else _line(settings, bus.team, entry))
            left = left - 1 if left else None
            if left == 0:
                return


@asynccontextmanager
async def _entries(url: str, wanted: Selection) -> AsyncIterator[MemoryObjectReceiveStream[tuple[Bus, Entry]]]:
    team, run = (wanted.team, None) if wanted.run is None else await find(url, wanted.run, wanted.team)
    send, receive = anyio.create_memory_object_stream[tuple[Bus, Entry]]()
    async with connect(url, name=NAME) as connection, AsyncExitStack() as stack:
        stack.enter_context(send)
        stack.enter_context(receive)
        names = await chosen(connection, team)
        if not names:
            raise NotFound(
                "there is no team here yet", "this broker has no team's log", "Start one with `hustings up`."
            )
        for name in names:
            await stack.enter_async_context(background(partial(_follow, bus_of(connection, name), run, wanted, send)))
        yield receive


async def _follow(
    bus: Bus, run: str | None, wanted: Selection, send: MemoryObjectSendStream[tuple[Bus, Entry]]
) -> None:
    subject = Subjects(bus.team).run(run) if run else None
    entries = bus.log.tail(all=wanted.all, since_seconds=wanted.since, subject=subject)
    async with aclosing(entries):
        async for entry in entries:
            await send.send((bus, entry))


def _raw(entry: Entry) -> str:
    if entry.envelope:
        return json.dumps(json.loads(entry.envelope.encode()))
    subject = entry.subject
    return json.dumps({"unreadable": entry.why, "runid": subject.run, "source": subject.author, "seq": entry.seq})


def _line(settings: Settings, team: str, entry: Entry) -> str:
    who = plain(f"{team} {entry.subject.run} {entry.subject.author}")
    when = clock(entry.time)
    if settings.colored(stdout()):
        when, who = click.style(when, dim=True), click.style(who, fg="cyan")
    return f"{when} {who} | {describe(entry)}"
