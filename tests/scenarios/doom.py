"""A team whose skills die on demand, in every way, among others that do not."""

import asyncio
import ctypes
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import anyio

from hustings.agents import Specialist, TaskContext, Team, unopposed
from hustings.protocols import Claim, Goal, Message, NonRetryableError, Outcome, RetryPolicy, Testimony, Verdict


class Trouble(Goal, contract="doom.Trouble.v1"):
    """One lot for each way. Those that wait do so until `gate` has a file of their number."""

    ways: tuple[str, ...]
    gate: str = "."


class Lot(Message, contract="doom.Lot.v1"):
    number: int
    way: str


class Fates(Outcome, contract="doom.Fates.v1"):
    verdicts: list[Verdict]


def throw(error: BaseException) -> object:
    raise error


def crash() -> object:
    return ctypes.string_at(0)


HARD: dict[str, Callable[[], object]] = {
    "segfault": crash,
    "oom": lambda: os.kill(os.getpid(), signal.SIGKILL),  # as the kernel does it when memory is short
    "block": lambda: time.sleep(3600),
}

SOFT: dict[str, Callable[[], object]] = {
    "raise": lambda: throw(ValueError("no way")),
    "refuse": lambda: throw(NonRetryableError("not this one")),
    "system-exit": lambda: throw(SystemExit("enough")),
    "cancel": lambda: throw(asyncio.CancelledError("by myself")),
    "wrong-type": lambda: "Testimony",
}

splitter = Specialist("splitter", "makes a lot of each way")
convict = Specialist("convict", "goes that way", version="6.6.6")


@splitter.skill
def split(trouble: Trouble) -> list[Lot]:
    return [Lot(number=number, way=way) for number, way in enumerate(trouble.ways)]


@convict.skill
async def go(lot: Lot, trouble: Trouble, context: TaskContext) -> Testimony:
    """Go the way of the lot; who comes through says so, and in which process."""
    print("a word on stdout")  # noqa: T201 - an isolated worker talks to its parent there
    await context.progress(f"{os.getpid()} {lot.number}")
    if way := {**HARD, **SOFT}.get(lot.way):
        return way()  # type: ignore[return-value]
    marker = Path(trouble.gate, f"{lot.number}.died")
    if lot.way == "fickle" and not marker.exists():  # noqa: ASYNC240
        marker.touch()  # noqa: ASYNC240
        await anyio.sleep(0.2)  # or nobody would hear that it has begun
        os.kill(os.getpid(), signal.SIGKILL)
    while lot.way in ("wait", "fickle") and not Path(trouble.gate, str(lot.number)).exists():  # noqa: ASYNC110, ASYNC240
        await anyio.sleep(0.02)
    await anyio.sleep(0.1)
    return Testimony(claims=(Claim(about=f"lot {lot.number}", value=os.getpid()),))


twice = RetryPolicy(max_attempts=2, initial_interval=0.1)
team = Team("doom", Trouble, Fates, [splitter, convict], arbiters=[unopposed], heartbeat_timeout=20, retry=twice)


# a second team: what hangs in a thread, and cannot be cancelled there

sleeper = Specialist("sleeper", "never wakes up", max_concurrent_tasks=2)


@sleeper.skill
def sleep(trouble: Trouble) -> Testimony:
    """Sleep, if the first way says so."""
    if trouble.ways[0] == "hang":
        threading.Event().wait()
    return Testimony(claims=(Claim(about="process", value=os.getpid()),))


once = RetryPolicy(max_attempts=1)
lazy = Team("lazy", Trouble, Fates, [sleeper], arbiters=[unopposed], attempt_timeout=2, retry=once)


# a third team: either of two agents can do it


class Errand(Goal, contract="doom.Errand.v1"):
    gate: str


class Done(Message, contract="doom.Done.v1"):
    by: str


class Account(Outcome, contract="doom.Account.v1"):
    done: Done


async def run_errand(errand: Errand, context: TaskContext) -> Done:
    """Wait for the gate."""
    await context.progress(str(os.getpid()))
    while not Path(errand.gate).exists():  # noqa: ASYNC110, ASYNC240
        await anyio.sleep(0.02)
    return Done(by=context.agent)


left, right = Specialist("left"), Specialist("right")
left.skill(run_errand)
right.skill(run_errand)
twins = Team("twins", Errand, Account, [left, right])
