"""`hustings agent TARGET...`: specialists in a process of their own, on any machine that reaches the bus."""

import os
import sys
from collections.abc import Sequence
from dataclasses import replace

import anyio
import click

from hustings.bus import find_embedded, open_bus
from hustings.protocols import COORDINATOR, UsageError, timing

from ...client.client import new_run
from ...deploy.launch import until_told
from ...deploy.neighbours import homes
from ...deploy.watchdog import Watchdog
from ...observe.logs import configure_logging
from ...observe.telemetry import set_up
from ...runtime.isolation import open_isolated
from ...runtime.process import RECYCLE, begin_anew, die_with_parent
from ...runtime.worker import Worker
from ...skills.specialist import Specialist
from ...team import Team
from ..frame.loading import load
from ..frame.options import common, level, loud, verbosity
from ..frame.output import say
from ..frame.session import broker, go, teams
from ..frame.settings import Settings


@click.command()
@click.argument("targets", nargs=-1, required=True, metavar="MODULE:NAME...")
@click.option("--only", multiple=True, metavar="NAME", help="Run only this specialist of a team.")
@click.option(
    "--team", envvar="HUSTINGS_TEAM", show_envvar=True, help="The team to work for.  [default: the running team]"
)
@click.option("--debugger", is_flag=True, help="Let breakpoint() use this terminal; one task at a time.")
@click.option("--log-format", type=click.Choice(["json", "text"]), help="[default: text in a terminal, else json]")
@verbosity
@common
def agent(
    settings: Settings,
    targets: Sequence[str],
    only: Sequence[str],
    team: str | None,
    debugger: bool,
    log_format: str | None,
    verbose: int,
) -> int:
    """Run specialists until stopped: each MODULE:NAME is a Specialist, or a Team of them.

    On SIGTERM the process finishes its current tasks, returns those not yet begun to the queue, and ends. A process
    with too many skills that ignored their cancellation or hang in threads is replaced: by its supervisor, or without
    one by itself. With --debugger a skill may stop at breakpoint() for as long as the team's attempt_timeout allows,
    beside `hustings up --skip NAME`: skills run in a child that no watchdog ends, and this process sends heartbeats.
    """
    supervised = die_with_parent()
    found = [load(target) for target in targets]
    specialists, team = chosen(found, only), team or team_of(found)
    text = log_format == "text" or (log_format is None and sys.stderr.isatty())
    settings, name = loud(settings, verbose), specialists[0].name
    configure_logging(name, format="text" if text else "json", level=level(settings, name, supervised))
    set_up(name)
    watchdog = Watchdog(heartbeat_timeout_of(found), os._exit if supervised else begin_anew)
    command = [sys.executable, "-m", "hustings.agents.cli", "isolated", *targets, *(f"--only={name}" for name in only)]
    watchdog.code = go(_serve, settings, specialists, team, command, watchdog, debugger)
    if watchdog.code == RECYCLE and not supervised:
        begin_anew(RECYCLE)
    return watchdog.code


def chosen(found: Sequence[Team | Specialist], only: Sequence[str]) -> list[Specialist]:
    """The specialists to run. Raises UsageError, NotFound."""
    return [specialist for each in found for specialist in _chosen(each, only)]


def team_of(found: Sequence[Team | Specialist]) -> str | None:
    """The name of the first team among them."""
    return next((each.name for each in found if isinstance(each, Team)), None)


def heartbeat_timeout_of(found: Sequence[Team | Specialist]) -> float:
    """How long their processes may be silent: the longest of their teams, never less than the default."""
    return max([timing.HEARTBEAT_TIMEOUT, *(each.heartbeat_timeout for each in found if isinstance(each, Team))])


def _chosen(found: Team | Specialist, only: Sequence[str]) -> list[Specialist]:
    if isinstance(found, Specialist):
        return [found]
    chosen = [found.specialist(name) for name in only] or list(found.specialists)
    if not chosen:
        raise UsageError(f"team {found.name} has no specialists of its own")
    return chosen


async def _serve(
    settings: Settings,
    specialists: Sequence[Specialist],
    team: str | None,
    command: Sequence[str],
    watchdog: Watchdog,
    debugger: bool,
) -> int:
    async with broker(_nearest(settings), start="always") as url:
        name = team or await _running_team(url)
        async with (
            watchdog.watching(),
            open_bus(url, name, name=specialists[0].name) as bus,
            open_isolated(
                [*command, "--team", name], terminal=os.dup(0) if debugger else None, HUSTINGS_URL=url
            ) as isolated,
        ):
            workers = [
                Worker(each, bus, instance=f"{each.name}-{new_run()}", isolated=isolated, isolate_all=debugger)
                for each in specialists
            ]
            return await _work(workers, watchdog)


async def _work(workers: Sequence[Worker], watchdog: Watchdog) -> int:
    """Serve until told to stop, or until a worker asks to be recycled. Gives the exit code."""
    code = RECYCLE

    def drain() -> None:
        watchdog.limit(code)
        for worker in workers:
            worker.drain.set()

    async def told() -> None:
        nonlocal code
        code = await until_told()
        drain()

    async def recycle(worker: Worker) -> None:
        await worker.recycle.wait()
        drain()

    async with anyio.create_task_group() as waiting:
        waiting.start_soon(told)
        async with anyio.create_task_group() as serving:
            for worker in workers:
                waiting.start_soon(recycle, worker)
                serving.start_soon(worker.serve)
        waiting.cancel_scope.cancel()
    return code


def _nearest(settings: Settings) -> Settings:
    """If no broker runs in this folder, and this user has exactly one team up in another folder: that folder."""
    if settings.url or find_embedded(settings.home):
        return settings
    others = homes()
    if len(others) != 1:
        return settings
    say(f"no broker runs here: joining the one in {others[0]}")
    return replace(settings, home=others[0])


async def _running_team(url: str) -> str:
    """The only team on this broker, or of several the only one whose coordinator answers. Raises UsageError."""
    names = await teams(url)
    if len(names) > 1:
        names = [name for name in names if await _has_coordinator(url, name)]
    if len(names) == 1:
        return names[0]
    hint = (
        "Name it with --team." if names else "Start one with `hustings up`, or name the team to wait for with --team."
    )
    raise UsageError("the team is not clear", f"on this broker: {', '.join(names) or 'no team'}", hint)


async def _has_coordinator(url: str, team: str) -> bool:
    async with open_bus(url, team, name="look") as bus:
        return any(present.name == COORDINATOR for present in await bus.live.roll_call())
