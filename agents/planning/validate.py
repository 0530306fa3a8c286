"""Checks that a plan can be carried out: it has no faults, is not too deep, and its types fit."""

from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from hustings.protocols import (
    OUTCOME,
    Budget,
    Contract,
    FromGoal,
    FromSteps,
    FromVerdicts,
    Plan,
    Ref,
    SkillCard,
    Step,
    Value,
    Verdict,
)
from hustings.protocols.plans import steps_of
from hustings.protocols.subjects import is_token

from .json_schema import unlike
from .planner import Brief, contracts

Cards = Mapping[tuple[str, str], SkillCard]


def faults(plan: Plan) -> list[str]:
    """The faults of a plan, in words for its author; empty if there are none."""
    known = {step.id for step in plan.steps}
    wrong = [fault for step in plan.steps for fault in _faults_of(step, known)]
    wrong += [f"the outcome needs {need}, which is not a step" for need in steps_of(plan.outcome) if need not in known]
    refs = [ref for step in plan.steps for ref in step.inputs.values()] + list(plan.outcome.values())
    heard = {name for ref in refs if isinstance(ref, FromVerdicts) for name in ref.steps}
    wrong += [
        f"{step.id} is at a barrier, but is not a witness"
        for step in plan.steps
        if step.id in heard and not step.witness
    ]
    tasks = {step.id: step.id.rpartition("-") for step in plan.steps}
    fans = {step.id for step in plan.steps if step.each}
    wrong += [
        f"{name} could be taken for a task of {before}"
        for name, (before, _, ordinal) in tasks.items()
        if before in fans and ordinal.isdigit()
    ]
    if len(known) != len(plan.steps):
        wrong.append("two steps have one id")
    try:
        TopologicalSorter({step.id: steps_of(step.inputs) for step in plan.steps}).prepare()
    except CycleError as error:
        wrong.append(f"{', '.join(error.args[1][1:])} wait for each other")
    return wrong


def _faults_of(step: Step, known: set[str]) -> Iterator[str]:
    for need in steps_of(step.inputs):
        if need not in known:
            yield f"{step.id} needs {need}, which is not a step"
    if not step.agents:
        yield f"{step.id} names no agent"
    if not is_token(step.id):
        yield f"{step.id} cannot be part of a subject"
    if step.id == OUTCOME:
        yield f"{OUTCOME} cannot be the id of a step"
    if step.each is not None and step.each not in step.inputs:
        yield f"{step.id} fans out over {step.each}, which is not one of its inputs"


def too_deep(plan: Plan, budget: Budget | None) -> str:
    """The reason if the plan has a longer chain of steps than the budget allows; else empty. Only for plans without
    `faults`, for a cycle would never end."""
    if budget is None or budget.depth is None or longest(plan) <= budget.depth:
        return ""
    return f"the plan has {longest(plan)} steps in a row, and the budget allows {budget.depth}"


def longest(plan: Plan) -> int:
    """The length of the longest chain of steps that wait for each other."""
    needs = {step.id: steps_of(step.inputs) for step in plan.steps}
    depths: dict[str, int] = {}
    waiting = list(needs)
    while waiting:
        node = waiting[-1]
        missing = [need for need in needs[node] if need not in depths]
        waiting += missing
        if not missing:
            depths[waiting.pop()] = 1 + max((depths[need] for need in needs[node]), default=0)
    return max(depths.values(), default=0)


def misfits(plan: Plan, brief: Brief) -> list[str]:
    """What does not fit, in words for the plan's author; empty if everything fits.

    Each step must name agents that are present, admitted and offer the skill. Each required parameter, and each field
    of the outcome, must be bound to a value of its contract. A constant must fit its contract, and must not replace the
    outcome, verdicts or the testimony of the team's own witnesses. The number of tasks, as far as it is known, must be
    within the budget.
    """
    return [*_Check(plan, brief).all()]


def admitted(brief: Brief) -> Cards:
    """The skills that may be used, by agent and skill name."""
    return {
        (card.agent, card.name): card
        for card in brief.directory.cards
        if card.agent in brief.directory.alive and (brief.open or card.agent in brief.members)
    }


class _Check:
    """One check of one plan."""

    def __init__(self, plan: Plan, brief: Brief) -> None:
        self.plan = plan
        self.brief = brief
        self.cards = admitted(brief)
        self.steps = {step.id: step for step in plan.steps}
        self.goal_fields = contracts(brief.goal_type)
        own = [card.output.type for card in self.cards.values() if card.witness and card.agent in brief.members]
        self.never_written = {Verdict.__contract__, *own}

    def all(self) -> Iterator[str]:
        for step in self.plan.steps:
            yield from self._step(step)
        wanted = contracts(self.brief.outcome_type)
        for name, field in self.brief.outcome_type.model_fields.items():
            if name not in wanted and field.is_required():
                yield f"{OUTCOME}.{name} cannot be planned for: it is not a message"
        yield from self._bound(OUTCOME, self.plan.outcome, wanted)
        yield from self._beyond_budget()

    def _step(self, step: Step) -> Iterator[str]:
        for agent in step.agents:
            card = self.cards.get((agent, step.skill))
            if card is None:
                yield f"{step.id}: {agent} offers no skill {step.skill}"
            else:
                yield from self._bound(step.id, step.inputs, card.inputs, step.each)

    def _bound(
        self, taker: str, refs: Mapping[str, Ref], wanted: Mapping[str, Contract], each: str | None = None
    ) -> Iterator[str]:
        for name in refs:
            if name not in wanted:
                yield f"{taker} takes no {name}; it takes {', '.join(wanted) or 'nothing'}"
        for name, contract in wanted.items():
            if name not in refs:
                if not contract.optional:
                    yield f"{taker}.{name} ({in_words(contract)}) is not bound"
            elif name != each:
                yield from self._fits(taker, name, refs[name], contract)
            elif contract.many:
                yield f"{taker}.{name} takes a whole list, so there is nothing to fan out over"
            else:
                yield from self._fits(taker, name, refs[name], contract.model_copy(update={"many": True}))

    def _fits(self, taker: str, name: str, ref: Ref, wanted: Contract) -> Iterator[str]:
        place = f"{taker}.{name}"
        if isinstance(ref, Value):
            yield from (f"{place}{why}" for why in self._constant(taker, ref, wanted))
            return
        for given in self._given(ref):
            if isinstance(given, str):
                yield f"{place}: {given}"
            elif given.type != wanted.type or given.many != wanted.many:
                yield f"{place} wants {in_words(wanted)}, and gets {in_words(given)}"
            elif given.optional and not wanted.optional and self._empty(ref):
                yield f"{place}: the goal has nothing there"

    def _empty(self, ref: Ref) -> bool:
        return isinstance(ref, FromGoal) and ref.field is not None and self.brief.goal.get(ref.field) is None

    def _given(self, ref: Ref) -> Iterator[Contract | str]:
        """The contracts of a reference, one for each step that it names; or the reason why it has none."""
        match ref:
            case FromGoal(field=None):
                yield Contract(type=self.brief.goal_type.__contract__)
            case FromGoal(field=field):
                yield self.goal_fields.get(field or "", f"the goal has no message in a field {field}")
            case FromVerdicts():
                yield Contract(type=Verdict.__contract__, many=True)
            case FromSteps(steps=names, many=many):
                if not names or (len(names) > 1 and not many):
                    yield f"{len(names)} steps are named, and it takes one"
                for name in names:
                    yield self._said(name, many=many)

    def _said(self, name: str, *, many: bool) -> Contract | str:
        step = self.steps.get(name)
        card = self.cards.get((step.agents[0], step.skill)) if step and step.agents else None
        if step is None or card is None:
            return f"{name} is not a step"
        if step.many and not many:
            return f"{name} returns a list, so `many` must be true"
        return Contract(type=card.output.type, many=many)

    def _constant(self, taker: str, ref: Value, wanted: Contract) -> Iterator[str]:
        """What is wrong with a constant that the planner wrote itself."""
        if taker == OUTCOME or wanted.type in self.never_written:
            yield f" cannot be a value: {wanted.type} must come from a step"
        elif wanted.many and not isinstance(ref.value, list):
            yield f" wants {in_words(wanted)}, and gets a single value"
        else:
            schema = self.brief.directory.schemas.get(wanted.type, {"type": "object"})
            for value in ref.value if wanted.many and isinstance(ref.value, list) else [ref.value]:
                yield from (f" ({wanted.type}): {why}" for why in unlike(value, schema))

    def _beyond_budget(self) -> Iterator[str]:
        budget = self.brief.budget
        if budget is None:
            return
        for step in self.plan.steps:
            if budget.fan_out is not None and self._tasks(step) > budget.fan_out:
                yield f"{step.id} fans out to {self._tasks(step)} tasks, and the budget allows {budget.fan_out}"
        spending = sum(self._tasks(step) for step in self.plan.steps if step.spends)
        if budget.calls is not None and spending > budget.calls:
            yield f"{spending} tasks may call a model, and the budget allows {budget.calls} calls"

    def _tasks(self, step: Step) -> int:
        """The number of tasks of a step, as far as it is known: one, if the list does not exist yet."""
        match step.inputs.get(step.each or ""):
            case Value(value=value):
                elements = value
            case FromGoal(field=str(field)):
                elements = self.brief.goal.get(field)
            case _:
                return 1
        return len(elements) if isinstance(elements, list) else 1


def in_words(contract: Contract) -> str:
    """The contract as people say it."""
    return f"a list of {contract.type}" if contract.many else f"one {contract.type}"
