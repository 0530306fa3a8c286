"""`hustings up TARGET` and `hustings down`: run a team as separate processes until stopped."""

import os
import signal
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial

import anyio
import click

from hustings.bus import background
from hustings.bus.broker.server import process_exited
from hustings.bus.client.contact import redact
from hustings.protocols import COORDINATOR, BrokerUnavailable, BusError, NotFound, UsageError, timing

from ...client.client import Client, connect
from ...deploy.control import controlled
from ...deploy.launch import children, supervised, until_told
from ...deploy.locks import locked
from ...deploy.records import record_of, records
from ...deploy.replicas import Parts, control
from ...deploy.supervisor import Spawn, Status, Supervisor, spawn
from ...team import Team
from ...views.text import some
from ..frame.loading import load_team
from ..frame.options import common, durability, loud, verbosity
from ..frame.output import on_stderr, say
from ..frame.session import broker, go
from ..frame.settings import Settings

FEW = 5  # runs named that go on later


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
    """These parts of a team as processes while the block runs, with a client; says when all are up.

    Raises UsageError: another process of this folder runs one of them.
    """
    env = {"HUSTINGS_LOG": settings.log}
    async with (
        locked(settings.home, redact(settings.url or ""), team.name, parts),
        broker(settings, start="always") as url,
        connect(team, url, name="up") as client,
    ):
        processes = children(target, team, url, parts=parts, replicas=replicas, env=env)
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
                record_of(settings.home, team.name).with_suffix(".sock"),
                partial(control, supervisor, Parts(target, team, url, env)),
            ),
            background(lambda: _watch(client)),
            background(lambda: _announce(supervisor, team, parts)),
        ):
            yield client, supervisor
            say(f"stopping team {team.name}: {some(len(supervisor.statuses), 'process')}{await _unended(client)}")


async def _unended(client: Client) -> str:
    """The runs that have not ended, in words; "" if there are none, or the broker does not say."""
    names: list[str] = []
    with anyio.move_on_after(1), suppress(BusError):
        names = [head.run for head in await client.runs() if head.concluded is None]
    more = f" and {len(names) - FEW} more" if len(names) > FEW else ""
    goes = "goes" if len(names) == 1 else "go"
    return f"; {', '.join(names[:FEW])}{more} {goes} on when it is up again" if names else ""


async def _announce(supervisor: Supervisor, team: Team, parts: Sequence[str]) -> None:
    """Say when all are ready; before that, name those that are given up, or take long."""
    with anyio.move_on_after(timing.TEAM_START):
        await supervisor.until(lambda now: all(each.ready or each.state == "gave up" for each in now))
    if missing := _unready(supervisor.statuses):
        names = ", ".join(missing)
        say(f"team {team.name} is not up: {names} did not start; `hustings logs` says why, ^C stops the rest")
        await supervisor.until(lambda now: not _unready(now))
    say(f"team {team.name} is up: {_counted(parts)}; ^C stops them")
    await anyio.sleep_forever()


def _unready(now: Iterable[Status]) -> list[str]:
    return [each.name for each in now if not each.ready]


def _counted(parts: Sequence[str]) -> str:
    others = len([name for name in parts if name != COORDINATOR])
    specialists = [some(others, "specialist")] if others else []
    return " and ".join(["coordinator", *specialists] if COORDINATOR in parts else specialists)


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
    known = [(path, one) for path, one in records(settings.home) if team in (None, one.team)]
    if not known:
        raise NotFound(f"nothing to stop in {settings.home}", "no `hustings up` runs from this folder")
    for record, one in known:
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
