"""Inquiries of planners and arbiters, and asks of agents within their tasks. A part of the pure decider."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from pydantic import JsonValue

from hustings.protocols import (
    Answered,
    Assigned,
    AttemptAbandoned,
    Contract,
    Data,
    DeadLetter,
    Failure,
    Inquiry,
    PlanError,
    SkillCard,
)

from ..planning.planner import contracts
from ..planning.validate import in_words
from .assign import Due, assign
from .dead_letters import dead_letter, hopeless
from .state import ASK, AskState
from .turn import Turn

DEEP = 4  # the deepest nesting of asks, if the budget has no `depth`


class _Question(NamedTuple):
    """An attempt that is due if an agent offers the skill; one in `waiting` only if no other does. Given up at `until`.
    `wants`: what the skill has to return."""

    due: Due
    given: Data
    until: float
    waiting: frozenset[str] = frozenset()
    wants: Contract | None = None


def inquire(
    turn: Turn, inquiries: list[Inquiry], asked_by: str, since: float
) -> Iterator[Assigned | AttemptAbandoned | DeadLetter]:
    """Assign inquiries to agents that offer the skill. One fails if there is none within `discovery_timeout`.

    Raises PlanError if all of them are answered already: whoever repeats them would never end."""
    if inquiries and all(inquiry.task in turn.state.answers for inquiry in inquiries):
        skills = ", ".join(sorted({inquiry.skill for inquiry in inquiries}))
        who = "arbiters" if asked_by in turn.state.barriers else "planner"
        raise PlanError(f"the team's {who} asked {skills} again", "it has the answer to that inquiry already")
    until = since + turn.policy.discovery_timeout
    for inquiry in inquiries:
        if inquiry.task in turn.state.answers or is_open(turn, inquiry.task):
            continue
        said = _put(turn, _Question(Due(inquiry.task, inquiry.skill, asked_by=asked_by), inquiry.given, until))
        if isinstance(said, str):
            yield AttemptAbandoned(task=inquiry.task, attempt=0, because=said)
        elif said:
            yield said


def is_open(turn: Turn, task: str) -> bool:
    return task in turn.state.tasks and turn.state.tasks[task].status == "open"


def look_up(turn: Turn) -> Callable[[Inquiry], Data | Failure | None]:
    """How planners and arbiters read the answer to an inquiry: None while there is none."""

    def answer(inquiry: Inquiry) -> Data | Failure | None:
        if inquiry.task not in turn.state.answers:
            return None
        said = turn.state.answers[inquiry.task]
        return said if isinstance(said, dict | Failure) else {}

    return answer


def serve(turn: Turn, child: str) -> Iterator[Assigned | Answered | DeadLetter]:
    """Assign the task of an ask, or pass its answer on to the asker."""
    if child in turn.state.answers:
        yield _passed_on(child, turn.state.answers[child])
    elif not is_open(turn, child):
        said = _served(turn, child, turn.state.asks[child])
        if isinstance(said, str):
            yield Answered(child=child, failed=said)
        elif said:
            yield said


def _passed_on(child: str, said: JsonValue | Failure) -> Answered:
    if isinstance(said, Failure):
        return Answered(child=child, failed=f"{said.agent} failed ({said.kind}): {said.because}")
    return Answered(child=child, output=said)


def _served(turn: Turn, child: str, ask: AskState) -> Assigned | DeadLetter | str | None:
    """The next attempt of an ask. The asker waits, so its deadline is not after the asker's own."""
    most = turn.budget.depth if turn.budget and turn.budget.depth is not None else DEEP
    if ask.depth > most:
        return f"{ask.skill}: {ask.depth} nested tasks would wait for each other, and the limit is {most}"
    latest, until = turn.state.tasks[ask.asker].deadline, ask.since + turn.policy.discovery_timeout
    due = Due(child, ask.skill, asked_by=ASK, latest=latest, depth=ask.depth, share=ask.share)
    return _put(turn, _Question(due, ask.input, until, frozenset(_askers(turn, ask)), ask.wants))


def _askers(turn: Turn, ask: AskState) -> Iterator[str]:
    """The agents that wait for this ask, directly or not: its asker, the asker of that task, and so on."""
    around: AskState | None = ask
    while around:
        yield turn.state.tasks[around.asker].agent
        around = turn.state.asks.get(around.asker)


def _put(turn: Turn, question: _Question) -> Assigned | DeadLetter | str | None:
    """The next attempt of a question, or the reason why there will be none. None: it waits until it is due, for a free
    agent, or for one that may still start."""
    due = question.due
    before = turn.state.tasks.get(due.task)
    if before and turn.view.now < before.due:
        return None
    offers = [card for card in turn.view.directory.cards if card.name == due.skill and _admitted(turn, card)]
    cards = [card for card in offers if question.wants in (None, card.output)]
    bound = {card.agent: _bind(turn, card, question.given) for card in cards}
    given = {agent: data for agent, data in bound.items() if data is not None}
    if before and hopeless(turn, due.task, tuple(given) or (before.agent,)):
        return dead_letter(turn.state, due.task)
    if not given:
        return f"{due.skill}: {_unserved(question, offers, bound)}" if turn.view.now >= question.until else None
    given = {agent: data for agent, data in given.items() if agent not in question.waiting} or given
    return assign(
        turn, due._replace(given=given, spenders={card.agent for card in cards if card.spends}, before=before)
    )


def _unserved(question: _Question, offers: Sequence[SkillCard], bound: Iterable[str]) -> str:
    """Why nobody can be asked."""
    if any(bound):
        return f"{', '.join(bound)} cannot be given all parameters"
    if question.wants and offers:
        returned = ", ".join(f"{card.agent} returns {in_words(card.output)}" for card in offers)
        return f"{in_words(question.wants)} is wanted, and {returned}"
    return "nobody offers it"


def _admitted(turn: Turn, card: SkillCard) -> bool:
    return turn.policy.open or card.agent in turn.policy.members


def _bind(turn: Turn, card: SkillCard, given: Data) -> Data | None:
    """The whole input of a question: the given parameters, the others by contract. None if one cannot be filled."""
    bound: Data = dict(given)
    for name, wanted in card.inputs.items():
        if name in bound:
            continue
        found = _known(turn, wanted.type) if not wanted.many else None
        if found is None and not wanted.optional:
            return None
        if found is not None:
            bound[name] = found
    return bound


def _known(turn: Turn, contract: str) -> JsonValue:
    """What the run has of this contract: the goal, one of its fields, or what a step returned."""
    goal, data = turn.policy.goal, turn.goal.goal
    if goal.__contract__ == contract:
        return data
    for field, wanted in contracts(goal).items():
        if wanted.type == contract and not wanted.many:
            return data.get(field)
    outputs = {(card.agent, card.name): card.output.type for card in turn.view.directory.cards}
    for step in turn.state.steps.values():
        of = step.step
        if step.status == "done" and not of.many and outputs.get((of.agents[0], of.skill)) == contract:
            return step.outputs[0]
    return None
