"""Specialists die in every way: the work goes on, whoever kills is found and told why, and nobody else is harmed."""

import shutil
from pathlib import Path
from typing import TypeVar

import anyio

from moot.agents import Client, Report
from moot.protocols import DeadLetter, Lapsed

from . import doom
from .processes import Held, Place, following

Event = TypeVar("Event")
GOOD = ("good",) * 20


def place_of_doom(folder: Path) -> Place:
    place = Place(folder)
    place.env["MOOT_WATCHDOG"] = "1.5"
    shutil.copy(doom.__file__, folder / "doom.py")
    return place


async def said(client: Client, run: str, kind: type[Event]) -> list[Event]:
    return [entry.event async for entry in client.bus.log.read(run) if isinstance(entry.event, kind)]


def numbers(report: Report) -> set[str]:
    """The lots that somebody came through with."""
    return {verdict.about for verdict in report.verdicts}


async def begins(held: Held, run: str, number: int, others: frozenset[int] = frozenset()) -> int:
    """The process that begins a lot, and is none of the others."""
    begun = await held.until(
        lambda each: each.run == run and each.says.endswith(f" {number}") and int(each.says.split()[0]) not in others
    )
    return int(begun.says.split()[0])


REASONS = {
    "segfault": "ended its process 5 times: signal 11 (SIGSEGV) 4 times, and once unseen",
    "exit": "ended its process 5 times: exit code 137 4 times, and once unseen",
    "oom": "ended its process 5 times: signal 9 (SIGKILL) 4 times, and once unseen",
    "block": "ended its process 5 times: blocked its process for too long 4 times, and once unseen",
    "raise": "ValueError: no way",
    "refuse": "not this one",
    "system-exit": "SystemExit: enough",
    "cancel": "CancelledError: by myself",
    "wrong-type": "TypeError: go promised Testimony and said str",
}


async def test_one_that_kills_among_twenty_that_do_not(tmp_path: Path) -> None:
    """Nine runs at once in one process. In each, twenty get their work done although their process is ended under
    them again and again; the twenty-first fails for the reason that is true, in its first attempt if it kills; and the
    supervisor, which sees work done in between, does not give the agent up."""
    place = place_of_doom(tmp_path)
    async with place.up("doom:team") as up, following(place, "doom") as (client, _):
        splitter = place.pids("doom")["splitter"]
        with anyio.fail_after(100):
            runs = {way: await client.ask(doom.Trouble(ways=(*GOOD[:10], way, *GOOD[10:]))) for way in REASONS}
            for way, run in runs.items():
                report = await client.outcome(run)
                assert report.status == "partial", (way, report.because)
                assert numbers(report) == {f"lot {number}" for number in range(21) if number != 10}, way
                (letter,) = await said(client, run, DeadLetter)
                assert (letter.because, letter.version) == (REASONS[way], "6.6.6")
                killed = letter.kind == "killed"
                assert killed == (way in doom.HARD)
                assert letter.attempts == (1 if killed or way == "refuse" else 2)
                assert not await said(client, run, Lapsed)
        assert not any("given up" in row for row in up.rows)
        assert place.pids("doom")["splitter"] == splitter
    await place.all_gone()
