"""Questions: inquiries, and what agents ask for within their tasks. A part of the pure decider."""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from pydantic import JsonValue

from moot.protocols import (
    Answered,
    Assigned,
    Data,
    DeadLetter,
    Directory,
    Failure,
    Inquiry,
    Lapsed,
    Share,
    SkillCard,
)

from .budgeting import Purse
from .dispatch import choose, dead_letter, deadline_of, hopeless
from .planning import contracts
from .policy import Policy, View, budget_of
from .state import ASK, AskState, RunState

DEEP = 4  # tasks within a task, each asked for by the one around it, where the budget does not say how many


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


def inquire(
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
    if inquiry.task in state.answers or is_open(state, inquiry.task):
        return
    deadline, until = deadline_of(state, policy, view), since + policy.patience
    question = _Question(inquiry.task, inquiry.skill, inquiry.given, asked_by, deadline, until)
    said = _put(state, policy, view, question, load, purse)
    if isinstance(said, str):
        yield Lapsed(task=inquiry.task, attempt=0, because=said)
    elif said:
        yield said


def asks(
    state: RunState, policy: Policy, view: View, load: Counter[str], purse: Purse, lapsed: list[Lapsed]
) -> Iterator[Assigned | Answered | DeadLetter]:
    """A task for each thing that is asked for within another, and what came of it for whoever asked."""
    late = {lapse.task for lapse in lapsed}
    for child in state.unserved:
        ask = state.asks[child]
        if child in state.answers:
            yield _passed_on(child, state.answers[child])
        elif ask.asker not in late and not is_open(state, child):
            said = _served(state, policy, view, child, ask, load, purse)
            if isinstance(said, str):
                yield Answered(child=child, failed=said)
            elif said:
                yield said


def _served(
    state: RunState, policy: Policy, view: View, child: str, ask: AskState, load: Counter[str], purse: Purse
) -> Assigned | DeadLetter | str | None:
    """Its asker waits, so the answer must be there before the asker's own time is over."""
    budget = budget_of(state, policy)
    most = budget.depth if budget and budget.depth is not None else DEEP
    if ask.depth > most:
        return f"{ask.skill}: {ask.depth} tasks wait for each other, each asked for within the next, and {most} may"
    deadline = min(deadline_of(state, policy, view), state.tasks[ask.asker].deadline)
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


def is_open(state: RunState, task: str) -> bool:
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
    if before and hopeless(state, policy, view, question.task, agents or (before.agent,)):
        return dead_letter(state, question.task)
    if not agents:
        offered = f"{', '.join(given)} cannot be given all that it takes" if given else "nobody offers it"
        return f"{question.skill}: {offered}" if view.now >= question.until else None
    others = tuple(agent for agent in agents if agent not in question.waiting)
    agent = choose(others or agents, before, load, view.directory)
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
    if policy.goal.__contract__ == contract:
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
