"""by_model: the planner that asks a planning specialist, checks its draft, and sends a bad one back with reasons."""

from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field, ValidationError
from pydantic_core import from_json

from hustings.protocols import (
    OUTCOME,
    Budget,
    Contract,
    Data,
    Failure,
    FromGoal,
    FromSteps,
    FromVerdicts,
    Inquiry,
    Message,
    Plan,
    PlanError,
    Ref,
    SkillCard,
    Step,
    Unreadable,
    Value,
)
from hustings.protocols.validation import errors_in_words
from hustings.protocols.wire import check_legible

from ..settings import Asks, asked, mentioned, mentions
from .planner import Brief, Planner, contracts
from .validate import (
    Cards,
    admitted,
    faults,
    misfits,
    too_deep,
)

REPAIRS = 2  # how often a plan is sent back
MOST = 200  # steps of a draft, and bindings of each step; no real plan needs more
LONG = 300  # characters of a reason, which may quote what the planner wrote


class PlanRequest(Message, contract="hustings.PlanRequest.v1"):
    """The request to a planning specialist. `faults` has what is wrong with its `earlier` plan."""

    goal_type: str
    goal: Data
    goal_fields: dict[str, Contract]
    outcome_fields: dict[str, Contract]
    skills: tuple[SkillCard, ...]
    schemas: dict[str, Data]
    budget: Budget | None = None
    faults: tuple[str, ...] = ()
    earlier: Data | None = None


class Source(Message, contract="hustings.Source.v1"):
    """Where a parameter comes from."""

    kind: Literal["goal", "steps", "verdicts", "value"]
    field: str = Field(default="", description="Of the goal: the name of its field; empty means the goal itself.")
    steps: tuple[str, ...] = Field(default=(), max_length=MOST, description="The ids of the steps that say it.")
    many: bool = Field(default=False, description="All that the steps say, as a list.")
    value: str = Field(default="", description="A value that you write yourself, as JSON.")


class Binding(Message, contract="hustings.Binding.v1"):
    """A parameter of a skill, or a field of the outcome, and where it comes from."""

    name: str
    source: Source


class DraftStep(Message, contract="hustings.DraftStep.v1"):
    """A step as a planner drafts it."""

    id: str = Field(description="Letters, digits, '_' and '-'; not ending in a dash and a number.")
    agent: str
    skill: str
    inputs: tuple[Binding, ...] = Field(max_length=MOST)
    each: str = Field(default="", description="The parameter that takes a list element by element; empty: none.")


class DraftPlan(Message, contract="hustings.DraftPlan.v1"):
    """A plan as a planner drafts it. It is checked before it is used."""

    steps: tuple[DraftStep, ...] = Field(max_length=MOST)
    outcome: tuple[Binding, ...] = Field(max_length=MOST)
    because: str = Field(default="", description="Why it is planned so, in a sentence.")


def by_model(skill: str = "plan", *, fallback: Planner | None = None) -> Planner:
    """A planner that asks an agent that offers `skill` (it takes `request: PlanRequest` and returns a DraftPlan).

    A plan with faults is sent back with the reasons, at most twice. After that, or if there is no answer, the
    `fallback` plans; without a fallback it raises PlanError.
    """

    further = [fallback] if fallback else []
    asks = Asks("by_model", skill, "request", PlanRequest, DraftPlan)

    @mentions(f"*.{skill}", *mentioned(*further), asks=[asks, *asked(*further)])
    def planner(brief: Brief) -> Plan | Inquiry:
        reasons: tuple[str, ...] = ()
        earlier: Data | None = None
        for turn in range(1 + REPAIRS):
            request = _request(brief, reasons, earlier)
            inquiry = Inquiry(skill=skill, given={"request": request.plain()}, key=f"plan {turn}")
            answer = brief.answer(inquiry)
            if answer is None:
                return inquiry
            if isinstance(answer, Failure):
                reasons = (f"no plan: {answer.because}",)
                break
            plan, reasons = _checked(answer, brief)
            if plan:
                return plan
            earlier = answer
        return _fallen_back(fallback, brief, reasons)

    return planner


def _fallen_back(fallback: Planner | None, brief: Brief, reasons: tuple[str, ...]) -> Plan | Inquiry:
    if fallback is None:
        raise PlanError("no plan of the model's can be carried out", "; ".join(reasons))
    plan = fallback(brief)
    if isinstance(plan, Inquiry):
        return plan
    return plan.model_copy(update={"because": {**plan.because, "plan": f"not by model: {'; '.join(reasons)}"[:500]}})


def _request(brief: Brief, reasons: tuple[str, ...], earlier: Data | None) -> PlanRequest:
    cards = tuple(card for _, card in sorted(admitted(brief).items()))
    named = {contract.type for card in cards for contract in (*card.inputs.values(), card.output)}
    return PlanRequest(
        goal_type=brief.goal_type.__contract__,
        goal=brief.goal,
        goal_fields=contracts(brief.goal_type),
        outcome_fields=contracts(brief.outcome_type),
        skills=cards,
        schemas={name: schema for name, schema in brief.directory.schemas.items() if name in named},
        budget=brief.budget,
        faults=reasons,
        earlier=earlier,
    )


def _checked(answer: Data, brief: Brief) -> tuple[Plan | None, tuple[str, ...]]:
    """The plan in an answer, or the reasons why it cannot be used."""
    try:
        plan = complete(DraftPlan.of(answer), brief)
    except ValidationError as error:
        return None, errors_in_words(error, most=5, whole="the plan")
    except (ValueError, Unreadable) as error:
        return None, (str(error)[:LONG],)
    wrong = faults(plan) or [*filter(None, [too_deep(plan, brief.budget)])]
    reasons = tuple(dict.fromkeys(reason[:LONG] for reason in (*wrong, *misfits(plan, brief))))
    return (None, reasons[:20]) if reasons else (plan, ())


def complete(draft: DraftPlan, brief: Brief) -> Plan:
    """The plan from a draft, completed from the cards: other agents for a step, whether it is a witness, may spend,
    returns a list. Raises ValueError if a value is not JSON or a parameter is bound twice."""
    cards = admitted(brief)
    needs = {step.id: [*_needs(step)] for step in draft.steps}
    witnesses = [s.id for s in draft.steps if (card := cards.get((s.agent, s.skill))) and card.witness]
    return Plan(
        steps=tuple(
            _step(step, [*_group(step, cards)], _refs(step.id, step.inputs, witnesses, needs)) for step in draft.steps
        ),
        outcome=_refs(OUTCOME, draft.outcome, witnesses, needs),
        absent=brief.absent(),
        because={"plan": draft.because[:LONG]} if draft.because else {},
        optional=tuple(name for name, wanted in contracts(brief.outcome_type).items() if wanted.optional),
    )


def _step(step: DraftStep, group: Sequence[SkillCard], inputs: dict[str, Ref]) -> Step:
    if not group:
        return Step(id=step.id, skill=step.skill, inputs=inputs, agents=(step.agent,))
    card = group[0]
    return Step(
        id=step.id,
        skill=step.skill,
        inputs=inputs,
        agents=tuple(each.agent for each in group),
        each=step.each or None,
        many=card.output.many or bool(step.each),
        optional=tuple(name for name, wanted in card.inputs.items() if wanted.optional),
        witness=card.witness,
        spends=any(each.spends for each in group),
    )


def _group(step: DraftStep, cards: Cards) -> Iterator[SkillCard]:
    """The cards of the drafted agent and of others that offer the same skill; witnesses are not interchangeable."""
    card = cards.get((step.agent, step.skill))
    if card is None:
        return
    yield card
    for (agent, name), other in sorted(cards.items()):
        same = (name, other.inputs, other.output) == (card.name, card.inputs, card.output)
        if same and agent != card.agent and not (card.witness or other.witness):
            yield other


def _needs(step: DraftStep) -> Iterator[str]:
    for each in step.inputs:
        if each.source.kind in ("steps", "verdicts"):
            yield from each.source.steps


def _refs(taker: str, complete: Sequence[Binding], witnesses: list[str], needs: dict[str, list[str]]) -> dict[str, Ref]:
    refs = {each.name: _ref(each.source, taker, witnesses, needs) for each in complete}
    if len(refs) < len(complete):
        raise ValueError(f"{taker} binds a parameter twice")
    return refs


def _ref(source: Source, taker: str, witnesses: list[str], needs: dict[str, list[str]]) -> Ref:
    match source.kind:
        case "goal":
            return FromGoal(field=source.field or None)
        case "steps":
            return FromSteps(steps=source.steps, many=source.many)
        case "verdicts":
            heard = source.steps or tuple(w for w in witnesses if taker not in _before(w, needs) and w != taker)
            return FromVerdicts(steps=heard)
        case "value":
            check_legible(source.value.encode())
            return Value(value=from_json(source.value))


def _before(step: str, needs: dict[str, list[str]]) -> set[str]:
    """All steps that a step waits for, directly or not."""
    found: set[str] = set()
    front = [step]
    while front:
        for need in needs.get(front.pop(), ()):
            if need not in found:
                found.add(need)
                front.append(need)
    return found
