"""Accounting: what attempts spend, and have called, as the fold counts it. Changes the state in place, like evolve."""

import hashlib

from hustings.protocols import Amount, Asked, BudgetShare, Called, Entry, Failure, Result, Spent, sealed

from .state import RunState, Spending, Tally


def spender(state: RunState, event: Spent | Called | Asked) -> str:
    """Who may spend and ask for an attempt: whoever it was assigned to, long ago though it may be."""
    task = state.tasks.get(event.task)
    if task is None or event.attempt > task.attempt:
        return ""
    return state.former.get(f"{event.task}.{event.attempt}", task.agent)


def allot(state: RunState, task: str, attempt: int, share: BudgetShare) -> None:
    """So much an attempt may spend."""
    ours = state.spending.setdefault(task, Spending())
    before = ours.committed()
    ours.shares[attempt] = share
    state.committed = state.committed.plus(ours.committed().minus(before))


def book(state: RunState, task: str, attempt: int, amount: Amount) -> None:
    """So much it has spent, or given back."""
    ours = state.spending.setdefault(task, Spending())
    before = ours.committed()
    ours.spent[attempt] = ours.spent.get(attempt, Amount()).plus(amount)
    state.committed = state.committed.plus(ours.committed().minus(before))


def hand_over(state: RunState, task: str, attempt: int, given: BudgetShare) -> None:
    """What an attempt reserved for somebody else is no longer its own: whoever is asked gets a share of that size."""
    ours = state.spending.get(task)
    if ours is None or attempt not in ours.shares:
        return
    before, share, spent = ours.committed(), ours.shares[attempt], ours.spent.get(attempt, Amount())
    bounds = [{kind: max(limit or 0, 0) for kind, limit in each} for each in (given, share, spent)]
    moved = Amount.of({kind: min(bound[kind] for bound in bounds) for kind in bounds[0]})
    ours.shares[attempt], ours.spent[attempt] = share.less(moved), spent.minus(moved)
    state.committed = state.committed.plus(ours.committed().minus(before))


def count_call(state: RunState, entry: Entry, event: Called) -> None:
    """Count a call. What was answered goes into the hash, so that no record can be changed unnoticed."""
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
    """An attempt that has answered spends nothing more, so what is left of its share can be shared out again."""
    ours = state.spending.get(event.task)
    if ours and event.attempt in ours.shares:
        spent = ours.spent.get(event.attempt, Amount())
        allot(state, event.task, event.attempt, BudgetShare(calls=spent.calls, tokens=spent.tokens, money=spent.money))
