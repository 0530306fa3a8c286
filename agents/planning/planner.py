"""Planner: a plain callable from a Brief to a Plan."""

from collections.abc import Callable
from typing import NamedTuple

from hustings.protocols import Budget, Contract, Data, Directory, Failure, Goal, Inquiry, Message, Outcome, Plan
from hustings.protocols.message import shape


class Brief(NamedTuple):
    """The input of a planner. `answer` returns the answer to an Inquiry that the planner returned before, None if there
    is none yet; `budget` is the run's."""

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
    """A planner that always returns this plan, with the absent members noted."""
    return lambda brief: plan.model_copy(update={"absent": brief.absent()})


def contracts(message: type[Message]) -> dict[str, Contract]:
    """The fields of a message class that are messages, or lists of messages."""
    found = {name: shape(field.annotation) for name, field in message.model_fields.items()}
    return {name: shaped[1] for name, shaped in found.items() if shaped}
