"""Budget: what a run may spend, and the share that one attempt of a task gets."""

from typing import Annotated, TypeVar

from annotated_types import Unit
from pydantic import Field

from .message import DEAREST, MOST, Change, Count, Message, Money

N = TypeVar("N", int, float)


class Budget(Message, contract="hustings.Budget.v1"):
    """The limits of a run; None: no limit.

    The coordinator shares out `calls`, `tokens` and `money` (US dollars) among the tasks, so a run never spends more,
    whatever crashes. `seconds` bounds the run's wall time, `depth` the longest chain of steps and the nesting of tasks
    that agents ask for, `fan_out` the tasks of one step.
    """

    calls: Annotated[Count | None, "calls of models"] = None
    tokens: Annotated[Count | None, "tokens of models, read and written"] = None
    money: Annotated[Money | None, Field(ge=0), Unit("US dollars"), "what models may cost"] = None
    seconds: Annotated[float | None, Field(gt=0, le=1e9), Unit("seconds"), "how long it may take"] = None
    depth: Annotated[Count | None, Field(ge=1), "the longest chain of steps, and of agents that ask each other"] = None
    fan_out: Annotated[Count | None, Field(ge=1), "the tasks of one step"] = None


class BudgetShare(Message, contract="hustings.BudgetShare.v1"):
    """What one attempt of a task may spend; None: no limit."""

    calls: Change | None = None
    tokens: Change | None = None
    money: Money | None = None

    def less(self, spent: "Amount") -> "BudgetShare":
        """What is left of it."""
        return BudgetShare.of(
            {kind: None if limit is None else max(limit - getattr(spent, kind), 0) for kind, limit in self}
        )


class Amount(Message, contract="hustings.Amount.v1"):
    """An amount spent. Negative: a reservation that is given back. Sums are capped at the bounds of a field."""

    calls: Change = 0
    tokens: Change = 0
    money: Money = 0.0

    def plus(self, other: "Amount") -> "Amount":
        return Amount(
            calls=_within(MOST, self.calls + other.calls),
            tokens=_within(MOST, self.tokens + other.tokens),
            money=_within(DEAREST, self.money + other.money),
        )

    def minus(self, other: "Amount") -> "Amount":
        return self.plus(Amount(calls=-other.calls, tokens=-other.tokens, money=-other.money))

    def beyond(self, share: BudgetShare) -> str:
        """The first of "calls", "tokens", "money" in which this exceeds the share; empty if none does."""
        for name in ("calls", "tokens", "money"):
            limit = getattr(share, name)
            if limit is not None and getattr(self, name) > limit:
                return name
        return ""


def _within(most: N, amount: N) -> N:
    return max(-most, min(amount, most))
