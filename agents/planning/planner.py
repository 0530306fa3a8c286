"""Planner: a plain callable from a Brief to a Plan, and what a Plan must be to be carried out."""

from collections.abc import Callable, Iterator
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

from hustings.protocols import (
    OUTCOME,
    Budget,
    Contract,
    Data,
    Directory,
    Failure,
    FromVerdicts,
    Goal,
    Inquiry,
    Message,
    Outcome,
    Plan,
    Step,
    is_token,
    shape,
    steps_of,
)


class Brief(NamedTuple):
    """All that a planner may look at. `answer` gives the answer to an Inquiry it returned before, None if there is none
    yet; `budget` is the run's."""

    goal: Data
    goal_type: type[Goal]
    outcome_type: type[Outcome]
    directory: Directory
    members: tuple[str, ...] = ()
    prefer: tuple[str, ...] = ()
    open: bool = True
    answer: Callable[[Inquiry], Data | Failure | None] = lambda _: None
    budget: Budget | None = None

    def absent(self) -> tuple[str, ...]:
        return tuple(member for member in self.members if member not in self.directory.alive)


Planner = Callable[[Brief], Plan | Inquiry]


def fixed(plan: Plan) -> Planner:
    """A planner that always gives this plan, naming the members that are absent."""
    return lambda brief: plan.model_copy(update={"absent": brief.absent()})


def contracts(message: type[Message]) -> dict[str, Contract]:
    """The fields of a message class that are messages themselves, or lists of them."""
    found = {name: shape(field.annotation) for name, field in message.model_fields.items()}
    return {name: shaped[1] for name, shaped in found.items() if shaped}


def faults(plan: Plan) -> list[str]:
    """What is wrong with a plan, wherever it comes from, in words for its author; empty if nothing is."""
    known = {step.id for step in plan.steps}
    wrong = [fault for step in plan.steps for fault in _faults_of(step, known)]
    wrong += [f"the outcome needs {need}, which is no step" for need in steps_of(plan.outcome) if need not in known]
    refs = [ref for step in plan.steps for ref in step.inputs.values()] + list(plan.outcome.values())
    heard = {name for ref in refs if isinstance(ref, FromVerdicts) for name in ref.steps}
    wrong += [f"{step.id} is heard, but is no witness" for step in plan.steps if step.id in heard and not step.witness]
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
            yield f"{step.id} needs {need}, which is no step"
    if not step.agents:
        yield f"{step.id} names no agent"
    if not is_token(step.id):
        yield f"{step.id} cannot be part of a subject"
    if step.id == OUTCOME:
        yield f"{OUTCOME} cannot be the id of a step"
    if step.each is not None and step.each not in step.inputs:
        yield f"{step.id} fans out over {step.each}, which is none of its inputs"
