"""`hustings show RUN`: one run: its goal, who did what, what was settled, and the outcome."""

import json
from collections.abc import Iterator, Sequence

import click

from hustings.protocols import Data, UsageError

from ...client.client import Client
from ...decider.state import RunState, StepState, TaskState
from ...history.conflicts import cases
from ...history.model_calls import ModelCall, filled, model_calls
from ...history.run_report import FailedTask, RunReport, report
from ...observe.sanitize import inert
from ...views.model_calls import spoken, told
from ...views.outline import outline
from ...views.outline_text import shown
from ...views.retries import waiting
from ...views.text import by_rule, contested, plain, some, span
from ...views.verdicts import ending, verdicts
from ..frame.options import common
from ..frame.output import emit
from ..frame.session import go, reading
from ..frame.settings import Settings
from ..frame.table import columns, cut, shaded, table
from .tell import outcome

FEW = 6  # lines of a piece of a request
LINES, WIDTH = 24, 160  # of a JSON document in text
LETTERS = 10  # how many are named in text
DETAILED = 3  # how many failed tasks are shown with the values at the place where they failed


@click.command()
@click.argument("run")
@click.option("--team", help="The team of the run, if the id fits runs of several teams.")
@click.option("--models", is_flag=True, help="Show what each model was asked, too, and what it replied.")
@click.option("--full", is_flag=True, help="Cut nothing of it.")
@common
def show(settings: Settings, run: str, team: str | None, models: bool, full: bool) -> None:
    """Show one run: its plan, conflicts, verdicts and outcome.

    RUN is an id, the beginning of one, @last or @prev. With --models each call of a model shows what it adds to the
    conversation; -o json has each request whole.
    """
    if full and not models:
        raise UsageError("--full goes with --models", hint="Add --models.")
    found, state = go(_show, settings, run, team)
    if not models:
        return emit(settings, found, lambda data: text(data, state))
    calls = go(_calls, settings, found.run, found.team)
    data = found.model_dump(mode="json") | {"model_calls": [call.model_dump(mode="json") for call in calls]}
    emit(settings, data, lambda _: f"{text(found, state)}\n\n{asked(calls, full=full)}")


async def _calls(settings: Settings, run: str, team: str | None) -> tuple[ModelCall, ...]:
    async with reading(settings, run, team) as (bus, found):
        return model_calls(await filled(bus, [entry async for entry in bus.log.read(found)]))


async def _show(settings: Settings, run: str, team: str | None) -> tuple[RunReport, RunState]:
    async with reading(settings, run, team) as (bus, found):
        state = await Client(bus).run(found).state()
        return report(bus.team, state), state


def text(found: RunReport, state: RunState) -> str:
    """A run for people."""
    parts = [_head(found, state), _steps(state), _inquiries(state), _settled(found, state), _missing(state)]
    parts += [_due(found), failed(found), _dead(found)]
    parts.append("\n".join(_conflicts(state)))
    parts.append("\n".join(["OUTCOME", *(f"  {line}" for line in lines)]) if (lines := outcome(found)) else "")
    return "\n\n".join(part for part in parts if part)


def asked(calls: Sequence[ModelCall], *, full: bool = False) -> str:
    """What the models were asked and replied, by task, for people."""
    tasks: dict[tuple[str, str, int], list[ModelCall]] = {}
    for call in calls:
        tasks.setdefault((call.task, call.agent, call.attempt), []).append(call)
    cutting = "" if full else " (long pieces cut; --full has all)"
    lines = [f"WHAT THE MODELS WERE ASKED{cutting}" if tasks else "no model was called"]
    for (task, agent, attempt), made in tasks.items():
        lines += ["", plain(f"{task} ({agent}, attempt {attempt})")]
        lines += [line for call in made for line in _call(call, full=full)]
    return "\n".join(lines)


def _call(call: ModelCall, *, full: bool) -> Iterator[str]:
    yield f"  {told(call)}"
    for who, said in spoken(call):
        yield f"    {plain(who)}"
        lines = inert(said).splitlines()
        few = lines if full else [cut(line, WIDTH) for line in lines[:FEW]]
        yield from (f"      {line}" for line in few)
        if len(lines) > len(few):
            yield f"      … {some(len(lines) - len(few), 'more line')}"


def shortened(data: Data) -> str:
    """The data as JSON, cut to LINES lines."""
    lines = [cut(inert(line), WIDTH) for line in json.dumps(data, indent=2, ensure_ascii=False).splitlines()]
    if len(lines) > LINES:
        lines[LINES:] = [f"… {len(lines) - LINES} more lines; -o json has all"]
    return "\n".join(f"  {line}" for line in lines)


def _head(found: RunReport, state: RunState) -> str:
    goal = state.goal
    status = shaded(ending(found)) + (f": {plain(found.because)}" if found.because else "")
    asked = plain(f"{goal.type}, asked by {goal.by}") if goal else "the goal cannot be read"
    lines = [
        f"run      {found.run} of team {found.team}, {span(found.seconds)}, {some(found.events, 'event')}",
        f"status   {status}",
        f"goal     {asked}",
        *(f"         {line}" for line in (_goal(goal.goal, found.run) if goal else ())),
    ]
    return "\n".join(lines)


def _steps(state: RunState) -> str:
    if state.plan is None:
        return "not planned"
    tasks: dict[str, list[TaskState]] = {}
    for task in state.tasks.values():
        tasks.setdefault(task.step, []).append(task)
    rows = [_step(state.steps[step.id], tasks.get(step.id, [])) for step in state.plan.steps]
    return table(("step", "agent", "state", "tasks", "work", "attempts", "after"), rows, shade=2)


def _step(step: StepState, tasks: list[TaskState]) -> tuple[object, ...]:
    agents = dict.fromkeys(task.agent for task in tasks) or step.step.agents
    doing = "running" if step.status == "ready" and tasks else step.status
    needs = [name for ref in step.step.inputs.values() for name in getattr(ref, "steps", ())]
    work = span(sum(task.seconds for task in tasks)) if any(task.status == "done" for task in tasks) else "-"
    attempts = max((task.attempt for task in tasks), default=0)
    return step.step.id, ", ".join(agents), doing, len(tasks), work, attempts, ", ".join(dict.fromkeys(needs)) or "-"


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
    return f"{contested(matters, state.conflicts)}: {by_rule(found.verdicts)}"


def _conflicts(state: RunState) -> list[str]:
    return verdicts([case for case in cases(state, {}) if case.contested or case.undecided])


def _goal(goal: Data, run: str) -> list[str]:
    return shown(outline(goal), columns(80) - 9, f"hustings export {run} --jsonl has all")


def _missing(state: RunState) -> str:
    rows = [f"  {plain(agent)}: {plain(because)}" for agent, because in state.missing.items()]
    return "\n".join(["missing", *rows]) if rows else ""


def _due(found: RunReport) -> str:
    """The failed tasks that are tried again, each with when and why."""
    rows = [f"  {cut(waiting(again), WIDTH)}" for again in found.due[:LETTERS]]
    more = [f"  … {len(found.due) - LETTERS} more"] if len(found.due) > LETTERS else []
    return "\n".join(["tried again", *rows, *more]) if rows else ""


def failed(found: RunReport) -> str:
    """The tasks that failed for good, each with the place and the text of its exception, the first ones with values."""
    rows = [
        row
        for number, task in enumerate(found.failed[:LETTERS])
        for row in (_failed(task), *(_values(task) if number < DETAILED else ()))
    ]
    more = [f"  … {len(found.failed) - LETTERS} more"] if len(found.failed) > LETTERS else []
    return "\n".join(["failed", *rows, *more]) if rows else ""


def _failed(task: FailedTask) -> str:
    return f"  {plain(task.task + (f' at {task.at}' if task.at else ''))}: {cut(plain(task.because), WIDTH)}"


def _values(task: FailedTask) -> Iterator[str]:
    return (f"    {cut(plain(f'{name} = {value}'), WIDTH)}" for name, value in task.values.items())


def _dead(found: RunReport) -> str:
    more = f"; all of them: hustings dead ls --run {found.run}" if len(found.dead) > LETTERS else ""
    return f"dead letters: {', '.join(found.dead[:LETTERS])}{more}" if found.dead else ""
