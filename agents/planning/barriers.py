"""Barriers: which witnesses each barrier of a plan settles, and which step waits for which."""

from graphlib import TopologicalSorter

from hustings.protocols import OUTCOME, FromSteps, FromVerdicts, Plan, Ref
from hustings.protocols.plans import steps_of


def waits(plan: Plan) -> dict[str, list[str]]:
    """What each step, the outcome and each barrier waits for, in this order; the steps sorted topologically. Who takes
    verdicts waits for the barriers that settle their witnesses."""
    settles = barriers(plan)
    owner = owners(settles)
    found = {taker: _waits(refs, owner) for taker, refs in _takers(plan)}
    return {**found, **{barrier: list(witnesses) for barrier, witnesses in settles.items()}}


def barriers(plan: Plan) -> dict[str, tuple[str, ...]]:
    """The witness steps that each barrier settles, by its name: TAKER.PARAMETER.

    A witness is settled at one barrier: the first that takes its verdicts when the steps are sorted topologically. A
    taker all of whose witnesses are settled elsewhere has no barrier of its own.
    """
    found: dict[str, tuple[str, ...]] = {}
    settled: set[str] = set()
    for taker, refs in _takers(plan):
        for name, ref in refs.items():
            if isinstance(ref, FromVerdicts) and (fresh := tuple(s for s in ref.steps if s not in settled)):
                found[f"{taker}.{name}"] = fresh
                settled.update(fresh)
    return found


def owners(barriers: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """The barrier that settles each witness."""
    return {step: barrier for barrier, steps in barriers.items() for step in steps}


def _takers(plan: Plan) -> list[tuple[str, dict[str, Ref]]]:
    """The steps in topological order, then the outcome, each with what it takes."""
    inputs = {step.id: step.inputs for step in plan.steps}
    order = TopologicalSorter({name: steps_of(refs) for name, refs in inputs.items()}).static_order()
    return [*((name, inputs[name]) for name in order), (OUTCOME, plan.outcome)]


def _waits(refs: dict[str, Ref], owner: dict[str, str]) -> list[str]:
    found: dict[str, None] = {}
    for ref in refs.values():
        if isinstance(ref, FromSteps):
            found |= dict.fromkeys(ref.steps)
        elif isinstance(ref, FromVerdicts):
            found |= dict.fromkeys(owner[step] for step in ref.steps)
    return list(found)
