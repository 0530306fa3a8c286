"""decide: what the coordinator says next. Pure: no I/O, no clock, no model; asked again it says the same."""

import dataclasses
import heapq
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal, NamedTuple

from pydantic import JsonValue, ValidationError

from moot.protocols import (
    Answered,
    Assigned,
    Budget,
    Concluded,
    Data,
    DeadLetter,
    Decision,
    Directory,
    Failure,
    FromSteps,
    Goal,
    GoalAsked,
    Inquiry,
    Lapsed,
    Opened,
    Outcome,
    Plan,
    PlanError,
    Planned,
    Settled,
    Share,
    SkillCard,
    Status,
    Step,
    Value,
    Verdict,
)

from .arbitration import Arbiter, settle
from .budgeting import Purse, too_deep, too_wide
from .chaining import by_contract
from .folding import task_id, testimony
from .matters import group
from .planning import Brief, Planner, contracts, faults
from .serving import Exhausted, Served
from .state import ASK, OUTCOME, AskState, RunState, StepState, TaskState

BATCH = 1000  # events of one decision: the most that the log takes as one atomic batch
DEEP = 4  # tasks within a task, each asked for by the one around it, where the budget does not say how many
SILENT = 3.0  # seconds, three heartbeats, after which what an agent has in hand goes to another that could do it


@dataclass(frozen=True)
class Policy:
    """What a team lays down for its coordinator. Times in seconds.

    `attempts` per task; `lease`: how long an agent may be silent with a task in hand, where nobody else could do it;
    `timeout` of one attempt; `patience`: how long planning waits for the team's members, and a barrier or an agent for
    whoever could answer what it asks; `window`: how many tasks one agent has open in a run; `budget` where none is
    asked for; `served`: which models serve whom; `exhausted`: what becomes of a run in which a task's share is not
    enough.
    """

    goal: type[Goal]
    outcome: type[Outcome]
    members: tuple[str, ...] = ()
    planner: Planner = by_contract
    arbiters: tuple[Arbiter, ...] = ()
    prefer: tuple[str, ...] = ()
    open: bool = True
    attempts: int = 2
    lease: float = 5.0
    timeout: float = 300.0
    patience: float = 10.0
    undecided: Literal["proceed", "stop"] = "proceed"
    window: int = 1000
    budget: Budget | None = None
    served: Served = dataclasses.field(default_factory=Served)
    exhausted: Exhausted = "cheaper"


class View(NamedTuple):
    """All that a decision sees besides the log: the time, and who is there."""

    now: float
    directory: Directory


def decide(state: RunState, policy: Policy, view: View) -> list[Decision]:
    """What to append next; nothing if the next move is somebody else's.

    From any prefix of its own answer it goes on with the rest, so a crash between two of these events costs nothing.
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
    """When to decide again if nothing happens before, in seconds since the epoch; None: not until something does."""
    end = _ends_at(state, policy)
    times = [] if end is None else [end]
    if state.plan is None:
        times.append(state.driving_since + policy.patience)
    if state.deadlines:
        times.append(state.deadlines[0][0])
    times += [
        _lapses_at(state, policy, view, state.tasks[name])
        for agent, tasks in state.open.items()
        if agent not in view.directory.alive
        for name in tasks
    ]
    times += [state.barriers[name].since + policy.patience for name in state.unsettled]
    times += [state.asks[name].since + policy.patience for name in state.unserved]
    return min((time for time in times if time > view.now), default=None)


def _ended_from_outside(state: RunState, policy: Policy, view: View) -> Concluded | None:
    if state.cancelled:
        return _concluded(state, "cancelled", state.cancelled)
    end = _ends_at(state, policy)
    if end is not None and view.now >= end:
        return _concluded(state, "failed", f"it took longer than {end - state.asked_at:g} s")
    if state.exhausted and policy.exhausted == "stop":
        return _concluded(state, "failed", f"the budget is exhausted: {state.exhausted}")
    why = too_wide(state, _budget(state, policy))
    return _concluded(state, "failed", why) if why else None


def _ends_at(state: RunState, policy: Policy) -> float | None:
    """When the time of the run is over: its patience, or its budget's seconds."""
    budget, patience = _budget(state, policy), state.goal.patience if state.goal else None
    bounds = [bound for bound in (patience, budget.seconds if budget else None) if bound is not None]
    return state.asked_at + min(bounds) if bounds else None


def _budget(state: RunState, policy: Policy) -> Budget | None:
    return (state.goal.budget if state.goal else None) or policy.budget


def _taking_part(goal: GoalAsked, directory: Directory) -> Directory:
    """The directory without the skills that this run shall not use."""
    if not goal.only and not goal.skip:
        return directory
    cards = [card for card in directory.cards if card.agent not in goal.skip]
    wanted = tuple(card for card in cards if not (card.witness and goal.only and card.agent not in goal.only))
    return directory.model_copy(update={"cards": wanted})


def _before_the_plan(state: RunState, policy: Policy, view: View) -> Iterator[Decision]:
    lapses = [*_lapses(state, policy, view)]
    load, purse = _load(state), Purse(state, _budget(state, policy))
    yield from lapses
    yield from _asks(state, policy, view, load, purse, lapses)
    yield from _planning(state, policy, view, load, purse)


def _moves(state: RunState, policy: Policy, view: View) -> Iterator[Decision]:
    lapses = [*_lapses(state, policy, view)]
    yield from lapses
    yield from _dead_letters(state, policy, view)
    if state.unreachable:
        return
    load, purse = _load(state), Purse(state, _budget(state, policy))
    yield from _asks(state, policy, view, load, purse, lapses)
    yield from _assignments(state, policy, view, load, purse)
    yield from _openings(state)
    for barrier in state.unsettled:
        yield from _settling(state, policy, view, barrier, load, purse)


def _load(state: RunState) -> Counter[str]:
    """How many tasks each agent has in hand; grows with each that is assigned."""
    return Counter({agent: len(tasks) for agent, tasks in state.open.items()})


# planning


def _planning(state: RunState, policy: Policy, view: View, load: Counter[str], purse: Purse) -> list[Decision]:
    if state.goal and state.goal.again:
        return [_planned(_again(state.goal), view.directory)]
    brief = Brief(
        goal=state.goal_data(),
        goal_type=policy.goal,
        outcome_type=policy.outcome,
        directory=view.directory,
        members=tuple(member for member in policy.members if state.goal is None or member not in state.goal.skip),
        prefer=policy.prefer,
        open=policy.open,
        answer=_answers(state),
        budget=_budget(state, policy),
    )
    if wrong := _misfit(state, policy):
        return [_concluded(state, "failed", wrong)]
    if brief.absent() and view.now < state.driving_since + policy.patience:
        return []
    try:
        plan = policy.planner(brief)
        if isinstance(plan, Inquiry):
            return list(_inquire(state, policy, view, plan, "plan", state.driving_since, load, purse))
        if reasons := faults(plan) or [*filter(None, [too_deep(plan, brief.budget)])]:
            raise PlanError("the plan cannot be carried out", "; ".join(reasons))
    except PlanError as error:
        return [_concluded(state, "failed", str(error), brief.absent())]
    return [_planned(plan, view.directory)]


def _again(goal: GoalAsked) -> Plan:
    """The plan of a redrive: each task as it was assigned then, by itself, for the agent that had it."""
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
    """Why the goal is not one of this team's; empty if it is."""
    if state.goal and state.goal.type != policy.goal.contract:
        return f"this team pursues {policy.goal.contract}, not {state.goal.type}"
    try:
        policy.goal.of(state.goal_data())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        return f"the goal does not fit: {'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return ""


def _planned(plan: Plan, directory: Directory) -> Planned:
    named = {agent for step in plan.steps for agent in step.agents}
    skills = {step.skill for step in plan.steps}
    return Planned(
        plan=plan,
        versions={card.agent: card.version for card in directory.cards if card.agent in named},
        typical={skill: seconds for skill, seconds in directory.typical.items() if skill in skills},
    )


# tasks


def _lapses(state: RunState, policy: Policy, view: View) -> Iterator[Lapsed]:
    """Attempts past their deadline, whose agent has been silent for too long, or that no inbox holds any more."""
    late = set()
    if state.deadlines and state.deadlines[0][0] <= view.now:
        for deadline, name, attempt in heapq.nsmallest(BATCH, state.deadlines):
            task = state.tasks[name]
            if deadline <= view.now and task.status == "open" and task.attempt == attempt:
                late.add(name)
                yield Lapsed(task=name, attempt=attempt, because=f"no answer from {task.agent} in time")
    for agent, tasks in state.open.items():
        settled, silent = view.directory.settled.get(agent, 0), agent not in view.directory.alive
        for name in tasks if silent or settled else ():
            task = state.tasks[name]
            if name in late:
                continue
            if state.places[name].seq <= settled:
                yield Lapsed(
                    task=name, attempt=task.attempt, because=f"nobody holds it: it lies behind {agent}'s inbox"
                )
            elif silent and _lapses_at(state, policy, view, task) <= view.now:
                yield Lapsed(task=name, attempt=task.attempt, because=f"no heartbeat from {agent} for too long")
            elif not silent:
                break


def _lapses_at(state: RunState, policy: Policy, view: View, task: TaskState) -> float:
    """When a silent agent's task is taken from it: soon if somebody else could do it. Else it has the time of all
    attempts to come back in, for what was assigned waits in its inbox, and nobody else could do more than wait."""
    step = state.steps.get(task.step)
    others = view.directory.alive.intersection(step.step.agents if step else ()) - {task.agent}
    heard = max(task.since, state.driving_since, view.directory.silent.get(task.agent, 0.0))
    return heard + (min(SILENT, policy.lease) if others else policy.lease * policy.attempts)


def _dead_letters(state: RunState, policy: Policy, view: View) -> Iterator[DeadLetter]:
    """Of the tasks that were given up; and those are given up now for which there is no hope."""
    for name in state.dead:
        yield _dead_letter(state, name)
    for name in state.retries:
        if _hopeless(state, policy, view, name, state.steps[state.tasks[name].step].step.agents):
            yield _dead_letter(state, name)


def _hopeless(state: RunState, policy: Policy, view: View, name: str, agents: tuple[str, ...]) -> bool:
    """True if nobody else could do the task, and it kills the one who could, or that one has been silent too long."""
    task, kind = state.tasks[name], state.failures[name].kind
    if {*agents} != {task.agent}:
        return False
    heard = view.directory.silent.get(task.agent, task.since)
    gone = task.agent not in view.directory.alive and view.now >= heard + policy.lease * policy.attempts
    return kind == "killed" or (kind == "lapsed" and gone)


def _dead_letter(state: RunState, name: str) -> DeadLetter:
    task, failure, place = state.tasks[name], state.failures[name], state.places[name]
    return DeadLetter(
        task=name,
        agent=task.agent,
        skill=place.skill,
        attempts=task.attempt,
        kind=failure.kind,
        because=failure.because,
        version=failure.version or state.versions.get(task.agent, ""),
        assigned=place.seq,
    )


def _assignments(state: RunState, policy: Policy, view: View, load: Counter[str], purse: Purse) -> Iterator[Assigned]:
    """Further attempts first, then what is ready, the longest remaining path first; nobody has more than its window.

    Where the budget is shared out, the next one that spends waits for what others give back."""
    deadline = _deadline(state, policy, view)
    for name in state.retries:
        task = state.tasks[name]
        step = state.steps[task.step]
        agent = _choose(step.step.agents, task, load, view.directory)
        if step.step.spends and purse.waits():
            continue
        if load[agent] < policy.window and not _hopeless(state, policy, view, name, step.step.agents):
            given = next(state.inputs(step.step, task.ordinal))
            yield _assign(step, task.ordinal, given, task.attempt + 1, agent, load, deadline, purse, policy)
    for _, _, name in heapq.merge(*_open_queues(state, policy, load)):
        step = state.steps[name]
        if step.step.spends and purse.waits():
            continue
        for ordinal, given in enumerate(state.inputs(step.step, step.assigned), step.assigned):
            agent = _choose(step.step.agents, None, load, view.directory)
            if load[agent] >= policy.window or (step.step.spends and purse.waits()):
                break
            yield _assign(step, ordinal, given, 1, agent, load, deadline, purse, policy)


def _open_queues(state: RunState, policy: Policy, load: Counter[str]) -> Iterator[Iterator[tuple[float, int, str]]]:
    """The steps that are ready, by who could do them, as long as somebody of these has room."""
    for agents, queue in state.queues.items():
        yield takewhile(lambda _, agents=agents: any(load[agent] < policy.window for agent in agents), queue)  # type: ignore[misc]


def _deadline(state: RunState, policy: Policy, view: View) -> float:
    """Of an attempt that begins now: never behind the end of the run's own time."""
    end = _ends_at(state, policy)
    return view.now + policy.timeout if end is None else min(view.now + policy.timeout, end)


def _assign(
    step: StepState,
    ordinal: int,
    given: Data,
    attempt: int,
    agent: str,
    load: Counter[str],
    deadline: float,
    purse: Purse,
    policy: Policy,
) -> Assigned:
    load[agent] += 1
    return Assigned(
        task=task_id(step.step, ordinal),
        step=step.step.id,
        agent=agent,
        attempt=attempt,
        skill=step.step.skill,
        input=given,
        deadline=deadline,
        ordinal=ordinal,
        share=purse.share(spends=step.step.spends),
        serving=policy.served.of(agent, step.step.skill),
    )


def _choose(agents: tuple[str, ...], before: TaskState | None, load: Counter[str], directory: Directory) -> str:
    """Of the agents that could: alive, and well, and not the one that failed, if there is such; the least loaded."""
    alive = [agent for agent in agents if agent in directory.alive] or list(agents)
    alive = [agent for agent in alive if agent not in directory.unwell] or alive
    others = [agent for agent in alive if before is None or agent != before.agent] or alive
    return min(others, key=lambda agent: load[agent])


# barriers


def _openings(state: RunState) -> Iterator[Opened]:
    conflicts, agreed = state.conflicts, state.agreed
    for name in state.openings:
        items = testimony(state, state.barriers[name])
        matters = group(items, conflicts=conflicts, agreed=agreed)
        yield Opened(barrier=name, matters=matters, items=items)
        conflicts += sum(matter.contested for matter in matters)
        agreed += sum(not matter.contested for matter in matters)


def _settling(
    state: RunState, policy: Policy, view: View, name: str, load: Counter[str], purse: Purse
) -> Iterator[Decision]:
    barrier = state.barriers[name]
    replies = settle(barrier.matters, barrier.items, policy.arbiters, _answers(state))
    inquiries = [reply for reply in replies if isinstance(reply, Inquiry)]
    purse.expect(sum(not _is_open(state, inquiry.task) for inquiry in inquiries))
    for inquiry in inquiries:
        yield from _inquire(state, policy, view, inquiry, name, barrier.since, load, purse)
    if not inquiries:
        yield Settled(barrier=name, verdicts=tuple(reply for reply in replies if isinstance(reply, Verdict)))


def _answers(state: RunState) -> Callable[[Inquiry], Data | Failure | None]:
    def answer(inquiry: Inquiry) -> Data | Failure | None:
        if inquiry.task not in state.answers:
            return None
        said = state.answers[inquiry.task]
        return said if isinstance(said, dict | Failure) else {}

    return answer


# inquiries, and what agents ask for within their tasks


class _Question(NamedTuple):
    """A task for whoever offers a skill; for somebody in `waiting` only where nobody else does. Given up at `until`."""

    task: str
    skill: str
    given: Data
    asked_by: str
    deadline: float
    until: float
    depth: int = 0
    waiting: frozenset[str] = frozenset()
    share: Share | None = None


def _inquire(
    state: RunState,
    policy: Policy,
    view: View,
    inquiry: Inquiry,
    asked_by: str,
    since: float,
    load: Counter[str],
    purse: Purse,
) -> Iterator[Assigned | Lapsed | DeadLetter]:
    """Assign the inquiry to whoever offers the skill; nobody for as long as patience lasts means no answer."""
    if inquiry.task in state.answers or _is_open(state, inquiry.task):
        return
    deadline, until = _deadline(state, policy, view), since + policy.patience
    question = _Question(inquiry.task, inquiry.skill, inquiry.given, asked_by, deadline, until)
    said = _put(state, policy, view, question, load, purse)
    if isinstance(said, str):
        yield Lapsed(task=inquiry.task, attempt=0, because=said)
    elif said:
        yield said


def _asks(
    state: RunState, policy: Policy, view: View, load: Counter[str], purse: Purse, lapses: list[Lapsed]
) -> Iterator[Assigned | Answered | DeadLetter]:
    """A task for each thing that is asked for within another, and what came of it for whoever asked."""
    late = {lapsed.task for lapsed in lapses}
    for child in state.unserved:
        ask = state.asks[child]
        if child in state.answers:
            yield _passed_on(child, state.answers[child])
        elif ask.asker not in late and not _is_open(state, child):
            said = _served(state, policy, view, child, ask, load, purse)
            if isinstance(said, str):
                yield Answered(child=child, failed=said)
            elif said:
                yield said


def _served(
    state: RunState, policy: Policy, view: View, child: str, ask: AskState, load: Counter[str], purse: Purse
) -> Assigned | DeadLetter | str | None:
    """Its asker waits, so the answer must be there before the asker's own time is over."""
    budget = _budget(state, policy)
    most = budget.depth if budget and budget.depth is not None else DEEP
    if ask.depth > most:
        return f"{ask.skill}: {ask.depth} tasks wait for each other, each asked for within the next, and {most} may"
    deadline = min(_deadline(state, policy, view), state.tasks[ask.asker].deadline)
    until, waiting = ask.since + policy.patience, frozenset(_waiting(state, ask))
    question = _Question(child, ask.skill, ask.input, ASK, deadline, until, ask.depth, waiting, ask.share)
    return _put(state, policy, view, question, load, purse)


def _waiting(state: RunState, ask: AskState) -> Iterator[str]:
    """The agents that could wait for themselves: who asks, whoever asked that one, and so on."""
    around: AskState | None = ask
    while around:
        yield state.tasks[around.asker].agent
        around = state.asks.get(around.asker)


def _passed_on(child: str, said: JsonValue | Failure) -> Answered:
    if isinstance(said, Failure):
        return Answered(child=child, failed=f"{said.agent} failed ({said.kind}): {said.because}")
    return Answered(child=child, output=said)


def _is_open(state: RunState, task: str) -> bool:
    return task in state.tasks and state.tasks[task].status == "open"


def _put(
    state: RunState,
    policy: Policy,
    view: View,
    question: _Question,
    load: Counter[str],
    purse: Purse,
) -> Assigned | DeadLetter | str | None:
    """The next attempt at a question, or why there is none and will be none; None: somebody may yet come."""
    before = state.tasks.get(question.task)
    cards = [card for card in view.directory.cards if card.name == question.skill and _admitted(card, policy)]
    given = {card.agent: _bind(state, policy, view.directory, card, question.given) for card in cards}
    agents = tuple(agent for agent, bound in given.items() if bound is not None)
    if before and _hopeless(state, policy, view, question.task, agents or (before.agent,)):
        return _dead_letter(state, question.task)
    if not agents:
        offered = f"{', '.join(given)} cannot be given all that it takes" if given else "nobody offers it"
        return f"{question.skill}: {offered}" if view.now >= question.until else None
    others = tuple(agent for agent in agents if agent not in question.waiting)
    agent = _choose(others or agents, before, load, view.directory)
    spends = any(card.agent == agent and card.spends for card in cards)
    if spends and question.asked_by != ASK and purse.waits():
        return None
    load[agent] += 1
    return Assigned(
        task=question.task,
        step="",
        agent=agent,
        attempt=before.attempt + 1 if before else 1,
        skill=question.skill,
        input=given[agent] or {},
        deadline=question.deadline,
        asked_by=question.asked_by,
        share=purse.grant(question.share) if question.asked_by == ASK else purse.share(spends=spends),
        serving=policy.served.of(agent, question.skill),
        depth=question.depth,
    )


def _admitted(card: SkillCard, policy: Policy) -> bool:
    return policy.open or card.agent in policy.members


def _bind(state: RunState, policy: Policy, directory: Directory, card: SkillCard, given: Data) -> Data | None:
    """The whole input of a question: what is given, and the rest by contract. None if a parameter is not to be had."""
    bound: Data = dict(given)
    for name, wanted in card.takes.items():
        if name in bound:
            continue
        found = _known(state, policy, directory, wanted.type) if not wanted.many else None
        if found is None and not wanted.optional:
            return None
        if found is not None:
            bound[name] = found
    return bound


def _known(state: RunState, policy: Policy, directory: Directory, contract: str) -> JsonValue:
    if policy.goal.contract == contract:
        return state.goal_data()
    for field, wanted in contracts(policy.goal).items():
        if wanted.type == contract and not wanted.many:
            return state.goal_data().get(field)
    says = {(card.agent, card.name): card.says.type for card in directory.cards}
    for step in state.steps.values():
        if (
            step.status == "done"
            and not step.step.many
            and says.get((step.step.agents[0], step.step.skill)) == contract
        ):
            return step.outputs[0]
    return None


# the end


def _conclusion(state: RunState, policy: Policy) -> list[Decision]:
    if state.unreachable:
        why = f"outcome.{state.unreachable} cannot be had any more: {_missing(state)}"
        return [_concluded(state, "failed", why)]
    if OUTCOME not in state.agenda:
        return []
    undecided = sum(not v.decided for barrier in state.barriers.values() for v in barrier.verdicts)
    if undecided and policy.undecided == "stop":
        matters = "1 matter is" if undecided == 1 else f"{undecided} matters are"
        return [_concluded(state, "undecided", f"{matters} undecided, and this team wants a person then")]
    if state.missing:
        return [_concluded(state, "partial", f"without {_missing(state)}")]
    left = f"{undecided} {'matter' if undecided == 1 else 'matters'} undecided"
    return [_concluded(state, "decided", left if undecided else "everything was settled")]


def _missing(state: RunState) -> str:
    """Who is missing, and why; who is missing for the same reason is named together."""
    reasons: dict[str, list[str]] = {}
    for agent, because in state.missing.items():
        reasons.setdefault(because, []).append(agent)
    return "; ".join(f"{', '.join(agents)}: {because}" for because, agents in reasons.items())


def _concluded(state: RunState, status: Status, because: str, missing: tuple[str, ...] = ()) -> Concluded:
    return Concluded(
        status=status,
        outcome=_outcome(state),
        because=because,
        state_hash=state.hash(),
        at=state.seq,
        missing=tuple(dict.fromkeys((*missing, *state.missing))),
    )


def _outcome(state: RunState) -> Data:
    """The outcome's fields as far as there is something to fill them with."""
    if state.plan is None:
        return {}
    fields = {name: state.value(ref) for name, ref in state.plan.outcome.items() if state.available(ref)}
    return {name: value for name, value in fields.items() if value is not None}
