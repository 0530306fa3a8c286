"""decide: what the coordinator appends next. Pure: no I/O, no clock, no model; the same input gives the same events."""

import math
from collections.abc import Iterator
from itertools import islice
from operator import itemgetter

from hustings.protocols import Decision

from .assign import assignments
from .barriers import openings, settling
from .conclusion import conclusion, ended_from_outside
from .dead_letters import dead_letters
from .inquiries import serve
from .plan import planning
from .policy import BATCH, Policy, View
from .state import RunState
from .timeouts import abandonments, abandons_at
from .turn import Turn, begin


def decide(state: RunState, policy: Policy, view: View) -> list[Decision]:
    """The events to append next; empty if the coordinator has to wait for others.

    If only the first of these events reach the log, the next call returns the rest, so a crash in between does no harm.
    """
    if state.goal is None or state.concluded:
        return []
    turn = begin(state, state.goal, policy, view)
    return [*ended_from_outside(turn)] or [*islice(_moves(turn), BATCH)] or [*conclusion(turn)]


def _moves(turn: Turn) -> Iterator[Decision]:
    """All that is decided while the run goes on, in this order. Each part reads what those before it noted."""
    yield from abandonments(turn)
    if turn.state.plan is None:
        yield from _questions(turn)
        yield from planning(turn)
        return
    yield from dead_letters(turn)
    if not turn.state.unreachable:
        yield from _questions(turn)
        yield from assignments(turn)
        yield from openings(turn)


def wake(state: RunState, policy: Policy, view: View) -> float | None:
    """When to decide again if no event comes before, in seconds since the epoch; None: only after an event."""
    if state.goal is None:
        return None
    turn = begin(state, state.goal, policy, view)
    times = [turn.ends_at, *_due(state, view.now)]
    if state.plan is None:
        times.append(state.driving_since + policy.discovery_timeout)
    if state.deadlines:
        times.append(state.deadlines[0][0])
    times += [
        abandons_at(turn, state.tasks[name])
        for agent, tasks in state.open.items()
        if agent not in view.directory.alive
        for name in tasks
    ]
    times += [state.barriers[name].since + policy.discovery_timeout for name in state.unsettled]
    times += [state.asks[name].since + policy.discovery_timeout for name in state.unserved]
    return min((time for time in times if view.now < time < math.inf), default=None)


def _due(state: RunState, now: float) -> Iterator[float]:
    """When the next attempts are due: of the plan's tasks, of inquiries, of what agents ask for, and of the planner's
    inquiries as long as there is no plan."""
    yield from islice((due for due, _ in state.retries if due > now), 1)
    yield from (state.barriers[name].due for name in state.unsettled)
    waiting = state.unserved if state.plan else state.tasks
    yield from (state.tasks[name].due for name in waiting if name in state.tasks)


def _questions(turn: Turn) -> Iterator[Decision]:
    """What agents and barriers wait for, the longest wait first, so that each gets a turn at a busy agent."""
    state = turn.state
    asked = [(state.asks[name].since, name) for name in state.unserved if state.asks[name].asker not in turn.abandoned]
    open_barriers = [
        (state.barriers[name].since, name) for name in state.unsettled if state.barriers[name].due <= turn.view.now
    ]
    for _, name in sorted([*asked, *open_barriers], key=itemgetter(0)):
        yield from serve(turn, name) if name in state.unserved else settling(turn, name)
