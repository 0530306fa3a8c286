"""Turn: what one decision is made from, and what it has given out so far. A part of the pure decider."""

import math
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property

from hustings.protocols import Budget, Directory, GoalAsked, SkillCard

from .allocation import BudgetAllocator
from .policy import Policy, View
from .state import RunState


@dataclass(frozen=True)
class Turn:
    """One call of `decide`. The view is without the skills that this run must not use. `ends_at`: when the run must
    end, by its execution_timeout or its budget's seconds; infinite: never.

    Each part notes for the later ones what its events will change: `allocator`: what is left of the budget; `load`: the
    number of open tasks of each agent; `abandoned`: the tasks that lose their attempt or are given up.
    """

    state: RunState
    goal: GoalAsked
    policy: Policy
    view: View
    budget: Budget | None
    ends_at: float
    allocator: BudgetAllocator
    load: Counter[str]
    abandoned: set[str] = field(default_factory=set)

    @cached_property
    def skills(self) -> dict[tuple[str, str], SkillCard]:
        """The known skills, by agent and name."""
        return {(card.agent, card.name): card for card in self.view.directory.cards}


def begin(state: RunState, goal: GoalAsked, policy: Policy, view: View) -> Turn:
    """The turn before any part has decided."""
    budget = goal.budget or policy.budget
    limits = (goal.execution_timeout, budget.seconds if budget else None)
    return Turn(
        state=state,
        goal=goal,
        policy=policy,
        view=View(view.now, _taking_part(goal, view.directory)),
        budget=budget,
        ends_at=state.asked_at + min((limit for limit in limits if limit is not None), default=math.inf),
        allocator=BudgetAllocator(state, budget),
        load=Counter({agent: len(tasks) for agent, tasks in state.open.items()}),
    )


def _taking_part(goal: GoalAsked, directory: Directory) -> Directory:
    """The directory without the skills that this run must not use."""
    if not goal.only and not goal.skip:
        return directory
    cards = [card for card in directory.cards if card.agent not in goal.skip]
    wanted = tuple(card for card in cards if not (card.witness and goal.only and card.agent not in goal.only))
    return directory.model_copy(update={"cards": wanted})
