"""`hustings tail`: the messages of the runs, live. The flags are those of `nats sub`."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from functools import partial
from itertools import compress
from typing import NamedTuple

import anyio
import click
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from hustings.bus import Bus, background, connect
from hustings.protocols import COORDINATOR, Entry, NotFound, Subjects, UsageError

from ...observe.width import cells, wrapped
from ...views.text import clock, describe, plain, some
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
    parting,
)
from ..frame.settings import Settings
from ..frame.streams import stdout
from ..frame.width import width_of
from .export import line_of


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
@click.option("--raw", is_flag=True, help="The messages as JSON, one a line, as `export --jsonl`; as -o json.")
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

    Follows the teams that exist when it starts. The stored messages of each are printed in order; where there are
    several, --team chooses one.
    """
    if new + everything + (since is not None) > 1:
        raise UsageError("--new, --since and --all exclude each other", hint="Choose one of them.")
    go(_tail, settings, Selection(everything, since, run, team), raw or settings.output != "text", count)


async def _tail(settings: Settings, wanted: Selection, raw: bool, count: int | None) -> None:
    looks_back = wanted.all or wanted.since is not None
    shown = 0
    async with (
        broker(settings, start="if-stored" if looks_back else "never") as url,
        _entries(url, wanted) as (teams, entries),
    ):
        lines = _Lines(settings, teams, one_run=wanted.run is not None)
        with parting(lambda: f"{some(shown, 'message')} shown; the runs go on"):
            async for bus, entry in entries:
                echo(json.dumps(line_of(entry, bus.team)) if raw else lines.line(bus.team, entry))
                shown += 1
                if shown == count:
                    return


@asynccontextmanager
async def _entries(
    url: str, wanted: Selection
) -> AsyncIterator[tuple[list[str], MemoryObjectReceiveStream[tuple[Bus, Entry]]]]:
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
        yield names, receive


async def _follow(
    bus: Bus, run: str | None, wanted: Selection, send: MemoryObjectSendStream[tuple[Bus, Entry]]
) -> None:
    subject = Subjects(bus.team).run(run) if run else None
    entries = bus.log.tail(all=wanted.all, since_seconds=wanted.since, subject=subject)
    async with aclosing(entries):
        async for entry in entries:
            await send.send((bus, entry))


class _Lines:
    """When, which run, who, and what of each message. Columns are as wide as their widest word so far.

    The team is left out if there is only one, and the run if only one was asked for.
    """

    def __init__(self, settings: Settings, teams: list[str], *, one_run: bool) -> None:
        self._colored = settings.colored(stdout())
        self._shown = [len(teams) > 1, not one_run, True]
        self._widths = [max(map(cells, teams)), 0, len(COORDINATOR)]

    def line(self, team: str, entry: Entry) -> str:
        places = [plain(place) for place in (team, entry.subject.run, entry.subject.author)]
        self._widths = [max(width, cells(place)) for width, place in zip(self._widths, places, strict=True)]
        padded = (place + " " * (width - cells(place)) for place, width in zip(places, self._widths, strict=True))
        when, who = clock(entry.time), "  ".join(compress(padded, self._shown))
        hang = len(when) + cells(who) + 4
        if self._colored:
            when, who = click.style(when, dim=True), click.style(who, fg="cyan")
        return "\n".join(wrapped(f"{when}  {who}  {describe(entry)}", width_of(stdout()), hang))
