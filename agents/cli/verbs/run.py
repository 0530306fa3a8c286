"""`hustings run TARGET`: give a team a goal, follow the run, print the outcome. Starts the missing processes."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing
from functools import partial
from pathlib import Path
from typing import NamedTuple

import anyio
import click
from anyio import get_cancelled_exc_class

from hustings.bus import background, make_home
from hustings.protocols import Goal, RunPartial, UsageError

from ...client.client import Client, connect
from ...client.run import Run
from ...decider.state import RunState
from ...deploy.launch import absentees, children, supervised
from ...deploy.supervisor import Supervisor
from ...history.run_report import (
    RunReport,
    shortfall,
)
from ...history.timeline import Recorder, Timeline
from ...team import Team
from ...views.text import some
from ..frame.errors import Shape
from ..frame.loading import load_team
from ..frame.options import common, durability, loud, verbosity
from ..frame.output import (
    echo,
    emit,
    on_stderr,
    say,
)
from ..frame.session import attend, broker, go, parting, watch
from ..frame.settings import CHOICES, Settings
from ..frame.streams import stdout
from ..frame.width import folded, width_of
from .export import keep
from .goal import Asked, Asking, build, changes, parse
from .progress import Watcher, watcher
from .show import failed
from .tell import tell

SHOWN = ('"event": "failed"',)  # log events of agents that the run's own lines show
Epilogue = Callable[[], AbstractAsyncContextManager[Callable[[RunReport], Awaitable[str]]]]


@click.command(cls=Asking)
@click.argument("target", metavar="MODULE:TEAM")
@click.argument("fields", nargs=-1, type=click.UNPROCESSED, metavar="[GOAL FLAGS]...")
@click.option(
    "--execution-timeout", type=click.FloatRange(min=0, min_open=True), help="End the run after so many seconds."
)
@click.option("--only", multiple=True, metavar="NAME", help="Use only this witness; repeat for more.")
@click.option("--skip", multiple=True, metavar="NAME", help="Leave out this specialist; repeat for more.")
@click.option("--apply", is_flag=True, help="Write the outcome to the paths of the goal, if they are unchanged.")
@verbosity
@durability
@common
def run(
    settings: Settings,
    target: str,
    fields: Asked,
    execution_timeout: float | None,
    only: Sequence[str],
    skip: Sequence[str],
    apply: bool,
    verbose: int,
) -> int:
    """Give a team a goal: each field of the goal is a flag. `hustings run MODULE:TEAM --help` lists them.

    Options before the team's name belong to this command. After it, a name that the goal has too is refused; write
    `--goal.NAME` for the goal's.
    """
    options = RunOptions(execution_timeout, tuple(only), tuple(skip), apply)
    return _start(settings, target, load_team(target), fields, options, verbose)


def run_team(
    settings: Settings, target: str, goal: Sequence[str], options: "RunOptions | None" = None, verbose: int = 0
) -> int:
    """What `hustings run TARGET` does, for the verb of another package: give the team at MODULE:TEAM a goal, follow the
    run, print the outcome. Gives the exit code. `goal` has the goal's flags, as "--goal.NAME=VALUE".

    Raises UsageError, NotFound, BrokerUnavailable.
    """
    team = load_team(target)
    return _start(settings, target, team, parse(team, target, goal), options or RunOptions(), verbose)


def _start(settings: Settings, target: str, team: Team, asked: Asked, options: "RunOptions", verbose: int) -> int:
    if options.apply and team.apply is None:
        raise UsageError(f"team {team.name} does not support --apply", hint="Leave out --apply.")
    options = options._replace(skip=_skipped(team, options.only, options.skip))
    return go(pursue, loud(settings, verbose), target, team, asked, options)


class RunOptions(NamedTuple):
    """The options of a run. `only` and `skip` as in GoalAsked; `apply`: use the outcome here."""

    execution_timeout: float | None = None
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    apply: bool = False


def _skipped(team: Team, only: Sequence[str], skip: Sequence[str]) -> tuple[str, ...]:
    """Who takes no part: the skipped, and the team's witnesses that `only` does not name.

    Raises NotFound; UsageError: `only` names a member that is no witness.
    """
    for name in skip:
        team.specialist(name)
    for member in team.specialists:
        if member.name in only and member.skills and not any(skill.witness for skill in member.skills.values()):
            raise UsageError(
                f"--only {member.name}: it is no witness", "--only chooses among witnesses", "Leave it out."
            )
    witnesses = [each.name for each in team.specialists if all(skill.witness for skill in each.skills.values())]
    return tuple(dict.fromkeys([*skip, *(name for name in witnesses if only and name not in only)]))


async def pursue(
    settings: Settings, target: str, team: Team, asked: Asked, options: RunOptions, epilogue: Epilogue | None = None
) -> int:
    """One run from the flags to the printed outcome; gives the exit code. Raises BrokerUnavailable, UsageError.

    `epilogue` is entered before the run; in text output, what it gives is printed last.
    """
    if epilogue is None or settings.output != "text":
        return (await _pursue(settings, target, team, asked, options))[1]
    async with epilogue() as last_word:
        came, code = await _pursue(settings, target, team, asked, options)
        with parting(lambda: f"run {came.run} had ended: {came.status}; what was to follow is cancelled"):
            echo(folded("\n" + await last_word(came), width_of(stdout())))
        return code


async def _pursue(
    settings: Settings, target: str, team: Team, asked: Asked, options: RunOptions
) -> tuple[RunReport, int]:
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(broker(settings, start="always"))
        client = await stack.enter_async_context(connect(team, url, name="cli"))
        await stack.enter_async_context(background(partial(watch, client.bus.connection)))
        with parting(lambda: "no run was begun"):
            goal = await build(client, team, asked)
            show = stack.enter_context(watcher(settings, team))
            for line in changes(team, goal, asked) if team.prepare else ():
                show.note(line)
            missing = [name for name in await absentees(client.bus.live, team) if name not in options.skip]
            supervisor: Supervisor | None = None
            if missing:
                show.note(f"starting {some(len(missing), 'process')}: {', '.join(missing)}")
                supervisor = await stack.enter_async_context(_started(settings, target, team, url, missing))
            run = await client.ask(
                goal, execution_timeout=options.execution_timeout, only=options.only, skip=options.skip
            )
        timeline = await _follow(client, run, show, supervisor)
        came = timeline.report
        _say_what_failed(came)
        files = team.files(came)
        folder = _keep(settings, came, files)
        await keep(client.bus, timeline, folder)
        code = _code(team, came)
        usable = code in (0, RunPartial.exit_code)
        applied = await _apply(client, team, asked, goal, came) if options.apply and usable else ""
    if settings.output in CHOICES["output"]:
        emit(settings, came, lambda _: tell(team, folder, timeline, because=code == 0))
    else:
        own = [text for name, text in files.items() if name.endswith(f".{settings.output}")]
        echo("".join(own).encode(), nl=False)
    if applied:
        say(applied)
    return came, code


def _say_what_failed(came: RunReport) -> None:
    """The tasks that failed for good; an error that follows says where to look at the first of them."""
    if not came.dead:
        return
    say(failed(came))
    if came.status == "partial" or len(came.dead) > 1:
        say(f"{some(len(came.dead), 'dead letter')}: hustings dead ls --run {came.run}")


def _started(
    settings: Settings, target: str, team: Team, url: str, parts: Sequence[str]
) -> AbstractAsyncContextManager[Supervisor]:
    """These parts of the team as processes."""
    processes = children(target, team, url, parts=parts, env={"HUSTINGS_LOG": settings.log})
    relay, color = on_stderr(settings)
    known = () if settings.log else SHOWN
    return supervised(
        settings.home, team, url, processes, tell=relay, color=color, log=settings.log, whole=True, known=known
    )


async def _apply(client: Client, team: Team, asked: Asked, goal: Goal, came: RunReport) -> str:
    """Use the outcome on the goal's paths. Raises UsageError: they have changed since the run began."""
    assert team.apply
    for name, (path, kind) in asked.paths.items():
        if (await client.upload(path, kind)).digest != getattr(goal, name).digest:
            raise UsageError(f"{path} has changed since the run began", "nothing was applied", "Run it again.")
    return team.apply(came, {name: path for name, (path, _) in asked.paths.items()})


async def _follow(client: Client, run: Run, show: Watcher, supervisor: Supervisor | None) -> Timeline:
    """Follow a run to its end. If interrupted, cancel it, and say so: nobody would wait for its outcome."""
    recorder = Recorder(RunState(run.id))
    show.note(f"run {run.id}")
    try:
        async with (
            client.bus.live.watch() as live,
            background(partial(show.listen, live)),
            background(partial(attend, client.bus.live, show.note)),
            aclosing(run.follow()) as log,
        ):
            async for entry in log:
                recorder.hear(entry)
                show.entry(recorder.state, entry)
    except get_cancelled_exc_class():
        with anyio.CancelScope(shield=True):
            say(f"run {run.id} {await _cancelled(run, _interrupted(supervisor))}{_stopped(supervisor)}")
        raise
    return recorder.timeline(client.bus.team)


async def _cancelled(run: Run, because: str) -> str:
    """Cancel the run; says how far that came within a second."""
    how = "goes on: it could not be cancelled, because the broker does not answer"
    with anyio.move_on_after(1):
        await run.cancel(because)
        how = "is cancelled, and ends as soon as a coordinator is up"
        await run.wait()
        how = "is cancelled"
    return how


def _stopped(supervisor: Supervisor | None) -> str:
    return f"; stopping the {some(len(supervisor.statuses), 'process')} that it started" if supervisor else ""


def _interrupted(supervisor: Supervisor | None) -> str:
    """Why nobody follows the run any more."""
    lost = [each.name for each in supervisor.statuses if each.state == "gave up"] if supervisor else []
    return f"{', '.join(lost)} cannot start" if lost else "interrupted"


def _keep(settings: Settings, came: RunReport, files: Mapping[str, str]) -> Path:
    """Write the report, and the team's own files, under .hustings/runs/ID/."""
    folder = make_home(settings.home) / "runs" / came.run
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(came.model_dump_json(indent=2), encoding="utf-8")
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def _code(team: Team, came: RunReport) -> int:
    """The exit code; unless it is 0, print to stderr what failed, why, and what to try."""
    error = shortfall(came, team.outcome)
    if error is None:
        return 0
    say("\n".join(Shape(error.what, error.why, error.hint, error.exit_code).lines()))
    return error.exit_code
