"""Specialists die in every way: the work goes on, whoever kills is found and told why, and nobody else is harmed."""

import json
import os
import shutil
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar

import anyio
import pytest

from hustings.agents import Client, RunReport
from hustings.agents.runtime.process import RECYCLE
from hustings.bus.broker.server import process_exited
from hustings.protocols import Assigned, AttemptAbandoned, DeadLetter, Failure

from . import doom
from .processes import Held, Place, following

pytestmark = pytest.mark.processes

Within = Callable[[float], AbstractContextManager[None]]

Event = TypeVar("Event")
GOOD = ("good",) * 20


def place_of_doom(folder: Path) -> Place:
    place = Place(folder)
    place.env["HUSTINGS_WATCHDOG"] = "1.5"
    shutil.copy(doom.__file__, folder / "doom.py")
    return place


async def said(client: Client, run: str, kind: type[Event]) -> list[Event]:
    return [entry.event async for entry in client.bus.log.read(run) if isinstance(entry.event, kind)]


def numbers(report: RunReport) -> set[str]:
    """The lots that somebody came through with."""
    return {verdict.about for verdict in report.verdicts}


async def begins(held: Held, run: str, number: int, others: frozenset[int] = frozenset()) -> int:
    """The process that begins a lot, and is none of the others."""
    begun = await held.until(
        lambda each: each.run == run and each.says.endswith(f" {number}") and int(each.says.split()[0]) not in others
    )
    return int(begun.says.split()[0])


REASONS = {
    "segfault": "ended its process 5 times: signal 11 (SIGSEGV) 4 times, and once for an unknown reason",
    "oom": "ended its process 5 times: signal 9 (SIGKILL) 4 times, and once for an unknown reason",
    "block": "ended its process 5 times: blocked its process for too long 4 times, and once for an unknown reason",
    "raise": "ValueError: no way",
    "refuse": "not this one",
    "system-exit": "SystemExit: enough",
    "cancel": "CancelledError: by myself",
    "wrong-type": "TypeError: go promised Testimony and returned str",
}


@pytest.mark.long
async def test_one_that_kills_among_twenty_that_do_not(tmp_path: Path) -> None:
    """Eight runs at once in one process. In each, twenty get their work done although their process is ended under
    them again and again; the twenty-first fails for the reason that is true, in its first attempt if it kills; and the
    supervisor, which sees work done in between, does not give the agent up."""
    place = place_of_doom(tmp_path)
    async with place.up("doom:team") as up, following(place, "doom") as (client, _):
        splitter = place.pids("doom")["splitter"]
        with anyio.fail_after(300):
            runs = {way: (await client.ask(doom.Trouble(ways=(*GOOD[:10], way, *GOOD[10:])))).id for way in REASONS}
            for way, run in runs.items():
                report = await client.run(run).wait()
                assert report.status == "partial", (way, report.because)
                assert numbers(report) == {f"lot {number}" for number in range(21) if number != 10}, way
                (letter,) = await said(client, run, DeadLetter)
                assert (letter.because, letter.version) == (REASONS[way], "6.6.6")
                killed = letter.kind == "killed"
                assert killed == (way in doom.HARD)
                assert letter.attempts == (1 if killed or way == "refuse" else 2)
                assert not await said(client, run, AttemptAbandoned)
        assert not any("given up" in row for row in up.rows)
        assert place.pids("doom")["splitter"] == splitter
    await place.all_gone()


TAKEN_OVER = 5.0  # seconds, three heartbeats and two: the promise
START = 2.0  # seconds for an isolated worker to start


@pytest.mark.long
@pytest.mark.timing
async def test_what_a_killed_process_had_in_hand_is_taken_over(tmp_path: Path, within: Within) -> None:
    """By a replica: its delivery comes again. By an agent with the same skill: the coordinator abandons the attempt.
    Within three heartbeats plus two seconds, and an isolated worker starts where the task may be what kills."""
    place = place_of_doom(tmp_path)
    async with place.up("doom:team", "-m", "convict=2"), following(place, "doom") as (client, held):
        with anyio.fail_after(300):
            run = await client.ask(doom.Trouble(ways=("wait",), gate=str(tmp_path)))
            victim = await begins(held, run.id, 0)
            with within(TAKEN_OVER + START):
                os.kill(victim, signal.SIGKILL)
                assert await begins(held, run.id, 0, frozenset({victim}))
            (tmp_path / "0").touch()
            report = await run.wait()
            assert (report.status, len(await said(client, run.id, Assigned))) == ("decided", 2)
    async with place.up("doom:twins") as up, following(place, "twins") as (client, held):
        os.kill(up.pid, signal.SIGSTOP)  # or the supervisor has the same agent back in time
        with anyio.fail_after(300):
            run = await client.ask(doom.Errand(gate=str(tmp_path / "gate")))
            first = await held.until(lambda each: each.run == run.id)
            with within(TAKEN_OVER):
                os.kill(int(first.says), signal.SIGKILL)
                second = await held.until(lambda each: each.run == run.id and each.agent != first.agent)
            (tmp_path / "gate").touch()
            report = await run.wait()
            assert (report.status, report.outcome["done"]) == ("decided", {"by": second.agent})
        os.kill(up.pid, signal.SIGCONT)
    await place.all_gone()


def points(place: Place, name: str, **detail: object) -> list[dict[str, Any]]:
    """What was reached, by whatever process."""
    files = Path(place.env["HUSTINGS_HISTORY"]).glob("*.jsonl")
    all_of_them = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    return [each for each in all_of_them if each["point"] == name and detail.items() <= each.items()]


@pytest.mark.long
async def test_one_that_is_told_to_stop_under_load(tmp_path: Path) -> None:
    """SIGTERM: what is in hand is finished or, after the grace, handed back, and taken by the other at once. Exit
    code 0; nothing is lost, and what was finished is done once. Told twice, it ends on the spot, and that is safe."""
    place = place_of_doom(tmp_path)
    (tmp_path / "history").mkdir()
    place.env["HUSTINGS_HISTORY"] = str(tmp_path / "history")
    async with place.up("doom:team", "-m", "convict=2") as up, following(place, "doom") as (client, held):
        with anyio.fail_after(300):
            run = await client.ask(doom.Trouble(ways=("wait", *("good",) * 60, "wait"), gate=str(tmp_path)))
            leaving = await begins(held, run.id, 0)
            os.kill(leaving, signal.SIGTERM)
            await begins(held, run.id, 0, frozenset({leaving}))
            for lot in (0, 61):
                (tmp_path / str(lot)).touch()
            report = await run.wait()
            assert (report.status, len(numbers(report))) == ("decided", 62)
            backs = points(place, "back.after", run=run.id)
            assert backs
            for back in backs:
                (again,) = points(place, "take.after", seq=back["seq"], times=2)
                assert (again["t"] - back["t"]) / 1e9 < 2
            begun = Counter(each.says.split()[1] for each in held.said if each.run == run.id)
            assert {lot for lot, times in begun.items() if times > 1} <= {"0", "61"}
            with anyio.fail_after(300):
                while 0 not in exit_codes(place):  # noqa: ASYNC110 - its last words may come behind the outcome
                    await anyio.sleep(0.05)

            run = await client.ask(doom.Trouble(ways=("wait",), gate=str(tmp_path / "later")))
            leaving = await begins(held, run.id, 0)
            os.kill(leaving, signal.SIGTERM)
            await up.until("draining in_hand=1")
            os.kill(leaving, signal.SIGTERM)
            await begins(held, run.id, 0, frozenset({leaving}))
            (tmp_path / "later").mkdir()
            (tmp_path / "later" / "0").touch()
            assert (await run.wait()).status == "decided"
    await place.all_gone()


def exit_codes(place: Place, team: str = "doom") -> list[int | None]:
    """With what the processes of the team ended last."""
    return [child["exit_code"] for child in place.children(team)]


@pytest.mark.long
async def test_a_suspect_in_its_isolated_worker(tmp_path: Path) -> None:
    """Handed back when its worker is told to stop; the isolated worker ends with its worker, and with the run."""
    place = place_of_doom(tmp_path)
    async with place.up("doom:team", "-m", "convict=2"), following(place, "doom") as (client, held):
        with anyio.fail_after(300):
            run = await client.ask(doom.Trouble(ways=("fickle",), gate=str(tmp_path)))
            before = await begins(held, run.id, 0)

            isolated = await begins(held, run.id, 0, frozenset({before}))
            os.kill(parent(isolated), signal.SIGTERM)
            await process_exited(isolated)
            second = await begins(held, run.id, 0, frozenset({before, isolated}))
            with anyio.fail_after(300):
                while 0 not in exit_codes(place):  # noqa: ASYNC110 - its last words may come behind the outcome
                    await anyio.sleep(0.05)

            os.kill(parent(second), signal.SIGKILL)
            await process_exited(second)
            third = await begins(held, run.id, 0, frozenset({before, isolated, second}))

            await run.cancel()
            await process_exited(third)
            assert (await run.wait()).status == "cancelled"
            assert not await said(client, run.id, Failure)
    await place.all_gone()


def parent(pid: int) -> int:
    """The process that started this one."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


async def test_what_hangs_in_a_thread_costs_its_process_and_no_more(tmp_path: Path) -> None:
    """Each fails as abandoned at its deadline; once there are as many as the agent has hands, a fresh process takes
    over, and the old one ends although its threads do not."""
    place = place_of_doom(tmp_path)
    async with place.up("doom:lazy") as up, following(place, "lazy") as (client, _):
        with anyio.fail_after(300):
            recycle = place.pids("lazy")["sleeper"]
            runs = [(await client.ask(doom.Trouble(ways=("hang",)))).id for _ in range(2)]
            for run in runs:
                await client.run(run).wait()
                (failure,) = await said(client, run, Failure)
                assert (failure.kind, failure.because) == ("timed_out", "the deadline passed")
            await up.until("recycled abandoned=2 max_concurrent_tasks=2")
            await process_exited(recycle)
            report = await (await client.ask(doom.Trouble(ways=("good",)))).wait()
            assert [verdict.value for verdict in report.verdicts] == [place.pids("lazy")["sleeper"]]
            assert RECYCLE in exit_codes(place, "lazy")
    await place.all_gone()
