"""Isolated workers, with real processes: how deaths of a suspect are counted and told, and that they end in time."""

import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from hustings.agents.runtime.isolation import IsolatedWorkers, open_isolated
from hustings.bus import Bus
from hustings.bus.broker.server import process_exited, process_running
from hustings.protocols import Assigned, Completion, Failure, Message, Progress, Result

pytestmark = pytest.mark.processes

SKILLS = """
import os, sys, time, anyio
from hustings.agents import Specialist, TaskContext
from hustings.protocols import Message

class Way(Message, contract="isolated.Way.v1"):
    code: str

class Word(Message, contract="isolated.Word.v1"):
    pid: int
    read: str

convict = Specialist("convict")

def divide(by: int) -> float:
    return 1 / by

@convict.skill
async def go(way: Way, context: TaskContext) -> Word:
    print("a word that is none")
    await context.progress(str(os.getpid()))
    exec(way.code)
    if way.code == "wait":
        await anyio.sleep_forever()
    return Word(pid=os.getpid(), read=sys.stdin.read())

wait = None
"""


class Word(Message, contract="isolated.Word.v1"):
    pid: int
    read: str


@asynccontextmanager
async def isolated(folder: Path, bus: Bus, module: str = "skills") -> AsyncIterator[IsolatedWorkers]:
    """Isolated workers of a specialist in a module in the folder."""
    (folder / "skills.py").write_text(SKILLS)
    argv = [sys.executable, "-m", "hustings.agents.cli", "isolated", f"{module}:convict", "--team", bus.team]
    async with open_isolated(argv, HUSTINGS_URL=bus.url, PYTHONPATH=str(folder), HUSTINGS_WATCHDOG="1") as isolated:
        yield isolated


def task(code: str, attempt: int = 1, seconds: float = 30) -> Assigned:
    return Assigned(
        task="t", step="", agent="convict", attempt=attempt, skill="go", input={"way": {"code": code}},
        deadline=time.time() + seconds,
    )  # fmt: skip


def word(answer: Completion) -> Word:
    assert isinstance(answer, Result), answer
    return Word.of(answer.output)


async def test_what_ends_its_process_again_and_again_is_killed(tmp_path: Path, bus: Bus) -> None:
    """Four isolated workers, and the worker before them, and the reason is told; a second attempt is not tried."""
    async with isolated(tmp_path, bus) as trying:
        answer = await trying.attempt("r", task("os.kill(os.getpid(), 11)"))
        reason = "ended its process 5 times: signal 11 (SIGSEGV) 4 times, and once for an unknown reason"
        assert isinstance(answer, Failure)
        assert (answer.kind, answer.because) == ("killed", reason)
        assert trying.suspects("r", "t")
        again = await trying.attempt("r", task("0", attempt=2))
        assert isinstance(again, Failure)
        assert again.because == reason
        trying.forget("r")
        assert not trying.suspects("r", "t")


async def test_what_a_skill_raises_there_has_its_place_and_values(tmp_path: Path, bus: Bus) -> None:
    """As in the worker's own process: file, line and values come back, with the traceback; nothing died."""
    async with isolated(tmp_path, bus) as trying:
        answer = await trying.attempt("r", task("divide(0)"))
    assert isinstance(answer, Failure)
    line = 1 + SKILLS.splitlines().index("    return 1 / by")
    place = f"{tmp_path / 'skills.py'}"
    assert (answer.kind, answer.because) == ("raised", "ZeroDivisionError: division by zero")
    assert (answer.at, answer.values) == (f"{place}:{line}", {"by": "0"})
    assert f'File "{place}", line {line}, in divide\n    return 1 / by\n      by = 0' in answer.traceback


@pytest.mark.parametrize(
    ("code", "how"), [("os._exit(137)", "exit code 137"), ("time.sleep(60)", "blocked its process for too long")]
)
async def test_every_way_to_end_is_told(
    tmp_path: Path, bus: Bus, monkeypatch: pytest.MonkeyPatch, code: str, how: str
) -> None:
    """A blocked event loop too: the watchdog ends it."""
    monkeypatch.setattr("hustings.agents.runtime.isolation.DEATHS", 2)
    async with isolated(tmp_path, bus) as trying:
        answer = await trying.attempt("r", task(code))
        assert isinstance(answer, Failure)
        assert answer.because == f"ended its process 2 times: {how}, and once for an unknown reason"


async def test_an_innocent_is_done_by_a_cell_that_is_used_again_and_ended_when_idle(
    tmp_path: Path, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it prints, and reads, is not the talk between worker and isolated worker; and it is no suspect any more."""
    monkeypatch.setattr("hustings.protocols.timing.ISOLATED_IDLE", 0.4)
    async with isolated(tmp_path, bus) as trying:
        first, second = [word(await trying.attempt("r", task("0"))) for _ in range(2)]
        assert first == second
        assert first.read == ""
        assert not trying.suspects("r", "t")
        with anyio.fail_after(300):
            await process_exited(first.pid)


async def test_a_death_that_was_bad_luck_convicts_nobody(tmp_path: Path, bus: Bus) -> None:
    """It ends its isolated worker once; the next one answers."""
    code = f"p = {str(tmp_path / 'died')!r}\nif not os.path.exists(p): open(p, 'w'); os._exit(1)"
    async with isolated(tmp_path, bus) as trying:
        assert word(await trying.attempt("r", task(code)))


async def test_a_deadline_and_a_cancellation_end_the_isolated_worker(tmp_path: Path, bus: Bus) -> None:
    """At the deadline the task has timed out; cancelled, there is no answer. Either way no process works on it."""
    async with isolated(tmp_path, bus) as trying, bus.live.watch() as live:

        async def begun() -> int:
            with anyio.fail_after(300):
                async for each in live:
                    if isinstance(each, Progress):
                        return int(each.says)
            raise AssertionError

        answer = await trying.attempt("r", task("wait", seconds=4))
        assert (answer.kind, answer.because) == ("timed_out", "the deadline passed")  # type: ignore[union-attr]
        await process_exited(await begun())

        async with anyio.create_task_group() as group:
            group.start_soon(trying.attempt, "r", task("wait"))
            pid = await begun()
            group.cancel_scope.cancel()
        assert not process_running(pid)


async def test_a_cell_that_cannot_be_started_convicts_nobody(tmp_path: Path, bus: Bus) -> None:
    """It is the isolated worker's fault and not the task's: the start is tried again until the deadline."""
    async with isolated(tmp_path, bus, "nowhere") as trying:
        answer = await trying.attempt("r", task("0", seconds=2))
        assert (answer.kind, trying._deaths["r", "t"]) == ("timed_out", [])  # type: ignore[union-attr]


async def test_a_cell_that_is_killed_while_idle_is_nobodys_fault(tmp_path: Path, bus: Bus) -> None:
    """The next suspect gets another one, and no death."""
    async with isolated(tmp_path, bus) as trying:
        pid = word(await trying.attempt("r", task("0"))).pid
        os.kill(pid, signal.SIGKILL)
        await process_exited(pid)
        assert word(await trying.attempt("r", task("0"))).pid != pid
        assert not trying.suspects("r", "t")
