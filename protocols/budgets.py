"""Budget: what a run may spend, and the share of it that one attempt of a task has."""

from typing import TypeVar

from pydantic import Field

from .message import DEAREST, MOST, Change, Count, Message, Money

N = TypeVar("N", int, float)


class Budget(Message, contract="hustings.Budget.v1"):
    """The limits of a run; None: no limit.

    `calls`, `tokens` and `money` (US dollars) are shared out among the tasks by the coordinator, so their sum is never
    passed, whatever crashes. `seconds` bounds the run's wall time, `depth` the steps that wait for each other in a row
    and the tasks that agents ask for within each other's, `fan_out` the tasks of one step.
    """

    calls: Count | None = None
    tokens: Count | None = None
    money: Money | None = Field(default=None, ge=0)
    seconds: float | None = Field(default=None, gt=0, le=1e9)
    depth: Count | None = Field(default=None, ge=1)
    fan_out: Count | None = Field(default=None, ge=1)


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
    """Something spent. Negative: what was reserved and is given back. Sums end at the bounds of a field."""

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
        """The first of the three in which this is more than the share; empty if it is within."""
        for name in ("calls", "tokens", "money"):
            limit = getattr(share, name)
            if limit is not None and getattr(self, name) > limit:
                return name
        return ""


def _within(most: N, amount: N) -> N:
    return max(-most, min(amount, most))
