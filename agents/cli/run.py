"""`moot run TARGET`: ask a team for an outcome, follow it live, print what came out. Starts what is not running."""

from collections.abc import Sequence
from contextlib import AsyncExitStack, aclosing
from functools import partial
from pathlib import Path

import anyio
import click
from anyio import get_cancelled_exc_class

from moot.bus import beside
from moot.protocols import BrokerUnavailable, MootError

from ..client import Client, connect
from ..folding import evolve
from ..report import Report, exit_code, report, unproved
from ..state import RunState
from ..team import Team, load_team
from .export import keep
from .goal import HELP, Asked, build, parse
from .launch import absentees, children, supervised
from .options import Settings, common, durability
from .output import emit, say
from .progress import Watcher, watcher
from .reach import broker, go
from .tell import tell

LOST = 5.0  # seconds without a broker after which a run is given up from here


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("target", metavar="MODULE:TEAM")
@click.argument("fields", nargs=-1, type=click.UNPROCESSED, metavar="[GOAL FLAGS]...")
@click.option("--patience", type=float, help="Give the run up after so many seconds.")
@click.option("--verbose", "-v", is_flag=True, help="Show the logs of what is started here.")
@durability
@common
def run(settings: Settings, target: str, fields: Sequence[str], patience: float | None, verbose: bool) -> int:
    """Ask a team for an outcome: each field of its goal is a flag. `moot run MODULE:TEAM --help` lists them."""
    if target in HELP:  # not click's own, which would not wait for the goal's flags
        click.echo(click.get_current_context().get_help())
        return 0
    team = load_team(target)
    return go(pursue, settings, target, team, parse(team, target, fields), patience, verbose)


async def pursue(
    settings: Settings, target: str, team: Team, asked: Asked, patience: float | None, verbose: bool
) -> int:
    """One run from the flags to the printed outcome; gives the exit code. Raises BrokerUnavailable, UsageError."""
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(broker(settings, start="always"))
        client = await stack.enter_async_context(connect(url, team.name, name="cli"))
        await stack.enter_async_context(beside(partial(_watch, client)))
        goal = await build(client, team, asked)
        show = stack.enter_context(watcher(settings, team))
        missing = await absentees(client, team)
        if missing:
            show.note(f"starting {len(missing)} processes: {', '.join(missing)}")
            processes = children(target, team, url, parts=missing)
            await stack.enter_async_context(supervised(settings, team, url, processes, verbose=verbose))
        came = await _follow(client, await client.ask(goal, patience=patience), show)
        folder = _keep(settings, team, came)
        await keep(client.bus, came.run, folder)
    emit(settings, came, partial(tell, team, folder))
    return _code(team, came)


async def _follow(client: Client, run: str, show: Watcher) -> Report:
    """Follow a run to its end. Interrupted, it is withdrawn: nobody would wait for it."""
    state = RunState(run)
    show.note(f"run {run}")
    try:
        async with (
            client.bus.live.watch() as live,
            beside(partial(show.listen, live)),
            aclosing(client.follow(run)) as log,
        ):
            async for entry in log:
                evolve(state, entry)
                show.entry(state, entry)
    except get_cancelled_exc_class():
        with anyio.move_on_after(1, shield=True):
            await client.cancel(run, "interrupted")
        raise
    return report(client.bus.team, state)


async def _watch(client: Client) -> None:
    await client.bus.connection.lost(LOST)
    raise BrokerUnavailable(
        "the broker is gone", f"it has not answered for {LOST:g} s; the run goes on when it is back"
    )


def _keep(settings: Settings, team: Team, came: Report) -> Path:
    """Write the report, and what the team adds to it, under .moot/runs/ID/."""
    folder = settings.home / "runs" / came.run
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(came.model_dump_json(indent=2))
    for name, text in team.files(came).items():
        (folder / name).write_text(text)
    return folder


def _code(team: Team, came: Report) -> int:
    code = exit_code(came, team.outcome)
    if code == 4:
        say(f"unproved: {unproved(came, team.outcome)}")
    elif code:
        error = MootError(f"run {came.run} {came.status}", came.because, f"`moot show {came.run}` has the whole story")
        say(f"error: {error.what}\n  why: {error.why}\n  try: {error.hint}")
    return code
