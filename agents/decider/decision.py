"""decide: what the coordinator appends next. Pure: no I/O, no clock, no model; the same input gives the same events."""

import math
from collections.abc import Iterator
from itertools import islice
from operator import itemgetter

from pydantic import ValidationError

from hustings.protocols import (
    OUTCOME,
    Claim,
    Concluded,
    Data,
    Decision,
    FromSteps,
    GoalAsked,
    Inquiry,
    Opened,
    Plan,
    PlanError,
    Planned,
    Proposal,
    Settled,
    Status,
    Step,
    Testimony,
    Value,
    Verdict,
    first_error,
)

from ..arbitration.docket import settle
from ..arbitration.matters import group
from ..planning.planner import Brief
from ..planning.validate import faults, too_deep
from .assign import assignments
from .dead_letters import dead_letters
from .fold_barriers import testimonies
from .inquiries import inquire, is_open, look_up, serve
from .policy import BATCH, Policy, View
from .state import BarrierState, RunState, task_id
from .timeouts import abandonments, abandons_at
from .turn import Turn, begin


def decide(state: RunState, policy: Policy, view: View) -> list[Decision]:
    """The events to append next; empty if the coordinator has to wait for others.

    If only the first of these events reach the log, the next call returns the rest, so a crash in between does no harm.
    """
    if state.goal is None or state.concluded:
        return []
    turn = begin(state, state.goal, policy, view)
    return [*_ended_from_outside(turn)] or [*islice(_moves(turn), BATCH)] or [*_conclusion(turn)]


def _moves(turn: Turn) -> Iterator[Decision]:
    """All that is decided while the run goes on, in this order. Each part reads what those before it noted."""
    yield from abandonments(turn)
    if turn.state.plan is None:
        yield from _questions(turn)
        yield from _planning(turn)
        return
    yield from dead_letters(turn)
    if not turn.state.unreachable:
        yield from _questions(turn)
        yield from assignments(turn)
        yield from _openings(turn)


def wake(state: RunState, policy: Policy, view: View) -> float | None:
    """When to decide again if no event comes before, in seconds since the epoch; None: only after an event."""
    if state.goal is None:
        return None
    turn = begin(state, state.goal, policy, view)
    times = [turn.ends_at]
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


def _ended_from_outside(turn: Turn) -> Iterator[Concluded]:
    state, budget = turn.state, turn.budget
    total, step = state.widest
    if state.cancelled:
        yield _concluded_event(turn, "cancelled", state.cancelled)
    elif turn.view.now >= turn.ends_at:
        yield _concluded_event(turn, "failed", f"it took longer than {turn.ends_at - state.asked_at:g} s")
    elif state.exhausted and turn.policy.exhausted == "stop":
        yield _concluded_event(turn, "failed", f"the budget is exhausted: {state.exhausted}")
    elif budget and budget.fan_out is not None and total > budget.fan_out:
        why = f"{step} fans out to {total} tasks, and the budget allows {budget.fan_out}"
        yield _concluded_event(turn, "failed", why)


def _questions(turn: Turn) -> Iterator[Decision]:
    """What agents and barriers wait for, the longest wait first, so that each gets a turn at a busy agent."""
    state = turn.state
    asked = [(state.asks[name].since, name) for name in state.unserved if state.asks[name].asker not in turn.abandoned]
    settling = [(state.barriers[name].since, name) for name in state.unsettled]
    for _, name in sorted([*asked, *settling], key=itemgetter(0)):
        yield from serve(turn, name) if name in state.unserved else _settling(turn, name)


# planning


def _planning(turn: Turn) -> Iterator[Decision]:
    if turn.goal.again:
        yield _planned_event(turn, _again(turn.goal))
    elif wrong := _misfit(turn):
        yield _concluded_event(turn, "failed", wrong)
    else:
        yield from _by_planner(turn)


def _by_planner(turn: Turn) -> list[Decision]:
    state, policy, view = turn.state, turn.policy, turn.view
    brief = Brief(
        goal=turn.goal.goal,
        goal_type=policy.goal,
        outcome_type=policy.outcome,
        directory=view.directory,
        members=tuple(member for member in policy.members if member not in turn.goal.skip),
        prefer=tuple(policy.prefer),
        open=policy.open,
        answer=look_up(turn),
        budget=turn.budget,
    )
    if brief.absent() and view.now < state.driving_since + policy.discovery_timeout:
        return []
    try:
        plan = policy.planner(brief)
        if isinstance(plan, Inquiry):
            return [*inquire(turn, [plan], "plan", state.driving_since)]
        if not isinstance(plan, Plan):
            raise PlanError("there is no plan", f"the planner gave a {type(plan).__name__}")
        if reasons := faults(plan) or [*filter(None, [too_deep(plan, brief.budget)])]:
            raise PlanError("the plan cannot be carried out", "; ".join(reasons))
    except PlanError as error:
        return [_concluded_event(turn, "failed", str(error), brief.absent())]
    return [_planned_event(turn, plan)]


def _again(goal: GoalAsked) -> Plan:
    """The plan of a redrive: one step for each task, with the same input and the same agent as before."""
    steps = tuple(
        Step(
            id=task.task,
            skill=task.skill,
            inputs={name: Value(value=value) for name, value in task.input.items()},
            agents=(task.agent,),
        )
        for task in goal.again
    )
    outcome = {step.id: FromSteps(steps=(step.id,)) for step in steps}
    return Plan(steps=steps, outcome={**outcome}, optional=tuple(outcome))


def _misfit(turn: Turn) -> str:
    """Why the team cannot pursue this goal; empty if it can."""
    wanted, goal = turn.policy.goal, turn.goal
    if goal.type != wanted.__contract__:
        return f"this team takes the goal {wanted.__contract__}, not {goal.type}"
    try:
        wanted.of(goal.goal)
    except ValidationError as error:
        return f"the goal does not fit: {first_error(error)}"
    return ""


def _planned_event(turn: Turn, plan: Plan) -> Planned:
    """The plan, with what the view says about its agents and skills."""
    named = {agent for step in plan.steps for agent in step.agents}
    skills, directory = {step.skill for step in plan.steps}, turn.view.directory
    return Planned(
        plan=plan,
        versions={card.agent: card.version for card in directory.cards if card.agent in named},
        typical={skill: seconds for skill, seconds in directory.typical.items() if skill in skills},
    )


# barriers


def _openings(turn: Turn) -> Iterator[Opened]:
    state = turn.state
    conflicts, agreed = state.conflicts, state.agreed
    for name in state.openings:
        items = _testimony(state, state.barriers[name])
        matters = group(items, conflicts=conflicts, agreed=agreed)
        yield Opened(barrier=name, matters=matters, items=items)
        conflicts += sum(matter.contested for matter in matters)
        agreed += sum(not matter.contested for matter in matters)


def _testimony(state: RunState, barrier: BarrierState) -> tuple[Claim | Proposal, ...]:
    """All items that the witnesses of a barrier returned, each with its id (task and ordinal) and author."""
    said: list[Claim | Proposal] = []
    for name in barrier.steps:
        step = state.steps[name]
        for ordinal in sorted(step.outputs):
            task = task_id(step.step, ordinal)
            by = state.tasks[task].agent
            items = [item for spoken in testimonies(step.outputs[ordinal]) for item in _items(spoken)]
            said += [item.model_copy(update={"id": f"{task}.{n}", "by": by}) for n, item in enumerate(items)]
    return tuple(said)


def _items(spoken: Testimony) -> tuple[Claim | Proposal, ...]:
    return (*spoken.claims, *spoken.proposals)


def _settling(turn: Turn, name: str) -> Iterator[Decision]:
    barrier = turn.state.barriers[name]
    replies = settle(barrier.matters, barrier.items, turn.policy.arbiters, look_up(turn))
    inquiries = [reply for reply in replies if isinstance(reply, Inquiry)]
    turn.allocator.expect(sum(not is_open(turn, inquiry.task) for inquiry in inquiries))
    yield from inquire(turn, inquiries, name, barrier.since)
    if not inquiries:
        yield Settled(barrier=name, verdicts=tuple(reply for reply in replies if isinstance(reply, Verdict)))


# the end


def _conclusion(turn: Turn) -> Iterator[Concluded]:
    """The end of the run, if nothing is left to do."""
    state = turn.state
    if state.unreachable:
        why = f"outcome.{state.unreachable} cannot be filled any more: {_missing(state)}"
        yield _concluded_event(turn, "failed", why)
    elif OUTCOME in state.agenda:
        yield _settled(turn)


def _settled(turn: Turn) -> Concluded:
    state = turn.state
    undecided = sum(not v.decided for barrier in state.barriers.values() for v in barrier.verdicts)
    if undecided and turn.policy.undecided == "stop":
        matters = "1 matter is" if undecided == 1 else f"{undecided} matters are"
        return _concluded_event(turn, "undecided", f"{matters} undecided, and this team leaves that to a person")
    if state.missing:
        return _concluded_event(turn, "partial", f"without {_missing(state)}")
    left = f"{undecided} {'matter' if undecided == 1 else 'matters'} undecided"
    return _concluded_event(turn, "decided", left if undecided else "everything was settled")


def _missing(state: RunState) -> str:
    """The missing agents with their reasons, those with the same reason together."""
    reasons: dict[str, list[str]] = {}
    for agent, because in state.missing.items():
        reasons.setdefault(because, []).append(agent)
    return "; ".join(f"{', '.join(agents)}: {because}" for because, agents in reasons.items())


def _concluded_event(turn: Turn, status: Status, because: str, missing: tuple[str, ...] = ()) -> Concluded:
    state = turn.state
    return Concluded(
        status=status,
        outcome=_outcome(state),
        because=because,
        state_hash=state.hash(),
        at=state.seq,
        missing=tuple(dict.fromkeys((*missing, *state.missing))),
    )


def _outcome(state: RunState) -> Data:
    """The fields of the outcome that can be filled."""
    if state.plan is None:
        return {}
    fields = {name: state.value(ref) for name, ref in state.plan.outcome.items() if state.available(ref)}
    return {name: value for name, value in fields.items() if value is not None}
