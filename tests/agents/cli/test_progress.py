"""What `hustings run` prints in a pipe while it goes on: a line for each event, a count of what is many."""

from importlib import import_module

import pytest

from hustings.agents.decider.state import AskState, RunState, StepState, TaskState
from hustings.protocols import (
    Assigned,
    Called,
    DeadLetter,
    Entry,
    Event,
    Failure,
    FromGoal,
    Result,
    Step,
    Subject,
)
from hustings.protocols.envelope import seal

progress = import_module("hustings.agents.cli.verbs.progress")
TASKS = 1000


def begun(total: int) -> RunState:
    """A run that is at work on a step of so many tasks; a task of it asked for another one."""
    state = RunState("r1", asked_at=0.0)
    step = Step(id="read", skill="read", inputs={"page": FromGoal(field="pages")}, agents=("ann",), each="page")
    state.steps["read"] = StepState(step=step, status="ready", total=total)
    for number in range(total):
        state.tasks[f"read-{number}"] = TaskState("read", "ann", 1, 0.0, 60.0, ordinal=number)
    state.tasks["ask-1"] = TaskState("", "bob", 1, 0.0, 60.0, asked_by="ask")
    state.asks["ask-1"] = AskState("read-1", 1, "look", {}, 0.0, 1)
    return state


def entry(event: Event, time: float) -> Entry:
    author = "coordinator" if isinstance(event, Assigned | DeadLetter) else "ann"
    kind = "model" if isinstance(event, Called) else "result"
    return Entry(1, Subject("r1", author, kind, ()), time, seal(event, source=author, run="r1"))


def result(task: str, time: float) -> Entry:
    return entry(Result(task=task, attempt=1, agent="ann", output={}, seconds=0.1), time)


def assigned(task: str) -> Assigned:
    return Assigned(task=task, step="read", agent="ann", attempt=1, skill="read", input={}, deadline=60.0)


def closed(state: RunState, number: int, *, done: bool) -> None:
    state.steps["read"].closed += 1
    if done:
        state.steps["read"].outputs[number] = {}


def test_many_tasks_are_counted_once_a_second_and_failures_named(capsys: pytest.CaptureFixture[str]) -> None:
    """Of 1,000 tasks in 5 s: a line a second, one at the end, and the first failures of the 20; what tasks call and ask
    for says nothing."""
    lines, state = progress.Lines(), begun(TASKS)
    for number in range(TASKS):
        task, time = f"read-{number}", number / 200
        call = Called(task=task, attempt=1, agent="ann", call="c-1", name="m", request="0")
        closed(state, number, done=number >= 20)
        events: list[Event] = [assigned(task), call, Result(task=task, attempt=1, agent="ann", output={}, seconds=0.1)]
        if number < 20:
            events[-1:] = [
                Failure(task=task, attempt=1, agent="ann", kind="raised", because="no"),
                DeadLetter(task=task, agent="ann", skill="read", attempts=1, kind="raised", because="no"),
            ]
        for event in events:
            lines.entry(state, entry(event, time))
        lines.entry(state, result("ask-1", time))
    said = capsys.readouterr().err.splitlines()
    counts = [line for line in said if "tasks done" in line]
    assert [line.split()[0] for line in counts] == ["0.0", "1.0", "2.0", "3.0", "4.0", "5.0"]
    assert counts[-1].endswith("read: 980 of 1,000 tasks done, 20 failed")
    assert sum("read-" in line for line in said) == progress.NAMED
    assert len(said) == len(counts) + progress.NAMED + 1
    assert any("further failures are counted" in line for line in said)


def test_few_tasks_have_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    lines, state = progress.Lines(), begun(progress.MANY - 1)
    for number in range(progress.MANY - 1):
        closed(state, number, done=True)
        lines.entry(state, result(f"read-{number}", number / 200))
    assert len(capsys.readouterr().err.splitlines()) == progress.MANY - 1
