"""`hustings chaos TEAM`: inject faults into a team of real processes by a seed, and check the result from outside."""

import secrets
import shlex
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from hustings.protocols import Goal, UsageError

from ...chaos import (
    Violation,
    check,
    dump,
    figures,
    schedule,
    storm,
)
from ...chaos.history import History
from ...chaos.storm import Plan
from ...team import Team
from ..frame.loading import load_team
from ..frame.options import common, loud, verbosity
from ..frame.output import emit, say
from ..frame.session import go, parting
from ..frame.settings import Settings
from .goal import Asked, Asking, goal_of

RATE = 40  # tasks a second: half of what the example team can do, because each fault costs seconds


@click.command(cls=Asking, sets={"tasks": "chaos has to know how many effects a run has"})
@click.argument("target", metavar="MODULE:TEAM")
@click.argument("fields", nargs=-1, type=click.UNPROCESSED, metavar="[GOAL FLAGS]...")
@click.option("--faults", type=click.IntRange(min=0), default=60, show_default=True, help="Number of faults.")
@click.option("--tasks", type=click.IntRange(min=1), default=5000, show_default=True, help="Number of tasks in all.")
@click.option("--batch", type=click.IntRange(min=1), default=100, show_default=True, help="Tasks in one run.")
@click.option("--pace", default=2.0, show_default=True, help="Average seconds between two faults, at least.")
@click.option("--seed", type=int, help="Decides victims, faults and times.  [default: random, and printed]")
@click.option("--keep", type=click.Path(path_type=Path), help="Keep logs and history in this folder.")
@verbosity
@common
def chaos(
    settings: Settings,
    target: str,
    fields: Asked,
    faults: int,
    tasks: int,
    batch: int,
    pace: float,
    seed: int | None,
    keep: Path | None,
    verbose: int,
) -> int:
    """Kill, terminate and pause the processes of a team and its broker while it works, then check the result.

    The team's goal needs a field `tasks`, the number of effects of one run; hustings.examples.chaos_team:team has one.
    The goal's other fields are flags, as in `hustings run`. The command starts processes and broker for itself alone.
    Exit code 0: nothing was lost, duplicated or stuck, and every promise was kept.
    """
    team = load_team(target)
    goal = _goals(team, fields)
    if keep and keep.exists() and any(keep.iterdir()):
        raise UsageError(f"{keep} is not empty", "the files of one storm need a folder of their own")
    number = secrets.randbelow(10**6) if seed is None else seed
    duration = max(faults * pace, tasks / RATE)
    options = f"--faults {faults} --tasks {tasks} --batch {batch} --pace {pace:g} --seed {number}"
    again = shlex.join(["hustings", "chaos", target, *options.split(), *fields.flags])
    say(again)
    plan = Plan(target, team, goal, tasks, batch, schedule(number, faults, duration), duration)
    folder = keep or Path(tempfile.mkdtemp(prefix="hustings-chaos-"))
    began = time.monotonic()
    history = go(_storm, plan, folder, loud(settings, verbose).log)
    violations = check(history)
    told = summary(number, time.monotonic() - began, history, violations)
    dump(history, folder / "history.jsonl")
    emit(settings, told, _text)
    if violations:
        say(f"logs and history are in {folder}; to repeat: {again}")
    elif keep is None:
        shutil.rmtree(folder)
    return 1 if violations else 0


def summary(seed: int, seconds: float, history: History, violations: Sequence[Violation]) -> dict[str, Any]:
    """What the storm came to, for JSON."""
    broken = [{"promise": violation.name, "says": violation.says} for violation in violations]
    return {"seed": seed, "seconds": round(seconds, 1), **figures(history), "violations": broken}


async def _storm(plan: Plan, folder: Path, log_levels: str) -> History:
    with parting(lambda: "the processes and their broker are stopped, and nothing was checked"):
        return await storm(plan, folder, say, log_levels)


def _goals(team: Team, asked: Asked) -> Callable[[int], Goal]:
    """A function that makes a goal of so many tasks; its other fields come from the flags."""
    if asked.paths:
        raise UsageError(f"the goal of team {team.name} takes files", "chaos does not upload any")
    return lambda tasks: goal_of(team, {**asked.values, "tasks": tasks})


def _text(told: dict[str, Any]) -> str:
    goals, effects = told["goals"], told["effects"]
    lost = f"{goals['lost']} lost, {goals['stuck']} stuck"
    lines = [
        f"goals      {goals['accepted']} accepted, {goals['ended']} ended, {lost}",
        f"effects    {effects['expected']} expected, {effects['done']} done, {effects['duplicated']} duplicated",
        f"tasks      {told['results']} results of {told['attempts']} attempts, {told['abandoned']} abandoned, "
        f"{told['finished_tasks_repeated']} finished ones begun again, {told['dead_letters']} dead letters",
        f"faults     {', '.join(f'{count} {what}' for what, count in sorted(told['faults'].items())) or 'none'}",
        f"           {told['faults_at_work']} of them while there was work",
        f"stalls     {_spread(told['stalls'])}",
        *(f"recovery   {victim:<12} {_spread(times)}" for victim, times in sorted(told["recovery"].items())),
        f"seed {told['seed']}, {told['seconds']} s",
    ]
    violations = [Violation(each["promise"], each["says"]) for each in told["violations"]]
    names = {each.name: sum(other.name == each.name for other in violations) for each in violations}
    first = {each.name: each.says for each in reversed(violations)}
    broken = [f"BROKEN     {name} ({count}): {first[name]}" for name, count in names.items()]
    return "\n".join([*lines, *(broken or ["every promise was kept"])])


def _spread(times: dict[str, Any]) -> str:
    if not times["count"]:
        return "none"
    return f"{times['count']}, p50 {times['p50']:g} s, p99 {times['p99']:g} s, longest {times['max']:g} s"
