"""Checking: whether the types of a plan fit, by the cards of those who shall carry it out. For plans of any origin."""

from collections.abc import Iterator, Mapping

from moot.protocols import Contract, FromGoal, FromSteps, FromVerdicts, Plan, Ref, SkillCard, Step, Value, Verdict

from .planning import Brief, contracts

MOST = 200  # steps of a plan that somebody else has drawn


def misfits(plan: Plan, brief: Brief) -> list[str]:
    """What does not fit, in words for the plan's author; empty if all does.

    Each step names agents that are there, are admitted and offer the skill; each parameter that is needed is bound to
    what its contract wants, and so is each field of the outcome; what may spend is within the budget's calls.
    """
    wrong = [fault for step in plan.steps for fault in _of_step(step, plan, brief)]
    wanted = contracts(brief.outcome_type)
    wrong += _bound("outcome", plan.outcome, wanted, plan, brief)
    if len(plan.steps) > MOST:
        wrong.append(f"the plan has {len(plan.steps)} steps, and {MOST} is the most")
    calls = brief.budget.calls if brief.budget else None
    spending = sum(step.spends for step in plan.steps)
    if calls is not None and spending > calls:
        wrong.append(f"{spending} steps may call a model, and the budget allows {calls} calls")
    return wrong


def admitted(brief: Brief) -> Mapping[tuple[str, str], SkillCard]:
    """The skills that may be used now, by agent and name."""
    return {
        (card.agent, card.name): card
        for card in brief.directory.cards
        if card.agent in brief.directory.alive and (brief.open or card.agent in brief.members)
    }


def _of_step(step: Step, plan: Plan, brief: Brief) -> Iterator[str]:
    cards = admitted(brief)
    for agent in step.agents:
        card = cards.get((agent, step.skill))
        if card is None:
            yield f"{step.id}: {agent} offers no skill {step.skill}"
        else:
            yield from _bound(step.id, step.inputs, card.takes, plan, brief, step.each)


def _bound(
    taker: str,
    refs: Mapping[str, Ref],
    wanted: Mapping[str, Contract],
    plan: Plan,
    brief: Brief,
    each: str | None = None,
) -> Iterator[str]:
    for name in refs:
        if name not in wanted:
            yield f"{taker} takes no {name}; it takes {', '.join(wanted) or 'nothing'}"
    for name, contract in wanted.items():
        if name in refs:
            yield from _fits(f"{taker}.{name}", refs[name], contract, plan, brief, fans=name == each)
        elif not contract.optional:
            yield f"{taker}.{name} ({_word(contract)}) is not bound"


def _fits(place: str, ref: Ref, wanted: Contract, plan: Plan, brief: Brief, *, fans: bool) -> Iterator[str]:
    if isinstance(ref, Value):
        yield from _of_value(place, ref, wanted, brief)
        return
    for given in _given(ref, plan, brief):
        if isinstance(given, str):
            yield f"{place}: {given}"
        elif given.type != wanted.type or given.many != (wanted.many or fans):
            yield f"{place} wants {_word(wanted)}{' for each of a list' if fans else ''}, and gets {_word(given)}"


def _given(ref: Ref, plan: Plan, brief: Brief) -> Iterator[Contract | str]:
    """What a reference gives, one for each step that it names; or why it gives nothing, in words."""
    match ref:
        case FromGoal(field=None):
            yield Contract(type=brief.goal_type.contract)
        case FromGoal(field=field):
            yield contracts(brief.goal_type).get(field or "", f"the goal has no message in a field {field}")
        case FromVerdicts():
            yield Contract(type=Verdict.contract, many=True)
        case FromSteps():
            cards, steps = admitted(brief), {step.id: step for step in plan.steps}
            for name in ref.steps or ("nothing",):
                step = steps.get(name)
                card = cards.get((step.agents[0], step.skill)) if step and step.agents else None
                if step is None or card is None:
                    yield f"{name} is no step"
                elif step.many and not ref.many:
                    yield f"{name} says a list, so `many` must be true"
                else:
                    yield Contract(type=card.says.type, many=ref.many)


def _of_value(place: str, ref: Value, wanted: Contract, brief: Brief) -> Iterator[str]:
    """A constant that somebody wrote down; what it holds is checked as far as the schema's own fields go."""
    schema = brief.directory.schemas.get(wanted.type, {})
    needed, known = schema.get("required", []), schema.get("properties", {})
    for value in ref.value if wanted.many and isinstance(ref.value, list) else [ref.value]:
        if not isinstance(value, dict):
            yield f"{place} wants {_word(wanted)}, and gets {value!r}"
        elif missing := [str(name) for name in needed if name not in value] if isinstance(needed, list) else []:
            yield f"{place}: {', '.join(missing)} is missing"
        elif strange := [name for name in value if isinstance(known, dict) and known and name not in known]:
            yield f"{place}: {wanted.type} has no field {', '.join(strange)}"


def _word(contract: Contract) -> str:
    return f"a list of {contract.type}" if contract.many else f"one {contract.type}"
