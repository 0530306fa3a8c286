"""`hustings up TARGET` and `hustings down`: run a team as separate processes until stopped."""

import json
import os
import signal
from collections.abc import Mapping, Sequence

import anyio
import click

from hustings.bus import Feed, background
from hustings.bus.broker.server import process_exited
from hustings.bus.client.contact import redact
from hustings.protocols import COORDINATOR, BrokerUnavailable, Heartbeat, NotFound, UsageError, timing

from ...client.client import Client, connect
from ...deploy.launch import (
    absentees,
    children,
    supervised,
    until_told,
)
from ...team import Team
from ..frame.loading import load_team
from ..frame.options import common, durability
from ..frame.output import on_stderr, say
from ..frame.session import broker, go
from ..frame.settings import Settings


@click.command()
@click.argument("target", metavar="MODULE:TEAM")
@click.option(
    "-m",
    "--replicas",
    multiple=True,
    metavar="NAME=N",
    help="Run N processes of one specialist, or of the coordinator.",
)
@durability
@common
def up(settings: Settings, target: str, replicas: Sequence[str]) -> int:
    """Start broker, coordinator and specialists as separate processes, and keep them running.

    ^C stops them in reverse order. Example: hustings up hustings.examples.review_board:team -m ruff=2
    """
    team = load_team(target)
    return go(_up, settings, target, team, dict(_replicas(team, each) for each in replicas))


def _replicas(team: Team, text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    if not number.isdigit() or int(number) < 1:
        raise UsageError(f"{text!r} is not a number of replicas", "the form is NAME=N, with N at least 1")
    return name if name == COORDINATOR else team.specialist(name).name, int(number)


async def _up(settings: Settings, target: str, team: Team, replicas: Mapping[str, int]) -> int:
    async with broker(settings, start="always") as url, connect(team, url, name="up") as client:
        processes = children(target, team, url, parts=(COORDINATOR, *team.members), replicas=replicas)
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
                announce=settings.url is None,
            ),
            background(lambda: _watch(client)),
            background(lambda: _announce(client, team)),
        ):
            return await until_told()


async def _announce(client: Client, team: Team) -> None:
    """Say when all are up; after a while, name those that are missing."""
    async with client.bus.live.heartbeats() as heartbeats:
        missing = await absentees(client.bus.live, team)
        with anyio.move_on_after(timing.TEAM_START):
            await _come(missing, heartbeats)
        if missing:
            say(f"team {team.name} is not up: {', '.join(missing)} did not start within {timing.TEAM_START:g} s")
            await _come(missing, heartbeats)
        say(f"team {team.name} is up: coordinator and {len(team.members)} specialists; ^C stops them")
    await anyio.sleep_forever()


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
    records = list(settings.home.glob(f"up-{team or '*'}.json"))
    if not records:
        raise NotFound(f"nothing to stop in {settings.home}", "no `hustings up` runs from this folder")
    for record in records:
        told = json.loads(record.read_text())
        try:
            os.kill(told["pid"], signal.SIGTERM)
        except ProcessLookupError:
            record.unlink(missing_ok=True)
            say(f"team {told['team']} had already ended")
            continue
        with anyio.fail_after(30):
            await process_exited(told["pid"])
        say(f"team {told['team']} is down")
    return 0
