"""A team that uses all there is: blobs, budget, progress, an effect outside, a barrier; for crashes at each point."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import anyio
import anyio.to_thread

from hustings.agents import Specialist, TaskContext, Team
from hustings.bus import failpoint
from hustings.protocols import Blob, Budget, Claim, Goal, Message, Outcome, RetryPolicy, Testimony, Verdict


class Shopping(Goal, contract="till.Shopping.v1"):
    """Sell so many items, and book each sale in the ledger. `gate`: each sale waits until this file is there."""

    items: int
    ledger: str
    gate: str = ""


class Item(Message, contract="till.Item.v1"):
    number: int


class Receipt(Blob, contract="till.Receipt.v1"): ...


class Bill(Outcome, contract="till.Bill.v1"):
    receipts: list[Receipt]
    verdicts: list[Verdict]


clerk = Specialist("clerk", "sells", max_concurrent_tasks=4)


@clerk.skill
def fetch(shopping: Shopping) -> list[Item]:
    return [Item(number=number) for number in range(shopping.items)]


@clerk.skill
async def sell(item: Item, shopping: Shopping, context: TaskContext) -> Receipt:
    """Pay, book, and write a receipt; booked is what is not booked yet, by the task's key."""
    failpoint("work.before", run=context.run, task=context.task)
    await context.progress(str(os.getpid()))
    while shopping.gate and not await anyio.Path(shopping.gate).exists():  # noqa: ASYNC110 - another process opens it
        await anyio.sleep(0.02)
    await context.spend(calls=1)
    await anyio.to_thread.run_sync(book, shopping.ledger, context.once())
    receipt = Receipt.of((await context.store(f"item {item.number}\n".encode())).plain())
    failpoint("work.after", run=context.run, task=context.task)
    return receipt


@clerk.skill
def count(shopping: Shopping) -> Testimony:
    return Testimony(claims=(Claim(about="items", value=shopping.items),))


def book(ledger: str, key: str) -> None:
    with closing(sqlite3.connect(ledger, timeout=30, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        if not database.execute("SELECT 1 FROM sales WHERE key = ?", (key,)).fetchone():
            database.execute("INSERT INTO sales VALUES (?)", (key,))
        failpoint("effect.before")
        database.execute("COMMIT")
    failpoint("effect.after")


def new_ledger(path: Path) -> Path:
    """Without a unique constraint, so that what is booked twice shows."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE sales (key TEXT)")
    return path


def booked(ledger: Path) -> list[str]:
    with closing(sqlite3.connect(ledger)) as database:
        return [key for (key,) in database.execute("SELECT key FROM sales")]


RETRY = RetryPolicy(max_attempts=10, initial_interval=0.1)
team = Team("till", goal=Shopping, outcome=Bill, specialists=[clerk], retry=RETRY, budget=Budget(calls=100))
