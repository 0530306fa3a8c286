"""What a team comes to in which some tasks are poison.

    .venv/bin/python benchmarks/poison.py [--tasks 2000] [--hard 20] [--soft 180] [--seed 1]

Coordinator and specialists are processes under a supervisor, as with `hustings up`. All tasks are one run: the hard
ones end the process that works on them by a segmentation fault, the soft ones raise, say the wrong type or refuse their
input; which is which, the seed says. Prints how many good tasks were done, how many poison tasks failed and for what,
how often a process had to be started again, and the time it took. Then the team is started with a taster of a newer
version, which can stomach everything, and all dead letters are redriven. Exit code 1 if a good task is missing, a
poison task has not exactly one dead letter, or one is not done after the redrive.
"""

import argparse
import ctypes
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from hustings.agents import Client, Specialist, Team, connect, unopposed
from hustings.agents.deploy.launch import USEFUL, children
from hustings.agents.deploy.supervisor import Status, Supervisor
from hustings.bus import embedded
from hustings.protocols import (
    COORDINATOR,
    Claim,
    Concluded,
    DeadLetter,
    Entry,
    Goal,
    Message,
    NonRetryableError,
    Outcome,
    Result,
    Testimony,
    Verdict,
)


class Menu(Goal, contract="poison.Menu.v1"):
    dishes: tuple[str, ...]


class Dish(Message, contract="poison.Dish.v1"):
    number: int
    way: str


class Tasted(Outcome, contract="poison.Tasted.v1"):
    verdicts: list[Verdict]


cook = Specialist("cook", "serves one dish after the other")
CURED = "POISON_CURED"  # in the environment of the newer version
taster = Specialist("taster", "eats everything", version="1.1.0" if os.environ.get(CURED) else "1.0.0")


@cook.skill
def serve(menu: Menu) -> list[Dish]:
    return [Dish(number=number, way=way) for number, way in enumerate(menu.dishes)]


@taster.skill
async def taste(dish: Dish) -> Testimony:
    await anyio.sleep(0.01)
    way = "good" if os.environ.get(CURED) else dish.way
    if way == "segfault":
        ctypes.string_at(0)
    if way == "raise":
        raise ValueError("disgusting")
    if way == "refuse":
        raise NonRetryableError("not for me")
    if way == "wrong type":
        return "delicious"  # type: ignore[return-value]
    return Testimony(claims=(Claim(about=f"dish {dish.number}", value="good"),))


team = Team("poison", Menu, Tasted, [cook, taster], arbiters=[unopposed])


class Watch:
    """What the supervisor says."""

    def __init__(self) -> None:
        self.supervisor: Supervisor | None = None
        self.statuses: tuple[Status, ...] = ()

    def changed(self, statuses: Sequence[Status]) -> None:
        self.statuses = tuple(statuses)

    def line(self, name: str, raw: str) -> None:
        if self.supervisor and any(event in raw for event in USEFUL):
            self.supervisor.forgive(name)


@asynccontextmanager
async def started(watch: Watch, url: str) -> AsyncIterator[Client[Menu, Tasted]]:
    """The team as processes, and a client of it."""
    async with connect(team, url) as client:
        parts = (COORDINATOR, *team.members)
        processes = children("benchmarks.poison:team", team, url, parts=parts)
        watch.supervisor = Supervisor(processes, on_change=watch.changed, on_line=watch.line)
        async with anyio.create_task_group() as group:
            await group.start(watch.supervisor.run)
            yield client
            group.cancel_scope.cancel()


def menu(tasks: int, hard: int, soft: int, seed: int) -> tuple[str, ...]:
    """The dishes, in an order of chance."""
    ways = ["raise", "wrong type", "refuse"]
    dishes = ["segfault"] * hard + [ways[number % 3] for number in range(soft)]
    dishes += ["good"] * (tasks - len(dishes))
    random.Random(seed).shuffle(dishes)
    return tuple(dishes)


def told(entries: Sequence[Entry], dishes: Sequence[str]) -> bool:
    """Print what came of the tasks; True if it is as it should be."""
    done = {e.event.task for e in entries if isinstance(e.event, Result) and e.event.agent == "taster"}
    letters = [e.event for e in entries if isinstance(e.event, DeadLetter)]
    good = {f"taster-taste-{number}" for number, way in enumerate(dishes) if way == "good"}
    poison = {f"taster-taste-{number}" for number, way in enumerate(dishes) if way != "good"}
    print(f"good tasks done: {len(good & done)} of {len(good)}")
    print(f"poison tasks with one dead letter: {len(poison & {letter.task for letter in letters})} of {len(poison)}")
    for (kind, attempts, because), count in Counter((x.kind, x.attempts, x.because) for x in letters).most_common():
        print(f"  {count:4}  {kind} after {attempts}: {because}")
    return good == done and Counter(letter.task for letter in letters) == dict.fromkeys(poison, 1)


async def measure(tasks: int, hard: int, soft: int, seed: int) -> bool:
    with tempfile.TemporaryDirectory(prefix="hustings-poison-") as home:
        async with embedded(Path(home)) as url:
            right = await poisoned(url, menu(tasks, hard, soft, seed))
            os.environ[CURED] = "yes"  # for those who are started from here on
            return await redriven(url, hard + soft) and right


async def redriven(url: str, poison: int) -> bool:
    async with started(Watch(), url) as client:
        letters = await client.dead()
        began = time.monotonic()
        reports = [await client.run(again.run).wait() for again in await client.redrive(letters)]
        done = sum(len(report.outcome) for report in reports)
        left = [letter for letter in await client.dead() if letter.status == "dead"]
    print(
        f"redriven to the newer version: {done} of {poison} done in {time.monotonic() - began:.1f} s, {len(left)} left"
    )
    return done == poison and not left


async def poisoned(url: str, dishes: tuple[str, ...]) -> bool:
    watch = Watch()
    async with started(watch, url) as client:
        began = time.monotonic()
        run = await client.ask(Menu(dishes=dishes))
        entries = [entry async for entry in run.follow()]
        seconds = time.monotonic() - began
        restarts = {status.name: status.restarts for status in watch.statuses if status.restarts}
    right = told(entries, dishes)
    end = next(entry.event for entry in entries if isinstance(entry.event, Concluded))
    print(f"the run: {end.status} after {seconds:.1f} s; restarts: {restarts or 'none'}")
    return right


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=2000)
    parser.add_argument("--hard", type=int, default=20)
    parser.add_argument("--soft", type=int, default=180)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    return 0 if anyio.run(measure, options.tasks, options.hard, options.soft, options.seed) else 1


if __name__ == "__main__":
    sys.exit(main())
