"""Accounting: counts what attempts spend and call. Part of the fold: changes the state in place, like evolve."""

import hashlib

from hustings.protocols import Amount, Asked, BudgetShare, Called, Entry, Failure, Result, Spent
from hustings.protocols.models import sealed

from .state import RunState, Spending, Tally


def spender(state: RunState, event: Spent | Called | Asked) -> str:
    """The agent that may spend and ask in an attempt: the one it was assigned to, even if that is over."""
    task = state.tasks.get(event.task)
    if task is None or event.attempt > task.attempt:
        return ""
    return state.former.get(f"{event.task}.{event.attempt}", task.agent)


def allot(state: RunState, task: str, attempt: int, share: BudgetShare) -> None:
    """Set what an attempt may spend."""
    ours = state.spending.setdefault(task, Spending())
    before = ours.committed()
    ours.shares[attempt] = share
    state.committed = state.committed.plus(ours.committed().minus(before))


def book(state: RunState, task: str, attempt: int, amount: Amount) -> None:
    """Add what an attempt has spent; negative: given back."""
    ours = state.spending.setdefault(task, Spending())
    before = ours.committed()
    ours.spent[attempt] = ours.spent.get(attempt, Amount()).plus(amount)
    state.committed = state.committed.plus(ours.committed().minus(before))


def hand_over(state: RunState, task: str, attempt: int, given: BudgetShare) -> None:
    """Take what an attempt passes on to another task out of its own share."""
    ours = state.spending.get(task)
    if ours is None or attempt not in ours.shares:
        return
    before, share, spent = ours.committed(), ours.shares[attempt], ours.spent.get(attempt, Amount())
    bounds = [{kind: max(limit or 0, 0) for kind, limit in each} for each in (given, share, spent)]
    moved = Amount.of({kind: min(bound[kind] for bound in bounds) for kind in bounds[0]})
    ours.shares[attempt], ours.spent[attempt] = share.less(moved), spent.minus(moved)
    state.committed = state.committed.plus(ours.committed().minus(before))


def count_call(state: RunState, entry: Entry, event: Called) -> None:
    """Count a call. Its answer goes into the state's hash, so a changed record is noticed."""
    answer = sealed(event.answer) if event.answer else event.failed
    state.recorded = hashlib.sha256(f"{state.recorded}/{event.request}/{answer}".encode()).hexdigest()
    if entry.subject.kind == "tool":
        return
    book(state, event.task, event.attempt, event.spent.minus(event.reserved))
    tally = state.tallies.setdefault(event.agent, {}).setdefault(event.name, Tally())
    tally.calls += 1
    tally.failed += not event.answer
    tally.usage = tally.usage.plus(event.usage)
    tally.money += event.spent.money
    tally.estimated = tally.estimated or not event.priced


def repay(state: RunState, event: Result | Failure) -> None:
    """The attempt has answered and spends nothing more: free what is left of its share."""
    ours = state.spending.get(event.task)
    if ours and event.attempt in ours.shares:
        spent = ours.spent.get(event.attempt, Amount())
        allot(state, event.task, event.attempt, BudgetShare(calls=spent.calls, tokens=spent.tokens, money=spent.money))
