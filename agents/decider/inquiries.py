"""Inquiries of planners and arbiters, and asks of agents within their tasks. A part of the pure decider."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from pydantic import JsonValue

from hustings.protocols import (
    Answered,
    Assigned,
    AttemptAbandoned,
    BudgetShare,
    Contract,
    Data,
    DeadLetter,
    Directory,
    Failure,
    Inquiry,
    SkillCard,
)

from ..planning.planner import contracts
from ..planning.validate import in_words
from .allocation import BudgetAllocator
from .assign import Due, assign
from .dead_letters import dead_letter, hopeless
from .policy import Policy, View, budget_of
from .state import ASK, AskState, RunState

DEEP = 4  # the deepest nesting of asks, if the budget has no `depth`


class _Question(NamedTuple):
    """A task for an agent that offers the skill; one in `waiting` only if no other does. Given up at `until`. `wants`:
    what the skill has to return."""

    task: str
    skill: str
    given: Data
    asked_by: str
    until: float
    latest: float = math.inf
    depth: int = 0
    waiting: frozenset[str] = frozenset()
    share: BudgetShare | None = None
    wants: Contract | None = None


def inquire(
    state: RunState,
    policy: Policy,
    view: View,
    inquiry: Inquiry,
    asked_by: str,
    since: float,
    load: Counter[str],
    allocator: BudgetAllocator,
) -> Iterator[Assigned | AttemptAbandoned | DeadLetter]:
    """Assign the inquiry to an agent that offers the skill. It fails if there is none within `discovery_timeout`."""
    if inquiry.task in state.answers or is_open(state, inquiry.task):
        return
    question = _Question(inquiry.task, inquiry.skill, inquiry.given, asked_by, until=since + policy.discovery_timeout)
    said = _put(state, policy, view, question, load, allocator)
    if isinstance(said, str):
        yield AttemptAbandoned(task=inquiry.task, attempt=0, because=said)
    elif said:
        yield said


def serve(
    state: RunState, policy: Policy, view: View, child: str, load: Counter[str], allocator: BudgetAllocator
) -> Iterator[Assigned | Answered | DeadLetter]:
    """Assign the task of an ask, or pass its answer on to the asker."""
    if child in state.answers:
        yield _passed_on(child, state.answers[child])
    elif not is_open(state, child):
        said = _served(state, policy, view, child, state.asks[child], load, allocator)
        if isinstance(said, str):
            yield Answered(child=child, failed=said)
        elif said:
            yield said


def _served(
    state: RunState,
    policy: Policy,
    view: View,
    child: str,
    ask: AskState,
    load: Counter[str],
    allocator: BudgetAllocator,
) -> Assigned | DeadLetter | str | None:
    """The next attempt of an ask. The asker waits, so its deadline is not after the asker's own."""
    budget = budget_of(state, policy)
    most = budget.depth if budget and budget.depth is not None else DEEP
    if ask.depth > most:
        return f"{ask.skill}: {ask.depth} nested tasks would wait for each other, and the limit is {most}"
    until, waiting = ask.since + policy.discovery_timeout, frozenset(_waiting(state, ask))
    latest = state.tasks[ask.asker].deadline
    question = _Question(child, ask.skill, ask.input, ASK, until, latest, ask.depth, waiting, ask.share, ask.wants)
    return _put(state, policy, view, question, load, allocator)


def _waiting(state: RunState, ask: AskState) -> Iterator[str]:
    """The agents that wait for this ask, directly or not: its asker, the asker of that task, and so on."""
    around: AskState | None = ask
    while around:
        yield state.tasks[around.asker].agent
        around = state.asks.get(around.asker)


def _passed_on(child: str, said: JsonValue | Failure) -> Answered:
    if isinstance(said, Failure):
        return Answered(child=child, failed=f"{said.agent} failed ({said.kind}): {said.because}")
    return Answered(child=child, output=said)


def is_open(state: RunState, task: str) -> bool:
    return task in state.tasks and state.tasks[task].status == "open"


def _put(
    state: RunState,
    policy: Policy,
    view: View,
    question: _Question,
    load: Counter[str],
    allocator: BudgetAllocator,
) -> Assigned | DeadLetter | str | None:
    """The next attempt of a question, or the reason why there will be none. None: it waits for a free agent, or for one
    that may still start."""
    before = state.tasks.get(question.task)
    offers = [card for card in view.directory.cards if card.name == question.skill and _admitted(card, policy)]
    cards = [card for card in offers if question.wants in (None, card.output)]
    bound = {card.agent: _bind(state, policy, view.directory, card, question.given) for card in cards}
    given = {agent: data for agent, data in bound.items() if data is not None}
    if before and hopeless(state, policy, view, question.task, tuple(given) or (before.agent,)):
        return dead_letter(state, question.task)
    if not given:
        return f"{question.skill}: {_unserved(question, offers, bound)}" if view.now >= question.until else None
    due = Due(
        task=question.task,
        skill=question.skill,
        given={agent: data for agent, data in given.items() if agent not in question.waiting} or given,
        spenders={card.agent for card in cards if card.spends},
        before=before,
        asked_by=question.asked_by,
        latest=question.latest,
        depth=question.depth,
        share=question.share,
    )
    return assign(state, policy, view, load, allocator, due)


def _unserved(question: _Question, offers: Sequence[SkillCard], bound: Iterable[str]) -> str:
    """Why nobody can be asked."""
    if any(bound):
        return f"{', '.join(bound)} cannot be given all parameters"
    if question.wants and offers:
        returned = ", ".join(f"{card.agent} returns {in_words(card.output)}" for card in offers)
        return f"{in_words(question.wants)} is wanted, and {returned}"
    return "nobody offers it"


def _admitted(card: SkillCard, policy: Policy) -> bool:
    return policy.open or card.agent in policy.members


def _bind(state: RunState, policy: Policy, directory: Directory, card: SkillCard, given: Data) -> Data | None:
    """The whole input of a question: the given parameters, the others by contract. None if one cannot be filled."""
    bound: Data = dict(given)
    for name, wanted in card.inputs.items():
        if name in bound:
            continue
        found = _known(state, policy, directory, wanted.type) if not wanted.many else None
        if found is None and not wanted.optional:
            return None
        if found is not None:
            bound[name] = found
    return bound


def _known(state: RunState, policy: Policy, directory: Directory, contract: str) -> JsonValue:
    if policy.goal.__contract__ == contract:
        return state.goal_data()
    for field, wanted in contracts(policy.goal).items():
        if wanted.type == contract and not wanted.many:
            return state.goal_data().get(field)
    outputs = {(card.agent, card.name): card.output.type for card in directory.cards}
    for step in state.steps.values():
        if (
            step.status == "done"
            and not step.step.many
            and outputs.get((step.step.agents[0], step.step.skill)) == contract
        ):
            return step.outputs[0]
    return None
