"""What ten thousand malformed messages into every consumer do: nobody crashes, nothing is accepted, work goes on.

    .venv/bin/python benchmarks/malformed.py [--messages 10000] [--rate 2000]

The team of benchmarks/memory.py as processes. For each kind of subject that something of ours reads, a stranger sends
so many messages at a bounded rate, each a damaged copy of a good one, while a run of good tasks is under way. Prints,
for each, the rate of good tasks before and during, and what was accepted; at the end how often a process was restarted.
The sender and the server share two cores with the team, so some of the loss is theirs.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable

import anyio

from benchmarks.memory import Heap, started, team
from moot.agents import Client
from moot.protocols import COORDINATOR, Assigned, Concluded, Event, GoalAsked, Heartbeat, Result, Subjects, seal

TASKS = 6000
S = Subjects(team.name)
STRANGE = [
    b"",
    b"\x00\xff\xfe",
    b"{}",
    b"[]",
    b"null",
    b"1e999",
    b"[" * 5000,
    b'{"data":' * 2000,
    b'"\\ud800"',
    b"9" * 5000,
]

SUBJECTS: dict[str, Callable[[int, str], str]] = {
    "goals": lambda n, run: S.goal(f"x{n}", "eve"),
    "tasks": lambda n, run: S.task(run, "adder"),
    "results": lambda n, run: S.result(run, "eve", f"nothing-{n}", 1),
    "decisions": lambda n, run: S.decision(run, "settled"),
    "conclusions": lambda n, run: S.decision(f"x{n}", "concluded"),
    "heartbeats": lambda n, run: S.heartbeat("adder"),
    "progress": lambda n, run: S.progress("adder"),
    "cards": lambda n, run: S.card("adder"),
}


def good() -> list[bytes]:
    assigned = Assigned(task="t", step="s", agent="adder", attempt=1, skill="add", input={}, deadline=4e9)
    events: list[Event] = [
        GoalAsked(type=Heap.contract, goal={"pieces": 1}, by="eve"),
        assigned,
        Result(task="t", attempt=1, agent="adder", output={"number": 1}),
        Concluded(status="decided", outcome={}, because="", state_hash="", at=1),
    ]
    beat = Heartbeat(agent="adder", instance="eve", version="1", card="x", pid=1, host="h")
    return [seal(event, source="eve", run="x").encode() for event in events] + [beat.model_dump_json().encode()]


def damaged(raw: bytes, chance: random.Random) -> bytes:
    """Something that must not be taken for a message: cut off, retyped, of another version, with a field missing."""
    match chance.randrange(6):
        case 0:
            return raw[: chance.randrange(len(raw) - 1)]
        case 1:
            return raw.replace(b'.v1"', b'.v9"').replace(b'"pid":1', b'"pid":"1"')
        case 2:
            return raw.replace(b'"specversion":"1.0"', b'"specversion":1.0').replace(b'"agent"', b'"Agent"')
        case 3:
            return raw.replace(b'"data":', b'"date":').replace(b'"instance"', b'"instances"')
        case 4:
            return raw + b"}" + b" " * 400_000 if chance.random() < 0.002 else raw + b"}"
        case _:
            return chance.choice(STRANGE)


async def flood(client: Client, subject: Callable[[int, str], str], run: str, count: int, rate: int) -> None:
    chance, samples, began = random.Random(count), good(), time.monotonic()
    for number in range(count):
        await client.bus.connection.publish(subject(number, run), damaged(chance.choice(samples), chance))
        if number % 20 == 0:
            await anyio.sleep(max(began + number / rate - time.monotonic(), 0))


async def rate_of(
    client: Client, subject: Callable[[int, str], str] | None, count: int, rate: int
) -> tuple[float, str]:
    """Good tasks a second, alone or under a flood; and what is wrong with the run."""
    began = time.monotonic()
    run = await client.ask(Heap(pieces=TASKS))
    async with anyio.create_task_group() as group:
        if subject:
            group.start_soon(flood, client, subject, run, count, rate)
        report = await client.outcome(run)
        took = time.monotonic() - began
    sums = report.outcome.get("quick")
    right = report.status == "decided" and isinstance(sums, list) and len(sums) == TASKS
    await client.bus.log.delete(run)
    return TASKS / took, "" if right else f"{report.status}: {report.because}"


async def main(count: int, rate: int) -> int:
    async with started() as (client, scale):
        await rate_of(client, None, 0, 0)
        wrong = 0
        print(f"{count} malformed messages each, {rate} a second; {TASKS} good tasks a run")
        print(f"{'into':<12}{'before':>10}{'during':>10}   good tasks a second")
        for name, subject in SUBJECTS.items():
            before, _ = await rate_of(client, None, 0, 0)
            during, amiss = await rate_of(client, subject, count, rate)
            wrong += bool(amiss)
            print(f"{name:<12}{before:>10.0f}{during:>10.0f}   {during / before:.0%}  {amiss}", flush=True)
        strangers = [head for head in await client.runs() if head.run.startswith("x")]
        accepted = [head.run for head in strangers if isinstance(head.asked.event, GoalAsked) or head.concluded]
        restarts = {status.name: status.restarts for status in scale._supervisor.statuses if status.restarts}
        there = {present.name for present in await client.bus.live.roll_call()}
    print(f"accepted: {len(accepted)} goals; runs that came to something else: {wrong}; restarts: {restarts or 'none'}")
    print(f"still there: {', '.join(sorted(there))}")
    return bool(accepted or wrong or restarts or not there > {COORDINATOR, "adder"})


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rate", type=int, default=2000)
    given = parser.parse_args()
    sys.exit(anyio.run(main, given.messages, given.rate))
