"""evolve: folds the log into a RunState. Deterministic, in place; no clock, no I/O, no directory of agents."""

from collections.abc import Iterable

from hustings.protocols import (
    COORDINATOR,
    Answered,
    Asked,
    Assigned,
    AttemptAbandoned,
    Called,
    Cancelled,
    Concluded,
    DeadLetter,
    Discarded,
    Entry,
    Failure,
    GoalAsked,
    Opened,
    Planned,
    Result,
    RunAcquired,
    Settled,
    Spent,
)

from .fold_asks import asked, may_ask, passed_on
from .fold_barriers import can_open, can_settle, opened, settled
from .fold_plan import planned
from .fold_tasks import (
    abandoned,
    assigned,
    completed,
    expected,
    given_up,
    invalid,
)
from .spending import book, count_call, spender
from .state import RunState


def fold(run: str, entries: Iterable[Entry]) -> RunState:
    """The state of a run after these entries."""
    state = RunState(run)
    for entry in entries:
        evolve(state, entry)
    return state


def evolve(state: RunState, entry: Entry) -> None:
    """Apply one more entry of the log to the state.

    An unexpected entry is counted as invalid and skipped; if it is on the subject of an open attempt's answer, that
    attempt fails. After the conclusion only the position changes.
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
            completed(state, entry, event)
        case RunAcquired() if mine:
            state.driver, state.driving_since, state.retry = event.instance, entry.time, event.retry
        case Planned() if mine and state.plan is None:
            planned(state, event)
        case Assigned() if mine and expected(state, event):
            assigned(state, event, entry)
        case Spent() if entry.subject.kind == "spend" and spender(state, event) == entry.subject.author:
            book(state, event.task, event.attempt, event.amount)
        case Called() if entry.subject.kind in ("model", "tool") and spender(state, event) == entry.subject.author:
            count_call(state, entry, event)
        case Asked() if entry.subject.kind == "ask" and may_ask(state, event, entry):
            asked(state, event, entry.time)
        case Answered() if mine and event.child in state.asks:
            passed_on(state, event.child)
        case DeadLetter() if mine and event.task in state.tasks:
            given_up(state, event)
        case Discarded() if entry.subject.kind == "discard":
            pass  # a note of a person; it does not change the run
        case AttemptAbandoned() if mine and (event.attempt == 0 or event.task in state.tasks):
            abandoned(state, event)
        case Opened() if mine and can_open(state, event):
            opened(state, event, entry.time)
        case Settled() if mine and can_settle(state, event):
            settled(state, event)
        case Concluded() if mine:
            state.concluded = event
        case _:
            invalid(state, entry)
