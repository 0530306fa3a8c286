"""evolve: fold the log into a RunState. Deterministic, in place; no clock, no I/O, no view of who is alive."""

import heapq
from bisect import bisect_left, insort
from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import replace
from graphlib import TopologicalSorter
from typing import Literal

from pydantic import JsonValue, ValidationError

from hustings.protocols import (
    COORDINATOR,
    OUTCOME,
    Answered,
    Asked,
    Assigned,
    Called,
    Cancelled,
    Claim,
    Concluded,
    DeadLetter,
    Discarded,
    Driving,
    Entry,
    Failure,
    FailureKind,
    FromSteps,
    FromVerdicts,
    GoalAsked,
    Lapsed,
    Opened,
    Planned,
    Proposal,
    Ref,
    Result,
    Settled,
    Spent,
    Step,
    Testimony,
    steps_of,
)

from .spending import (
    allot,
    book,
    count_call,
    hand_over,
    repay,
    spender,
)
from .state import (
    ASK,
    AskState,
    BarrierState,
    Place,
    RunState,
    StepState,
    TaskState,
)


def fold(run: str, entries: Iterable[Entry]) -> RunState:
    """The state that the entries of a run come to."""
    state = RunState(run)
    for entry in entries:
        evolve(state, entry)
    return state


def evolve(state: RunState, entry: Entry) -> None:
    """Take one more entry of the log into the state.

    What does not fit is foreign: counted and passed over, and where it sits on the subject of an open attempt's answer
    it costs that attempt. Nothing after the conclusion changes anything but the position.
    """
    state.seq = entry.seq
    if entry.subject.author == COORDINATOR:
        state.fence = entry.seq
    if state.concluded:
        return
    state.events += 1
    state.last = entry.time
    event = entry.event
    mine = entry.subject.author == COORDINATOR
    match event:
        case GoalAsked() if entry.subject.kind == "goal" and state.goal is None:
            state.goal, state.asked_at = event, entry.time
        case Cancelled() if entry.subject.kind == "cancel":
            state.cancelled = event.because or f"by {event.by}"
        case Result() | Failure() if entry.subject.kind == "result":
            _answered(state, entry, event)
        case Driving() if mine:
            state.driver, state.driving_since, state.attempts = event.instance, entry.time, event.attempts
        case Planned() if mine and state.plan is None:
            _planned(state, event)
        case Assigned() if mine and _expected(state, event):
            _assigned(state, event, entry)
        case Spent() if entry.subject.kind == "spend" and spender(state, event) == entry.subject.author:
            book(state, event.task, event.attempt, event.amount)
        case Called() if entry.subject.kind in ("model", "tool") and spender(state, event) == entry.subject.author:
            count_call(state, entry, event)
        case Asked() if entry.subject.kind == "ask" and _may_ask(state, event, entry):
            _asked(state, event, entry.time)
        case Answered() if mine and event.child in state.asks:
            _passed_on(state, event.child)
        case DeadLetter() if mine and event.task in state.tasks:
            _given_up(state, event)
        case Discarded() if entry.subject.kind == "discard":
            pass  # for people: it changes nothing in the run
        case Lapsed() if mine and (event.attempt == 0 or event.task in state.tasks):
            _lapsed(state, event)
        case Opened() if mine and _status(state, event.barrier) == "ready":
            _opened(state, event, entry.time)
        case Settled() if mine and _status(state, event.barrier) in ("open", "asking"):
            _settled(state, event)
        case Concluded() if mine:
            state.concluded = event
        case _:
            _foreign(state, entry)


# the plan


def _planned(state: RunState, event: Planned) -> None:
    state.plan, state.versions = event.plan, event.versions
    state.steps = {step.id: StepState(step) for step in event.plan.steps}
    state.unbegun = sum(step.spends for step in event.plan.steps)
    state.missing |= dict.fromkeys(event.plan.absent, "absent when the run was planned")
    order = TopologicalSorter({step.id: steps_of(step.inputs) for step in event.plan.steps}).static_order()
    needs = {name: _needs(state, name, state.steps[name].step.inputs) for name in order}
    needs[OUTCOME] = {*_needs(state, OUTCOME, event.plan.outcome), *needs}
    needs |= {name: set(barrier.steps) for name, barrier in state.barriers.items()}
    _rank(state, needs, event.typical)
    for node, before in needs.items():
        state.waits[node] = len(before)
        for other in sorted(before):
            state.after.setdefault(other, []).append(node)
    _ready(state, [node for node, before in needs.items() if not before])


def _needs(state: RunState, taker: str, refs: dict[str, Ref]) -> set[str]:
    """What a step or the outcome waits for. Witnesses that no earlier barrier settles are settled at this one, so
    whoever takes verdicts must come after all that it waits for."""
    needs: set[str] = set()
    for name, ref in refs.items():
        if isinstance(ref, FromSteps):
            needs.update(ref.steps)
        elif isinstance(ref, FromVerdicts):
            fresh = tuple(step for step in ref.steps if step not in state.owner)
            if fresh:
                barrier = f"{taker}.{name}"
                state.barriers[barrier] = BarrierState(fresh)
                state.owner.update(dict.fromkeys(fresh, barrier))
            needs.update(state.owner[step] for step in ref.steps)
    return needs


def _rank(state: RunState, needs: dict[str, set[str]], typical: dict[str, float]) -> None:
    ranks = dict.fromkeys(needs, 0.0)
    for node in reversed(list(TopologicalSorter(needs).static_order())):
        if node in state.steps:
            ranks[node] += typical.get(state.steps[node].step.skill, 1.0)
            state.steps[node].rank = ranks[node]
        for before in needs[node]:
            ranks[before] = max(ranks[before], ranks[node])


def _ready(state: RunState, freed: Iterable[str]) -> None:
    """Put on the agenda what waits for nothing more; what cannot be done any more, or is empty, ends at once."""
    nodes = deque(freed)
    while nodes:
        node = nodes.popleft()
        if node in state.steps and not _begins(state, state.steps[node]):
            nodes += _release(state, node)
        else:
            state.agenda[node] = None
            if node in state.barriers:
                state.barriers[node].status = "ready"
                state.openings[node] = None
            elif node in state.steps:
                _queue(state, state.steps[node])


def _queue(state: RunState, step: StepState) -> None:
    """In its turn among the steps that the same agents could do; of equals the first."""
    state.queued += 1
    insort(state.queues.setdefault(step.step.agents, []), (-step.rank, state.queued, step.step.id))


def _unqueue(state: RunState, step: StepState) -> None:
    queue = state.queues[step.step.agents]
    at = bisect_left(queue, -step.rank, key=lambda turn: turn[0])
    del queue[next(n for n in range(at, len(queue)) if queue[n][2] == step.step.id)]


def _begins(state: RunState, step: StepState) -> bool:
    """Count the step's tasks. False if there is none to do: an input is lost, or the list to fan out over is empty."""
    state.unbegun -= step.step.spends
    wanted = {name: ref for name, ref in step.step.inputs.items() if name not in step.step.optional}
    if not all(state.available(ref) for ref in wanted.values()):
        _lose(state, step)
        return False
    each = step.step.each
    elements = state.value(step.step.inputs[each]) if each else None
    step.total = len(elements) if isinstance(elements, list) else int(each is None)
    step.status = "ready" if step.total else "done"
    state.unassigned += step.total * step.step.spends
    state.widest = max(state.widest, (step.total, step.step.id))
    return step.total > 0


def _lose(state: RunState, step: StepState) -> None:
    step.status = "lost"
    plan = state.plan
    for name, ref in plan.outcome.items() if plan else ():
        if name not in plan.optional and not _reachable(state, ref):  # type: ignore[union-attr]
            state.unreachable = state.unreachable or name


def _reachable(state: RunState, ref: Ref) -> bool:
    if isinstance(ref, FromSteps):
        return not ref.steps or any(state.steps[name].status != "lost" for name in ref.steps)
    return True


def _release(state: RunState, node: str) -> list[str]:
    freed = []
    for other in state.after.get(node, ()):
        state.waits[other] -= 1
        if state.waits[other] == 0:
            freed.append(other)
    return freed


# tasks


def _expected(state: RunState, event: Assigned) -> bool:
    if event.asked_by == ASK:
        return event.task in state.asks
    if event.asked_by:
        return event.asked_by in state.barriers or state.plan is None
    return event.step in state.steps


def _assigned(state: RunState, event: Assigned, entry: Entry) -> None:
    state.retries.pop(event.task, None)
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
            _unqueue(state, step)
    if (event.agent, event.task, str(event.attempt)) in state.squatted:
        _failed(state, event.task, "foreign", "a stranger had written where the answer belongs")


def _answered(state: RunState, entry: Entry, event: Result | Failure) -> None:
    place = (event.task, str(event.attempt))
    task = state.tasks.get(event.task)
    if entry.subject.rest != place or task is None or event.attempt > task.attempt:
        _foreign(state, entry)
    elif task.status != "open" or task.attempt != event.attempt:
        pass  # an answer to an older attempt: on record, and that is all
    elif entry.subject.author != task.agent:
        _foreign(state, entry)
    else:
        repay(state, event)
        if isinstance(event, Failure):
            if event.exhausted:
                state.exhausted = state.exhausted or f"{event.task}: {event.because}"
            _failed(state, event.task, event.kind, event.because, event.version)
        else:
            _done(state, event)


def _done(state: RunState, event: Result) -> None:
    task = state.tasks[event.task]
    if task.asked_by:
        _close(state, event.task, "done")
        state.answers[event.task] = event.output
        _heard(state, event.task)
        return
    step = state.steps[task.step]
    if step.step.witness and not _is_testimony(event.output):
        _failed(state, event.task, "foreign", "a witness said something that is no testimony")
        return
    _close(state, event.task, "done")
    task.seconds = event.seconds
    step.outputs[task.ordinal] = event.output
    _step_closed(state, step)


def _is_testimony(output: JsonValue) -> bool:
    try:
        _testimonies(output)
    except ValidationError:
        return False
    return True


def _testimonies(output: JsonValue) -> list[Testimony]:
    """A witness says one Testimony or a list of them. Raises pydantic.ValidationError."""
    return [Testimony.of(said) for said in (output if isinstance(output, list) else [output])]


def _failed(state: RunState, name: str, kind: FailureKind, because: str, version: str = "") -> None:
    """One attempt is over. Another one is due, unless the input was refused or enough was tried."""
    task = state.tasks[name]
    failure = Failure(task=name, attempt=task.attempt, agent=task.agent, kind=kind, because=because, version=version)
    state.failures[name] = failure
    if kind != "refused" and task.attempt < state.attempts:
        _close(state, name, "failed")
        if task.asked_by:
            _heard(state, name)
        else:
            state.retries[name] = None
    else:
        _lost(state, name, failure)
        state.dead[name] = None


def _lost(state: RunState, name: str, failure: Failure) -> None:
    """No further attempt is made: whoever waits for the task goes on without it."""
    task = state.tasks[name]
    _close(state, name, "lost")
    if task.asked_by:
        state.answers[name] = failure.model_copy(update={"version": ""})
        _heard(state, name)
        return
    state.missing.setdefault(task.agent, failure.because)
    _step_closed(state, state.steps[task.step])


def _given_up(state: RunState, event: DeadLetter) -> None:
    """The dead letter is written; where another attempt was due, there will be none."""
    state.dead.pop(event.task, None)
    state.places.pop(event.task, None)
    failure = state.failures.pop(event.task, None)
    if failure and state.tasks[event.task].status == "failed":
        state.retries.pop(event.task, None)
        _lost(state, event.task, failure)


def _lapsed(state: RunState, event: Lapsed) -> None:
    task = state.tasks.get(event.task)
    if event.attempt == 0:  # an inquiry that nobody could be asked, or not again
        state.answers[event.task] = Failure(task=event.task, attempt=0, agent="", kind="lapsed", because=event.because)
        for barrier in state.barriers:
            _wake(state, barrier)
    elif task and task.status == "open" and task.attempt == event.attempt:
        _failed(state, event.task, "lapsed", event.because)


def _close(state: RunState, name: str, status: str) -> None:
    task = state.tasks[name]
    task.status = status  # type: ignore[assignment]
    state.open[task.agent].pop(name, None)
    for child in state.waiting.pop(name, ()):
        _drop(state, child, "dropped")
    if status == "done":
        state.places.pop(name, None)
        state.failures.pop(name, None)
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
        _lose(state, step)
    _ready(state, _release(state, step.step.id))


# what agents ask for within their tasks


def _may_ask(state: RunState, event: Asked, entry: Entry) -> bool:
    """True if the question stands in its place, and its author is who has or had the attempt."""
    place = (event.task, str(event.attempt), event.ask)
    return entry.subject.rest == place and event.agent == entry.subject.author == spender(state, event)


def _asked(state: RunState, event: Asked, now: float) -> None:
    """Somebody waits for the child now, unless the attempt is over. What was answered before needs no second answer."""
    task, child = state.tasks[event.task], event.child
    before, answering = state.asks.get(child), state.tasks.get(child)
    if task.status != "open" or task.attempt != event.attempt:
        return
    if event.share:
        hand_over(state, event.task, event.attempt, event.share)
    if before and before.status != "dropped":
        return
    depth = state.asks[event.task].depth + 1 if event.task in state.asks else 1
    state.asks[child] = AskState(event.task, event.attempt, event.skill, event.input, now, depth, event.share)
    state.waiting.setdefault(event.task, {})[child] = None
    if answering is None or answering.status != "open":
        state.unserved[child] = None


def _passed_on(state: RunState, child: str) -> None:
    """The asker has been told."""
    state.waiting.get(state.asks[child].asker, {}).pop(child, None)
    state.answers.pop(child, None)
    _drop(state, child, "answered")


def _drop(state: RunState, child: str, status: Literal["dropped", "answered"]) -> None:
    """Nothing is to be decided about it any more; what was given is needed no longer."""
    state.asks[child] = replace(state.asks[child], status=status, input={})
    state.unserved.pop(child, None)


def _heard(state: RunState, name: str) -> None:
    """A task that was asked for is answered, or due again: whoever asked for it can go on."""
    asked_by = state.tasks[name].asked_by
    if asked_by != ASK:
        _wake(state, asked_by)
    elif state.asks[name].status == "waiting":
        state.unserved[name] = None


# barriers


def _status(state: RunState, barrier: str) -> str:
    return state.barriers[barrier].status if barrier in state.barriers else ""


def _opened(state: RunState, event: Opened, now: float) -> None:
    barrier = state.barriers[event.barrier]
    barrier.status, barrier.since = "open", now
    barrier.matters = event.matters
    barrier.items = {item.id: item for item in event.items}
    state.conflicts += sum(matter.contested for matter in event.matters)
    state.agreed += sum(not matter.contested for matter in event.matters)
    state.agenda.pop(event.barrier, None)
    state.openings.pop(event.barrier, None)
    state.unsettled[event.barrier] = None


def _settled(state: RunState, event: Settled) -> None:
    barrier = state.barriers[event.barrier]
    barrier.status, barrier.verdicts = "settled", event.verdicts
    state.unsettled.pop(event.barrier, None)
    _ready(state, _release(state, event.barrier))


def _wake(state: RunState, asked_by: str) -> None:
    """An inquiry was answered, or has to be asked again: who asked it can decide now."""
    barrier = state.barriers.get(asked_by)
    if barrier and barrier.status in ("open", "asking"):
        barrier.status = "open"
        state.unsettled[asked_by] = None


def testimony(state: RunState, barrier: BarrierState) -> tuple[Claim | Proposal, ...]:
    """All that the witnesses of a barrier said, each item stamped with its id (task and ordinal) and author."""
    said: list[Claim | Proposal] = []
    for name in barrier.steps:
        step = state.steps[name]
        for ordinal in sorted(step.outputs):
            task = task_id(step.step, ordinal)
            by = state.tasks[task].agent
            items = [item for spoken in _testimonies(step.outputs[ordinal]) for item in _items(spoken)]
            said += [item.model_copy(update={"id": f"{task}.{n}", "by": by}) for n, item in enumerate(items)]
    return tuple(said)


def _items(spoken: Testimony) -> tuple[Claim | Proposal, ...]:
    return (*spoken.claims, *spoken.proposals)


def task_id(step: Step, ordinal: int) -> str:
    """The id of a step's task: the step's, with the ordinal where it fans out."""
    return step.id if step.each is None else f"{step.id}-{ordinal}"


# strangers


def _foreign(state: RunState, entry: Entry) -> None:
    state.foreign += 1
    if entry.subject.kind != "result" or len(entry.subject.rest) != 2:
        return
    name, attempt = entry.subject.rest
    task = state.tasks.get(name)
    if task and task.status == "open" and str(task.attempt) == attempt:
        stranger = entry.subject.author != task.agent
        because = f"the answer came from {entry.subject.author}, not from {task.agent}" if stranger else entry.why
        _failed(state, name, "foreign", because or "the answer is to something else")
    else:
        state.squatted[entry.subject.author, name, attempt] = None
