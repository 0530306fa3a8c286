"""`hustings show RUN`: one run: its goal, who did what, what was settled, and the outcome."""

import json
from typing import Any

import click

from hustings.protocols import Data, Verdict

from ...client.client import Client
from ...decider.state import RunState, StepState, TaskState
from ...history.run_report import RunReport, report
from ...observe.sanitize import inert
from ...views.text import (
    by_rule,
    plain,
    some,
    span,
)
from ...views.verdicts import line
from ..frame.options import common
from ..frame.output import emit
from ..frame.session import go, reading
from ..frame.settings import Settings
from ..frame.table import cut, shaded, table

LINES, WIDTH = 24, 160  # of a JSON document in text
UNDECIDED = LETTERS = 10  # how many are named in text


@click.command()
@click.argument("run")
@click.option("--team", help="The team of the run, if the id fits runs of several teams.")
@common
def show(settings: Settings, run: str, team: str | None) -> None:
    """Show one run: its plan, conflicts, verdicts and outcome.

    RUN is an id, the beginning of one, @last or @prev.
    """
    found, state = go(_show, settings, run, team)
    emit(settings, found, lambda data: text(data, state))


async def _show(settings: Settings, run: str, team: str | None) -> tuple[RunReport, RunState]:
    async with reading(settings, run, team) as (bus, found):
        state = await Client(bus).run(found).state()
        return report(bus.team, state), state


def text(found: RunReport, state: RunState) -> str:
    """A run for people."""
    parts = [_head(found, state), _steps(state), _inquiries(state), _settled(found, state), _missing(state)]
    parts += [failed(found), _dead(found)]
    if conflicts := [verdict for verdict in found.verdicts if verdict.contested]:
        parts.append("\n".join(["conflicts", *(f"  {cut(plain(line(verdict)), WIDTH)}" for verdict in conflicts)]))
    if outcome := {name: value for name, value in found.outcome.items() if value != found.plain()["verdicts"]}:
        parts.append(f"outcome\n{shortened(outcome)}")
    return "\n\n".join(part for part in parts if part)


def shortened(data: Data) -> str:
    """The data as JSON, cut to LINES lines."""
    lines = [cut(inert(line), WIDTH) for line in json.dumps(data, indent=2, ensure_ascii=False).splitlines()]
    if len(lines) > LINES:
        lines[LINES:] = [f"… {len(lines) - LINES} more lines; -o json has all"]
    return "\n".join(f"  {line}" for line in lines)


def _head(found: RunReport, state: RunState) -> str:
    goal = state.goal
    status = shaded(found.status) + (f": {plain(found.because)}" if found.because else "")
    asked = plain(f"{goal.type}, asked by {goal.by}") if goal else "the goal cannot be read"
    lines = [
        f"run      {found.run} of team {found.team}, {span(found.seconds)}, {some(found.events, 'event')}",
        f"status   {status}",
        f"goal     {asked}",
        *([f"         {cut(plain(json.dumps(goal.goal, ensure_ascii=False)), WIDTH)}"] if goal else []),
    ]
    return "\n".join(lines)


def _steps(state: RunState) -> str:
    if state.plan is None:
        return "not planned"
    tasks: dict[str, list[TaskState]] = {}
    for task in state.tasks.values():
        tasks.setdefault(task.step, []).append(task)
    rows = [_step(state.steps[step.id], tasks.get(step.id, [])) for step in state.plan.steps]
    return table(("step", "agent", "state", "tasks", "took", "attempts", "after"), rows, shade=2)


def _step(step: StepState, tasks: list[TaskState]) -> tuple[object, ...]:
    agents = dict.fromkeys(task.agent for task in tasks) or step.step.agents
    doing = "running" if step.status == "ready" and tasks else step.status
    needs = [name for ref in step.step.inputs.values() for name in getattr(ref, "steps", ())]
    took = span(sum(task.seconds for task in tasks)) if any(task.status == "done" for task in tasks) else "-"
    attempts = max((task.attempt for task in tasks), default=0)
    return step.step.id, ", ".join(agents), doing, len(tasks), took, attempts, ", ".join(dict.fromkeys(needs)) or "-"


def _inquiries(state: RunState) -> str:
    rows = [
        (name, task.agent, task.status, state.asks[name].asker if name in state.asks else task.asked_by, task.attempt)
        for name, task in state.tasks.items()
        if task.asked_by
    ]
    return table(("inquiry", "agent", "state", "asked for", "attempts"), rows, shade=2)


def _settled(found: RunReport, state: RunState) -> str:
    if not state.barriers:
        return ""
    matters = state.conflicts + state.agreed
    lines = [f"{some(matters, 'matter')}, {state.conflicts} of them conflicts: {by_rule(found.verdicts)}"]
    undecided = [verdict for verdict in found.verdicts if not verdict.decided]
    lines += [_undecided(verdict, state) for verdict in undecided[:UNDECIDED]]
    if len(undecided) > UNDECIDED:
        lines.append(f"  … {len(undecided) - UNDECIDED} more undecided")
    return "\n".join(lines)


def _undecided(verdict: Verdict, state: RunState) -> str:
    matters: dict[str, Any] = {matter.id: matter for barrier in state.barriers.values() for matter in barrier.matters}
    about = matters[verdict.matter].about if verdict.matter in matters else ""
    return "  " + cut(plain(f"undecided {verdict.matter} {about}: {verdict.because}"), WIDTH)


def _missing(state: RunState) -> str:
    rows = [f"  {plain(agent)}: {plain(because)}" for agent, because in state.missing.items()]
    return "\n".join(["missing", *rows]) if rows else ""


def failed(found: RunReport) -> str:
    """The tasks that failed for good, each with the place and the text of its exception."""
    rows = [
        f"  {plain(task.task + (f' at {task.at}' if task.at else ''))}: {cut(plain(task.because), WIDTH)}"
        for task in found.failed[:LETTERS]
    ]
    more = [f"  … {len(found.failed) - LETTERS} more"] if len(found.failed) > LETTERS else []
    return "\n".join(["failed", *rows, *more]) if rows else ""


def _dead(found: RunReport) -> str:
    more = f"; all of them: hustings dead ls --run {found.run}" if len(found.dead) > LETTERS else ""
    return f"dead letters: {', '.join(found.dead[:LETTERS])}{more}" if found.dead else ""
