"""`hustings up TARGET` and `hustings down`: run a team as separate processes until stopped."""

import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial

import anyio
import click

from hustings.bus import Feed, background
from hustings.bus.broker.server import process_exited
from hustings.bus.client.contact import redact
from hustings.protocols import COORDINATOR, BrokerUnavailable, Heartbeat, NotFound, UsageError, timing

from ...client.client import Client, connect
from ...deploy.control import controlled
from ...deploy.launch import absentees, children, record_of, supervised, until_told
from ...deploy.replicas import Parts, control
from ...deploy.supervisor import Spawn, Supervisor, spawn
from ...team import Team
from ...views.text import some
from ..frame.loading import load_team
from ..frame.options import common, durability, loud, verbosity
from ..frame.output import on_stderr, say
from ..frame.session import broker, go
from ..frame.settings import Settings
from . import ps


@click.command()
@click.argument("target", metavar="MODULE:TEAM")
@click.option(
    "-m",
    "--replicas",
    multiple=True,
    metavar="NAME=N",
    help="Run N processes of one specialist, or of the coordinator.",
)
@click.option("--only", multiple=True, metavar="NAME,...", help="Start only these parts: specialists, or coordinator.")
@click.option("--skip", multiple=True, metavar="NAME,...", help="Leave these parts out: somebody else starts them.")
@verbosity
@durability
@common
def up(
    settings: Settings, target: str, replicas: Sequence[str], only: Sequence[str], skip: Sequence[str], verbose: int
) -> int:
    """Start broker, coordinator and specialists as separate processes, and keep them running.

    ^C stops them in reverse order. `hustings restart` and `hustings scale` change them meanwhile, `hustings logs` shows
    what they wrote. Example: hustings up hustings.examples.review_board:team -m ruff=2
    """
    team = load_team(target)
    parts = parts_of(team, only, skip)
    return go(_up, loud(settings, verbose), target, team, parts, dict(replicas_of(each, team) for each in replicas))


def parts_of(team: Team, only: Sequence[str], skip: Sequence[str]) -> list[str]:
    """The coordinator and the specialists that the options leave, in order. Raises NotFound, UsageError."""
    wanted, unwanted = _names(team, only), _names(team, skip)
    parts = [name for name in (COORDINATOR, *team.members) if name not in unwanted and (name in wanted or not wanted)]
    if not parts:
        raise UsageError("nothing is left to start", f"team {team.name} has {', '.join((COORDINATOR, *team.members))}")
    return parts


def _names(team: Team, given: Sequence[str]) -> set[str]:
    return {checked(name, team) for each in given for name in each.split(",") if name}


def checked(name: str, team: Team) -> str:
    """The name of a part of the team, as it is. Raises NotFound."""
    return name if name == COORDINATOR else team.specialist(name).name


def replicas_of(text: str, team: Team) -> tuple[str, int]:
    """The part and the number that NAME=N gives. Raises NotFound, UsageError."""
    name, _, number = text.partition("=")
    if not number.isdigit() or int(number) < 1:
        raise UsageError(f"{text!r} is not a number of replicas", "the form is NAME=N, with N at least 1")
    return checked(name, team), int(number)


async def _up(settings: Settings, target: str, team: Team, parts: Sequence[str], replicas: Mapping[str, int]) -> int:
    async with team_up(settings, target, team, parts, replicas):
        return await until_told()


@asynccontextmanager
async def team_up(
    settings: Settings,
    target: str,
    team: Team,
    parts: Sequence[str],
    replicas: Mapping[str, int],
    spawn: Spawn = spawn,
) -> AsyncIterator[tuple[Client, Supervisor]]:
    """These parts of a team as processes while the block runs, with a client; says when all are up."""
    async with broker(settings, start="always") as url, connect(team, url, name="up") as client:
        processes = children(target, team, url, parts=parts, replicas=replicas, env={"HUSTINGS_LOG": settings.log})
        relay, color = on_stderr(settings)
        say(f"broker       {redact(url)}")
        async with (
            supervised(
                settings.home,
                team,
                url,
                processes,
                tell=relay,
                color=color,
                verbose=True,
                log=settings.log,
                announce=settings.url is None,
                spawn=spawn,
            ) as supervisor,
            controlled(
                record_of(settings.home, team).with_suffix(".sock"),
                partial(control, supervisor, Parts(target, team, url)),
            ),
            background(lambda: _watch(client)),
            background(lambda: _announce(client, team, parts)),
        ):
            yield client, supervisor


async def _announce(client: Client, team: Team, parts: Sequence[str]) -> None:
    """Say when all are up; after a while, name those that are missing."""
    async with client.bus.live.heartbeats() as heartbeats:
        missing = [name for name in await absentees(client.bus.live, team) if name in parts]
        with anyio.move_on_after(timing.TEAM_START):
            await _come(missing, heartbeats)
        if missing:
            say(f"team {team.name} is not up: {', '.join(missing)} did not start within {timing.TEAM_START:g} s")
            await _come(missing, heartbeats)
        say(f"team {team.name} is up: {_counted(parts)}; ^C stops them")
    await anyio.sleep_forever()


def _counted(parts: Sequence[str]) -> str:
    specialists = some(len([name for name in parts if name != COORDINATOR]), "specialist")
    return f"coordinator and {specialists}" if COORDINATOR in parts else specialists


async def _come(missing: list[str], heartbeats: Feed[Heartbeat]) -> None:
    """Return when a heartbeat of each has arrived; removes those that sent one from `missing`."""
    while missing:
        heard = (await anext(heartbeats)).agent
        missing[:] = [name for name in missing if name != heard]


async def _watch(client: Client) -> None:
    """Raise BrokerUnavailable once the broker has been away for too long."""
    await client.bus.connection.lost(timing.TEAM_LOST)
    raise BrokerUnavailable("the broker is gone", f"it has not answered for {timing.TEAM_LOST:g} s")


@click.command()
@click.option("--team", help="The team to stop.  [default: all started from this folder]")
@common
def down(settings: Settings, team: str | None) -> int:
    """Stop what `hustings up` started from this folder, in reverse order, and wait until it has ended."""
    return go(_down, settings, team)


async def _down(settings: Settings, team: str | None) -> int:
    records = [(path, one) for path, one in ps.records(settings.home) if team in (None, one.team)]
    if not records:
        raise NotFound(f"nothing to stop in {settings.home}", "no `hustings up` runs from this folder")
    for record, one in records:
        try:
            os.kill(one.pid, signal.SIGTERM)
        except ProcessLookupError:
            record.unlink(missing_ok=True)
            say(f"team {one.team} had already ended")
            continue
        with anyio.fail_after(30):
            await process_exited(one.pid)
        say(f"team {one.team} is down")
    return 0
