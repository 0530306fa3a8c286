"""Session: find the broker from the settings, the teams on a broker, and the run that a person names."""

import signal
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from difflib import get_close_matches
from functools import partial
from importlib.util import find_spec
from threading import current_thread, main_thread
from typing import Literal, TypeVar, TypeVarTuple

import anyio

from hustings.bus import (
    Bus,
    Connection,
    Live,
    Log,
    ObjectStore,
    RunHead,
    background,
    connect,
    embedded,
    find_embedded,
    team_names,
)
from hustings.protocols import COORDINATOR, BrokerUnavailable, Heartbeat, NotFound, Subjects, timing

from .output import say
from .settings import Settings

T = TypeVar("T")
Args = TypeVarTuple("Args")
Start = Literal["always", "if-stored", "never"]

NAME = "cli"  # the name of the command line on the bus
RECENT = ("@last", "@prev")
REMOVE = "`hustings rm --older 30d`"  # what to try if a log fills up
OLDER = ".moot"  # where the project kept its store under its earlier name


def go(function: Callable[[*Args], Awaitable[T]], *args: *Args) -> T:
    """Run an async function to its end, on uvloop where there is one. Raises KeyboardInterrupt after ^C, which only the
    main thread can receive."""
    work: Callable[[], Awaitable[T]] = partial(function, *args)
    if current_thread() is main_thread():
        work = partial(_until_interrupted, work)
    return anyio.run(work, backend_options={"use_uvloop": find_spec("uvloop") is not None})


async def _until_interrupted(function: Callable[[], Awaitable[T]]) -> T:
    """^C cancels a scope, which cancels every further wait too; asyncio's own cancellation of a task can be lost."""
    with anyio.open_signal_receiver(signal.SIGINT) as interrupts, anyio.CancelScope() as scope:
        async with background(partial(_cancel_at, interrupts, scope)):
            return await function()
    raise KeyboardInterrupt


async def _cancel_at(interrupts: AsyncIterator[signal.Signals], scope: anyio.CancelScope) -> None:
    await anext(interrupts)
    scope.cancel()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a second ^C ends the process at once


@contextmanager
def parting(words: Callable[[], str]) -> Iterator[None]:
    """If the block is cancelled, as by ^C, say this: what has ended with it, and what goes on."""
    try:
        yield
    except anyio.get_cancelled_exc_class():
        say(words())
        raise


@asynccontextmanager
async def broker(settings: Settings, *, start: Start = "never") -> AsyncIterator[str]:
    """The URL of the broker: that of the settings, else the embedded one of this folder, found or started.

    "if-stored" starts it only if the folder has a store, which is enough for reading old runs. The block keeps a
    started broker up. Raises BrokerUnavailable.
    """
    if settings.url:
        yield settings.url
        return
    older = settings.home.with_name(OLDER)
    if older.is_dir() and not settings.home.exists():
        say(f"{older} has runs from before the project was called hustings. They are not read any more; remove it.")
    if start == "always" or (start == "if-stored" and (settings.home / "store").is_dir()):
        async with embedded(settings.home, durability=settings.durability) as url:
            yield url
    elif found := find_embedded(settings.home):
        yield found
    else:
        raise BrokerUnavailable(
            f"no broker runs in {settings.home}", "neither --url nor HUSTINGS_URL names another one"
        )


async def watch(connection: Connection) -> None:
    """Never returns. Raises BrokerUnavailable once the broker has been away for too long."""
    await connection.lost(timing.FOLLOWER_LOST)
    raise BrokerUnavailable(
        "the broker is gone", f"it has not answered for {timing.FOLLOWER_LOST:g} s; the run goes on when it is back"
    )


async def attend(live: Live, tell: Callable[[str], None]) -> None:
    """Never returns. Tells when no coordinator is heard any more, and when one is heard again."""
    silence, away = timing.TEAM_START, False
    async with live.heartbeats() as heartbeats:
        while True:
            with anyio.move_on_after(silence) as waiting:
                await _coordinator(heartbeats)
            if waiting.cancelled_caught and not away:
                tell(f"no coordinator has been heard for {silence:g} s; the run waits until one is up")
            elif away and not waiting.cancelled_caught:
                tell("a coordinator is up; the run goes on")
            silence, away = timing.COORDINATOR_LOST, waiting.cancelled_caught


async def _coordinator(heartbeats: AsyncIterable[Heartbeat]) -> None:
    """Wait for the next heartbeat of a coordinator that stays."""
    async for beat in heartbeats:
        if beat.agent == COORDINATOR and not beat.leaving:
            return


async def teams(url: str) -> list[str]:
    """The teams that have a log on this broker. Raises as `connect`."""
    async with connect(url, name=NAME) as connection:
        return await team_names(connection)


async def find(url: str, run: str, team: str | None = None) -> tuple[str, str]:
    """The team and the full id of a run, from an id, a unique prefix, `@last` or `@prev`, in one team or in all.

    Raises NotFound, which lists the runs there are, and what `connect` raises.
    """
    async with connect(url, name=NAME) as connection:
        name, head = picked(run, await heads(connection, team))
    return name, head.run


def picked(run: str, known: list[tuple[str, RunHead]]) -> tuple[str, RunHead]:
    """Of these runs, the newest first, the one that a person means by an id, a unique prefix, `@last` or `@prev`.

    Raises NotFound, which lists them.
    """
    if run in RECENT and len(known) > RECENT.index(run):
        return known[RECENT.index(run)]
    fits = [(name, head) for name, head in known if head.run.startswith(run)]
    chosen = [(name, head) for name, head in fits if head.run == run] or fits
    if len(chosen) != 1:
        raise NotFound(
            f"there is no run {run}" if not chosen else f"{run} fits several runs", *_what_there_is(chosen, known)
        )
    return chosen[0]


async def heads(connection: Connection, team: str | None = None) -> list[tuple[str, RunHead]]:
    """The runs of all teams, or of one, each with its team; the newest first. Raises NotFound for an unknown team."""
    found = [
        (name, head) for name in await chosen(connection, team) for head in await bus_of(connection, name).log.runs()
    ]
    return sorted(found, key=lambda pair: pair[1].asked.time, reverse=True)


async def chosen(connection: Connection, team: str | None) -> list[str]:
    """All teams, or the one that was named. Raises NotFound."""
    known = await team_names(connection)
    if team is None:
        return known
    if team not in known:
        near = get_close_matches(team, known, 1)
        hint = f"Did you mean {near[0]}?" if near else ""
        raise NotFound(f"there is no team {team} here", f"the teams here: {', '.join(known) or 'none yet'}", hint)
    return [team]


async def filling(connection: Connection) -> list[str]:
    """A line for each team whose log fills up."""
    usages = [(team, await bus_of(connection, team).log.usage()) for team in await team_names(connection)]
    return [f"the log of team {team} is {usage.share:.0%} full" for team, usage in usages if usage.level]


def bus_of(connection: Connection, team: str) -> Bus:
    """The bus of a team over an open connection, for readers: unlike `open_bus` it creates nothing on the server.

    Its `url` holds no credentials.
    """
    subjects = Subjects(team)
    blobs = ObjectStore(connection, subjects)
    return Bus(team, connection.shown, connection, Log(connection, subjects, blobs), Live(connection, subjects), blobs)


@asynccontextmanager
async def reading(settings: Settings, run: str, team: str | None) -> AsyncIterator[tuple[Bus, str]]:
    """The bus of the team that a run belongs to, and the run's id; raises as `broker` and `find`."""
    async with broker(settings, start="if-stored") as url:
        name, found = await find(url, run, team)
        async with connect(url, name=NAME) as connection:
            yield bus_of(connection, name), found


def _what_there_is(fits: list[tuple[str, RunHead]], known: list[tuple[str, RunHead]]) -> tuple[str, str]:
    if fits:
        ids = ", ".join(f"{head.run} of {name}" for name, head in fits[:5])
        return f"they are {ids}", "Type more of the id, or add --team."
    if not known:
        return "there are no runs here yet", "Start one with `hustings run`."
    return f"the newest are {', '.join(head.run for _, head in known[:5])}{' and more' if len(known) > 5 else ''}", ""
