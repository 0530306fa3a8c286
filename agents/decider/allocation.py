"""Budgeting: shares out the run's budget among its tasks, so that the run never spends more, whatever crashes."""

from collections.abc import Iterator

from hustings.protocols import Budget, BudgetShare

from .state import RunState

_KINDS = ("calls", "tokens", "money")


class BudgetAllocator:
    """What is left of a run's budget, and the number of tasks still to come; each `share` reduces it. Tasks that spend
    nothing take no part.

    Whatever an attempt may still spend counts as spent: its whole share until it answers, forever if it never does
    (it may still be running somewhere); after its answer, what it really spent.
    """

    def __init__(self, state: RunState, budget: Budget | None) -> None:
        self._budget = budget
        self._left = {kind: limit - getattr(state.committed, kind) for kind, limit in _limits(budget)}
        self._pending = any(state.open.values())
        self._tasks = _to_come(state)

    def waits(self) -> bool:
        """True if calls, tokens or money are used up, but attempts under way may still give some back."""
        return self._pending and any(left <= 0 for left in self._left.values())

    def expect(self, tasks: int) -> None:
        """Plan for that many inquiries, which get a share each, in addition to the tasks of the plan."""
        self._tasks += tasks

    def share(self, *, spends: bool = True) -> BudgetShare | None:
        """The share of the next task: an equal part of what is left, at least one call and one token while there are
        any. Zero if the task does not spend; None without a budget."""
        if self._budget is None:
            return None
        if not spends:
            return BudgetShare.of(dict.fromkeys(self._left, 0))
        tasks, self._tasks = max(self._tasks, 1), self._tasks - 1
        self._pending = True
        parts = {kind: _part(left, tasks) for kind, left in self._left.items()}
        for kind, part in parts.items():
            self._left[kind] -= part
        return BudgetShare.of({**parts})

    def grant(self, wanted: BudgetShare | None) -> BudgetShare | None:
        """The share of a task that answers an ask: what the asker passes on, as far as the budget has it."""
        if self._budget is None:
            return None
        self._pending = True
        parts = {kind: max(min(getattr(wanted, kind, None) or 0, left), 0) for kind, left in self._left.items()}
        for kind, part in parts.items():
            self._left[kind] -= part
        return BudgetShare.of({**parts})


def _to_come(state: RunState) -> int:
    """The number of tasks still to come that may spend; a waiting step counts as one. Without a plan: 2, so that half
    of the budget is kept for the plan."""
    if state.plan is None:
        return 2
    again = sum(state.steps[state.tasks[name].step].step.spends for _, name in state.retries)
    return state.unbegun + state.unassigned + again


def _limits(budget: Budget | None) -> Iterator[tuple[str, float]]:
    for kind in _KINDS:
        limit = getattr(budget, kind, None)
        if limit is not None:
            yield kind, limit


def _part(left: float, tasks: int) -> float:
    if isinstance(left, int):
        return max(left // tasks, min(left, 1), 0)
    return max(left / tasks, 0.0)
