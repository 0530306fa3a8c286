"""decide: what the coordinator appends next. Pure: no I/O, no clock, no model; the same input gives the same events."""

from collections import Counter
from collections.abc import Callable, Iterator
from operator import itemgetter

from pydantic import ValidationError

from hustings.protocols import (
    OUTCOME,
    AttemptAbandoned,
    Claim,
    Concluded,
    Data,
    Decision,
    Directory,
    Failure,
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
from .allocation import BudgetAllocator, too_wide
from .assign import assignments, load_of
from .dead_letters import dead_letters
from .fold_barriers import testimonies
from .inquiries import inquire, is_open, serve
from .policy import (
    BATCH,
    Policy,
    View,
    budget_of,
    ends_at,
)
from .state import BarrierState, RunState, task_id
from .timeouts import abandonments, abandons_at


def decide(state: RunState, policy: Policy, view: View) -> list[Decision]:
    """The events to append next; empty if the coordinator has to wait for others.

    If only the first of these events reach the log, the next call returns the rest, so a crash in between does no harm.
    """
    if state.goal is None or state.concluded:
        return []
    if end := _ended_from_outside(state, policy, view):
        return [end]
    view = View(view.now, _taking_part(state.goal, view.directory))
    if state.plan is None:
        return [*_before_the_plan(state, policy, view)]
    events = [event for _, event in zip(range(BATCH), _moves(state, policy, view), strict=False)]
    return events or _conclusion(state, policy)


def wake(state: RunState, policy: Policy, view: View) -> float | None:
    """When to decide again if no event comes before, in seconds since the epoch; None: only after an event."""
    end = ends_at(state, policy)
    times = [] if end is None else [end]
    if state.plan is None:
        times.append(state.driving_since + policy.discovery_timeout)
    if state.deadlines:
        times.append(state.deadlines[0][0])
    times += [
        abandons_at(state, policy, view, state.tasks[name])
        for agent, tasks in state.open.items()
        if agent not in view.directory.alive
        for name in tasks
    ]
    times += [state.barriers[name].since + policy.discovery_timeout for name in state.unsettled]
    times += [state.asks[name].since + policy.discovery_timeout for name in state.unserved]
    return min((time for time in times if time > view.now), default=None)


def _ended_from_outside(state: RunState, policy: Policy, view: View) -> Concluded | None:
    if state.cancelled:
        return _concluded_event(state, "cancelled", state.cancelled)
    end = ends_at(state, policy)
    if end is not None and view.now >= end:
        return _concluded_event(state, "failed", f"it took longer than {end - state.asked_at:g} s")
    if state.exhausted and policy.exhausted == "stop":
        return _concluded_event(state, "failed", f"the budget is exhausted: {state.exhausted}")
    why = too_wide(state, budget_of(state, policy))
    return _concluded_event(state, "failed", why) if why else None


def _taking_part(goal: GoalAsked, directory: Directory) -> Directory:
    """The directory without the skills that this run must not use."""
    if not goal.only and not goal.skip:
        return directory
    cards = [card for card in directory.cards if card.agent not in goal.skip]
    wanted = tuple(card for card in cards if not (card.witness and goal.only and card.agent not in goal.only))
    return directory.model_copy(update={"cards": wanted})


def _before_the_plan(state: RunState, policy: Policy, view: View) -> Iterator[Decision]:
    abandoned = [*abandonments(state, policy, view)]
    load, allocator = load_of(state), BudgetAllocator(state, budget_of(state, policy))
    yield from abandoned
    yield from _waiting(state, policy, view, load, allocator, abandoned)
    yield from _planning(state, policy, view, load, allocator)


def _moves(state: RunState, policy: Policy, view: View) -> Iterator[Decision]:
    abandoned = [*abandonments(state, policy, view)]
    yield from abandoned
    yield from dead_letters(state, policy, view)
    if state.unreachable:
        return
    load, allocator = load_of(state), BudgetAllocator(state, budget_of(state, policy))
    yield from _waiting(state, policy, view, load, allocator, abandoned)
    yield from assignments(state, policy, view, load, allocator)
    yield from _openings(state)


def _waiting(
    state: RunState,
    policy: Policy,
    view: View,
    load: Counter[str],
    allocator: BudgetAllocator,
    abandoned: list[AttemptAbandoned],
) -> Iterator[Decision]:
    """What agents and barriers wait for, the longest wait first, so that each gets a turn at a busy agent."""
    late = {abandonment.task for abandonment in abandoned}
    asked = [(state.asks[child].since, child) for child in state.unserved if state.asks[child].asker not in late]
    settling = [(state.barriers[name].since, name) for name in state.unsettled]
    for _, name in sorted([*asked, *settling], key=itemgetter(0)):
        if name in state.unserved:
            yield from serve(state, policy, view, name, load, allocator)
        else:
            yield from _settling(state, policy, view, name, load, allocator)


# planning


def _planning(
    state: RunState, policy: Policy, view: View, load: Counter[str], allocator: BudgetAllocator
) -> list[Decision]:
    if state.goal and state.goal.again:
        return [_planned_event(_again(state.goal), view.directory)]
    brief = Brief(
        goal=state.goal_data(),
        goal_type=policy.goal,
        outcome_type=policy.outcome,
        directory=view.directory,
        members=tuple(member for member in policy.members if state.goal is None or member not in state.goal.skip),
        prefer=policy.prefer,
        open=policy.open,
        answer=_look_up(state),
        budget=budget_of(state, policy),
    )
    if wrong := _misfit(state, policy):
        return [_concluded_event(state, "failed", wrong)]
    if brief.absent() and view.now < state.driving_since + policy.discovery_timeout:
        return []
    try:
        plan = policy.planner(brief)
        if isinstance(plan, Inquiry):
            _check_new(state, [plan], "planner")
            return list(inquire(state, policy, view, plan, "plan", state.driving_since, load, allocator))
        if not isinstance(plan, Plan):
            raise PlanError("there is no plan", f"the planner gave a {type(plan).__name__}")
        if reasons := faults(plan) or [*filter(None, [too_deep(plan, brief.budget)])]:
            raise PlanError("the plan cannot be carried out", "; ".join(reasons))
    except PlanError as error:
        return [_concluded_event(state, "failed", str(error), brief.absent())]
    return [_planned_event(plan, view.directory)]


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


def _misfit(state: RunState, policy: Policy) -> str:
    """Why the team cannot pursue this goal; empty if it can."""
    if state.goal and state.goal.type != policy.goal.__contract__:
        return f"this team takes the goal {policy.goal.__contract__}, not {state.goal.type}"
    try:
        policy.goal.of(state.goal_data())
    except ValidationError as error:
        return f"the goal does not fit: {first_error(error)}"
    return ""


def _planned_event(plan: Plan, directory: Directory) -> Planned:
    named = {agent for step in plan.steps for agent in step.agents}
    skills = {step.skill for step in plan.steps}
    return Planned(
        plan=plan,
        versions={card.agent: card.version for card in directory.cards if card.agent in named},
        typical={skill: seconds for skill, seconds in directory.typical.items() if skill in skills},
    )


# barriers


def _openings(state: RunState) -> Iterator[Opened]:
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


def _settling(
    state: RunState, policy: Policy, view: View, name: str, load: Counter[str], allocator: BudgetAllocator
) -> Iterator[Decision]:
    barrier = state.barriers[name]
    replies = settle(barrier.matters, barrier.items, policy.arbiters, _look_up(state))
    inquiries = [reply for reply in replies if isinstance(reply, Inquiry)]
    _check_new(state, inquiries, "arbiters")
    allocator.expect(sum(not is_open(state, inquiry.task) for inquiry in inquiries))
    for inquiry in inquiries:
        yield from inquire(state, policy, view, inquiry, name, barrier.since, load, allocator)
    if not inquiries:
        yield Settled(barrier=name, verdicts=tuple(reply for reply in replies if isinstance(reply, Verdict)))


def _check_new(state: RunState, inquiries: list[Inquiry], who: str) -> None:
    """Raises PlanError if all inquiries are answered already: whoever repeats them would never end."""
    if inquiries and all(inquiry.task in state.answers for inquiry in inquiries):
        skills = ", ".join(sorted({inquiry.skill for inquiry in inquiries}))
        raise PlanError(f"the team's {who} asked {skills} again", "it has the answer to that inquiry already")


def _look_up(state: RunState) -> Callable[[Inquiry], Data | Failure | None]:
    def answer(inquiry: Inquiry) -> Data | Failure | None:
        if inquiry.task not in state.answers:
            return None
        said = state.answers[inquiry.task]
        return said if isinstance(said, dict | Failure) else {}

    return answer


# the end


def _conclusion(state: RunState, policy: Policy) -> list[Decision]:
    if state.unreachable:
        why = f"outcome.{state.unreachable} cannot be filled any more: {_missing(state)}"
        return [_concluded_event(state, "failed", why)]
    if OUTCOME not in state.agenda:
        return []
    undecided = sum(not v.decided for barrier in state.barriers.values() for v in barrier.verdicts)
    if undecided and policy.undecided == "stop":
        matters = "1 matter is" if undecided == 1 else f"{undecided} matters are"
        return [_concluded_event(state, "undecided", f"{matters} undecided, and this team leaves that to a person")]
    if state.missing:
        return [_concluded_event(state, "partial", f"without {_missing(state)}")]
    left = f"{undecided} {'matter' if undecided == 1 else 'matters'} undecided"
    return [_concluded_event(state, "decided", left if undecided else "everything was settled")]


def _missing(state: RunState) -> str:
    """The missing agents with their reasons, those with the same reason together."""
    reasons: dict[str, list[str]] = {}
    for agent, because in state.missing.items():
        reasons.setdefault(because, []).append(agent)
    return "; ".join(f"{', '.join(agents)}: {because}" for because, agents in reasons.items())


def _concluded_event(state: RunState, status: Status, because: str, missing: tuple[str, ...] = ()) -> Concluded:
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
