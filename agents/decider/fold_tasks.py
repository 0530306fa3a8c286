"""The fold of tasks: assigned, completed, failed, given up after the last attempt; it counts invalid messages."""

import heapq
from collections import OrderedDict

from pydantic import ValidationError

from hustings.protocols import Assigned, AttemptAbandoned, DeadLetter, Entry, Failure, Result
from hustings.protocols.events import FailureKind

from .fold_asks import drop, heard
from .fold_barriers import hear, wake
from .fold_plan import (
    lose,
    ready,
    release,
    unqueue,
)
from .fold_retries import is_final, no_longer_due, postpone
from .spending import allot, repay
from .state import (
    ASK,
    Place,
    RunState,
    StepState,
    TaskState,
)

SAID = ("version", "at", "values", "lasting", "error_types")  # kept of what the agent said of its failure


def expected(state: RunState, event: Assigned) -> bool:
    if event.asked_by == ASK:
        return event.task in state.asks
    if event.asked_by:
        return event.asked_by in state.barriers or state.plan is None
    return event.step in state.steps


def assigned(state: RunState, event: Assigned, entry: Entry) -> None:
    no_longer_due(state, event.task)
    state.places[event.task] = Place(entry.seq, event.skill)
    if event.share:
        allot(state, event.task, event.attempt, event.share)
    before = state.tasks.get(event.task)
    if before and before.agent != event.agent:
        state.former[f"{event.task}.{before.attempt}"] = before.agent
    state.tasks[event.task] = TaskState(
        step=event.step,
        agent=event.agent,
        attempt=event.attempt,
        since=entry.time,
        deadline=event.deadline,
        ordinal=event.ordinal,
        asked_by=event.asked_by,
        retry=event.retry,
    )
    state.open.setdefault(event.agent, OrderedDict())[event.task] = None
    heapq.heappush(state.deadlines, (event.deadline, event.task, event.attempt))
    state.unserved.pop(event.task, None)
    if event.asked_by in state.barriers:
        state.barriers[event.asked_by].status = "asking"
        state.unsettled.pop(event.asked_by, None)
    step = state.steps.get(event.step)
    if step and event.attempt == 1:
        state.unassigned -= max(event.ordinal + 1 - step.assigned, 0) * step.step.spends
        step.assigned = max(step.assigned, event.ordinal + 1)
        if step.assigned >= step.total and event.step in state.agenda:
            del state.agenda[event.step]
            unqueue(state, step)
    if (event.agent, event.task, str(event.attempt)) in state.preempted:
        _failed(state, event.task, "invalid", "a message was on the subject of the answer before the task was assigned")


def completed(state: RunState, entry: Entry, event: Result | Failure) -> None:
    place = (event.task, str(event.attempt))
    task = state.tasks.get(event.task)
    if entry.subject.rest != place or task is None or event.attempt > task.attempt:
        invalid(state, entry)
    elif task.status != "open" or task.attempt != event.attempt:
        pass  # an answer to an older attempt changes nothing
    elif entry.subject.author != task.agent:
        invalid(state, entry)
    else:
        repay(state, event)
        if isinstance(event, Failure):
            if event.exhausted:
                state.exhausted = state.exhausted or f"{event.task}: {event.because}"
            _failed(state, event.task, event.kind, event.because, event)
        else:
            _done(state, event)


def invalid(state: RunState, entry: Entry) -> None:
    state.invalid += 1
    if entry.subject.kind != "result" or len(entry.subject.rest) != 2:
        return
    name, attempt = entry.subject.rest
    task = state.tasks.get(name)
    if task and task.status == "open" and str(task.attempt) == attempt:
        stranger = entry.subject.author != task.agent
        because = f"the answer came from {entry.subject.author}, not from {task.agent}" if stranger else entry.why
        _failed(state, name, "invalid", because or "the answer is to something else")
    else:
        state.preempted[entry.subject.author, name, attempt] = None


def _done(state: RunState, event: Result) -> None:
    task = state.tasks[event.task]
    if task.asked_by:
        _close(state, event.task, "done")
        state.answers[event.task] = event.output
        heard(state, event.task)
        return
    step = state.steps[task.step]
    if step.step.witness and not _hears(state, event):
        _failed(state, event.task, "invalid", "a witness returned something that is not a Testimony")
        return
    _close(state, event.task, "done")
    task.seconds = event.seconds
    step.outputs[task.ordinal] = event.output
    _step_closed(state, step)


def _hears(state: RunState, event: Result) -> bool:
    try:
        hear(state, event.task, event.output)
    except ValidationError:
        return False
    return True


def _failed(state: RunState, name: str, kind: FailureKind, because: str, said: Failure | None = None) -> None:
    """One attempt has failed. Another one will be due, unless input or exception forbid it or this was the last."""
    task = state.tasks[name]
    failure = Failure(task=name, attempt=task.attempt, agent=task.agent, kind=kind, because=because)
    if said:
        failure = failure.model_copy(update={field: getattr(said, field) for field in SAID})
    if state.policy(task).refuses(failure.error_types):
        failure = failure.model_copy(update={"kind": "non_retryable"})
    if failure.lasting:
        state.unfit.setdefault(name, set()).add(task.agent)
    state.failures[name] = failure
    if is_final(state, failure):
        _lost(state, name, failure)
        state.dead[name] = None
    else:
        _close(state, name, "failed")
        postpone(state, failure)
        if task.asked_by:
            heard(state, name)


def _lost(state: RunState, name: str, failure: Failure) -> None:
    """No further attempt is made: steps, barriers and askers that wait for the task go on without it."""
    task = state.tasks[name]
    _close(state, name, "lost")
    if task.asked_by:
        state.answers[name] = Failure(
            task=name, attempt=failure.attempt, agent=failure.agent, kind=failure.kind, because=failure.because
        )
        heard(state, name)
        return
    state.missing.setdefault(task.agent, failure.because)
    _step_closed(state, state.steps[task.step])


def given_up(state: RunState, event: DeadLetter) -> None:
    """The dead letter is on the log; another attempt that was due is cancelled."""
    state.dead.pop(event.task, None)
    state.places.pop(event.task, None)
    failure = state.failures.get(event.task)
    if failure and state.tasks[event.task].status == "failed":
        no_longer_due(state, event.task)
        _lost(state, event.task, failure)


def abandoned(state: RunState, event: AttemptAbandoned) -> None:
    task = state.tasks.get(event.task)
    if event.attempt == 0:  # an inquiry that no agent could be asked, or not again
        state.answers[event.task] = Failure(
            task=event.task, attempt=0, agent="", kind="abandoned", because=event.because
        )
        for barrier in state.barriers:
            wake(state, barrier)
    elif task and task.status == "open" and task.attempt == event.attempt:
        _failed(state, event.task, event.kind, event.because)


def _close(state: RunState, name: str, status: str) -> None:
    task = state.tasks[name]
    task.status = status  # type: ignore[assignment]
    state.open[task.agent].pop(name, None)
    for child in state.waiting.pop(name, ()):
        drop(state, child, "dropped")
    if status == "done":
        state.places.pop(name, None)
        state.failures.pop(name, None)
        state.unfit.pop(name, None)
    while state.deadlines and _over(state, state.deadlines[0]):
        heapq.heappop(state.deadlines)


def _over(state: RunState, deadline: tuple[float, str, int]) -> bool:
    task = state.tasks[deadline[1]]
    return task.status != "open" or task.attempt != deadline[2]


def _step_closed(state: RunState, step: StepState) -> None:
    step.closed += 1
    if step.closed < step.total:
        return
    state.given.pop(step.step.id, None)
    if step.outputs:
        step.status = "done"
    else:
        lose(state, step)
    ready(state, release(state, step.step.id))
