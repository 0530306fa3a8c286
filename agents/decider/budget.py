"""Budgeting: the run's budget, shared out among its tasks, so that the sum cannot be passed whatever crashes."""

from collections.abc import Iterator

from hustings.protocols import Budget, BudgetShare

from .state import RunState

_KINDS = ("calls", "tokens", "money")


class BudgetAllocator:
    """What is left of a run's budget, and the tasks it must do for; each `share` taken makes it smaller. Tasks that
    spend nothing take no part in it.

    What an attempt may still spend counts as spent: its whole share while it is under way, and for ever if it
    never answered, for it may be at work somewhere; what it really spent once it has answered.
    """

    def __init__(self, state: RunState, budget: Budget | None) -> None:
        self._budget = budget
        self._left = {kind: limit - getattr(state.committed, kind) for kind, limit in _limits(budget)}
        self._pending = any(state.open.values())
        self._tasks = _to_come(state)

    def waits(self) -> bool:
        """True if nothing is left at the moment of something, but attempts under way may yet give some back."""
        return self._pending and any(left <= 0 for left in self._left.values())

    def expect(self, tasks: int) -> None:
        """So many tasks come on top of the plan's: inquiries, which have a part each."""
        self._tasks += tasks

    def share(self, *, spends: bool = True) -> BudgetShare | None:
        """The share of the next task: an equal part of what is left, at least one call and one token while there are
        any; nothing if it does not spend; None without a budget."""
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
        """What somebody gives of its own share for a task that it asks for, as far as it is there."""
        if self._budget is None:
            return None
        self._pending = True
        parts = {kind: max(min(getattr(wanted, kind, None) or 0, left), 0) for kind, left in self._left.items()}
        for kind, part in parts.items():
            self._left[kind] -= part
        return BudgetShare.of({**parts})


def _to_come(state: RunState) -> int:
    """The tasks of the plan that may spend; a step that waits is at least one. Where there is no plan yet, half of all
    is kept for it."""
    if state.plan is None:
        return 2
    again = sum(state.steps[state.tasks[name].step].step.spends for name in state.retries)
    return state.unbegun + state.unassigned + again


def too_wide(state: RunState, budget: Budget | None) -> str:
    """That a step fans out further than the budget allows, in words; empty if none does."""
    total, step = state.widest
    if budget is None or budget.fan_out is None or total <= budget.fan_out:
        return ""
    return f"{step} fans out to {total} tasks, and the budget allows {budget.fan_out}"


def _limits(budget: Budget | None) -> Iterator[tuple[str, float]]:
    for kind in _KINDS:
        limit = getattr(budget, kind, None)
        if limit is not None:
            yield kind, limit


def _part(left: float, tasks: int) -> float:
    if isinstance(left, int):
        return max(left // tasks, min(left, 1), 0)
    return max(left / tasks, 0.0)
