"""Budget: what a run may spend, and the share of it that one attempt of a task has."""

from pydantic import Field

from .message import Message


class Budget(Message, contract="moot.Budget.v1"):
    """The limits of a run; None: no limit.

    `calls`, `tokens` and `money` (US dollars) are shared out among the tasks by the coordinator, so their sum is never
    passed, whatever crashes. `seconds` bounds the run's wall time, `depth` the steps that wait for each other in a row
    and the tasks that agents ask for within each other's, `fan_out` the tasks of one step.
    """

    calls: int | None = Field(default=None, ge=0)
    tokens: int | None = Field(default=None, ge=0)
    money: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    seconds: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    depth: int | None = Field(default=None, ge=1)
    fan_out: int | None = Field(default=None, ge=1)


class Share(Message, contract="moot.Share.v1"):
    """What one attempt of a task may spend; None: no limit."""

    calls: int | None = None
    tokens: int | None = None
    money: float | None = Field(default=None, allow_inf_nan=False)

    def less(self, spent: "Amount") -> "Share":
        """What is left of it."""
        return Share.of({kind: None if limit is None else max(limit - getattr(spent, kind), 0) for kind, limit in self})


class Amount(Message, contract="moot.Amount.v1"):
    """Something spent. Negative: what was reserved and is given back."""

    calls: int = 0
    tokens: int = 0
    money: float = Field(default=0.0, allow_inf_nan=False)

    def plus(self, other: "Amount") -> "Amount":
        return Amount(calls=self.calls + other.calls, tokens=self.tokens + other.tokens, money=self.money + other.money)

    def minus(self, other: "Amount") -> "Amount":
        return Amount(calls=self.calls - other.calls, tokens=self.tokens - other.tokens, money=self.money - other.money)

    def beyond(self, share: Share) -> str:
        """The first of the three in which this is more than the share; empty if it is within."""
        for name in ("calls", "tokens", "money"):
            limit = getattr(share, name)
            if limit is not None and getattr(self, name) > limit:
                return name
        return ""
