"""`hustings agent TARGET...`: specialists in a process of their own, on any machine that reaches the bus."""

import os
import sys
from collections.abc import Sequence

import anyio
import click
from click.core import ParameterSource

from hustings.bus import open_bus
from hustings.bus.client.contact import redact
from hustings.protocols import UsageError, timing

from ...client.client import new_run
from ...deploy.launch import until_told
from ...deploy.watchdog import Watchdog
from ...observe.logger import structlog
from ...observe.logs import configure_logging
from ...observe.telemetry import set_up
from ...runtime.isolation import open_isolated
from ...runtime.process import RECYCLE, begin_anew, die_with_parent
from ...runtime.worker import Worker
from ...skills.specialist import Specialist
from ...team import Team
from ..frame.loading import load
from ..frame.options import common, level, loud, verbosity
from ..frame.session import broker, go
from ..frame.settings import Settings
from .joining import Wanted, chosen_team, nearest


@click.command()
@click.argument("targets", nargs=-1, required=True, metavar="MODULE:NAME...")
@click.option("--only", multiple=True, metavar="NAME", help="Run only this specialist of a team.")
@click.option(
    "--team", envvar="HUSTINGS_TEAM", show_envvar=True, help="The team to work for.  [default: the only one that is up]"
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

    They work for the team that --team names, else for their own, else for the only one on the broker of --url or of
    this folder. If no broker ever ran here, a team that is named is looked for in your other folders. The log says
    which team it is, and why.

    On SIGTERM the process finishes its current tasks, returns those not yet begun to the queue, and ends. A process
    with too many skills that ignored their cancellation or hang in threads is replaced: by its supervisor, or without
    one by itself. With --debugger a skill may stop at breakpoint() for as long as the team's attempt_timeout allows,
    beside `hustings up --skip NAME`: skills run in a child that no watchdog ends, and this process sends heartbeats.
    """
    supervised = die_with_parent()
    found = [load(target) for target in targets]
    specialists = chosen(found, only)
    text = log_format == "text" or (log_format is None and sys.stderr.isatty())
    settings, name = loud(settings, verbose), specialists[0].name
    configure_logging(name, format="text" if text else "json", level=level(settings, name, supervised))
    set_up(name)
    watchdog = Watchdog(heartbeat_timeout_of(found), os._exit if supervised else begin_anew)
    command = [sys.executable, "-m", "hustings.agents.cli", "isolated", *targets, *(f"--only={name}" for name in only)]
    watchdog.code = go(_serve, settings, specialists, _wanted(team, found), command, watchdog, debugger, supervised)
    if watchdog.code == RECYCLE and not supervised:
        begin_anew(RECYCLE)
    return watchdog.code


def chosen(found: Sequence[Team | Specialist], only: Sequence[str]) -> list[Specialist]:
    """The specialists to run. Raises UsageError, NotFound."""
    return [specialist for each in found for specialist in _chosen(each, only)]


def _wanted(team: str | None, found: Sequence[Team | Specialist]) -> Wanted:
    """The team that was given, or the specialists' own."""
    if not team:
        return Wanted(team_of(found), "they are its members")
    variable = click.get_current_context().get_parameter_source("team") is ParameterSource.ENVIRONMENT
    return Wanted(team, f"{'HUSTINGS_TEAM' if variable else '--team'} names it")


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
    wanted: Wanted,
    command: Sequence[str],
    watchdog: Watchdog,
    debugger: bool,
    supervised: bool,
) -> int:
    if not supervised:
        settings, wanted = nearest(settings, wanted)
    async with broker(settings, start="always") as url:
        name = wanted.team if supervised and wanted.team else await _joined(url, wanted)
        async with (
            watchdog.watching(),
            open_bus(url, name, name=specialists[0].name) as bus,
            open_isolated(
                [*command, "--team", name],
                terminal=os.dup(0) if debugger else None,
                HUSTINGS_URL=url,
                HUSTINGS_LOG=settings.log,
            ) as isolated,
        ):
            workers = [
                Worker(each, bus, instance=f"{each.name}-{new_run()}", isolated=isolated, isolate_all=debugger)
                for each in specialists
            ]
            return await _work(workers, watchdog)


async def _joined(url: str, wanted: Wanted) -> str:
    """The team to work for; the log says which and why. Raises UsageError."""
    team, because = await chosen_team(url, wanted)
    assert team
    structlog.get_logger().info(f"joins team {team}: {because}", team=team, broker=redact(url))
    return team


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
