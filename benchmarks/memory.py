"""Whether the memory of any process grows: with the tasks done, and with a backlog for a slow specialist.

    .venv/bin/python benchmarks/memory.py [--tasks 100000] [--backlog 50000] [--keep]

The first part does tasks in runs of a thousand, two runs at a time, and deletes each run when it has ended (--keep: the
runs stay on the log, as they do unless somebody deletes them). It prints for every process what it holds at the
beginning and at the end, and the slope of a straight line through the second half, in MiB for 10,000 tasks. The second
part asks for a run whose tasks are far more than its specialist can do, lets it work for 30 seconds, and prints by how
much each process grew.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from hustings.agents import Client, Specialist, Supervisor, Team, connect
from hustings.agents.deploy.launch import children
from hustings.bus import background, embedded
from hustings.protocols import COORDINATOR, Goal, Message, Outcome

RUN = 1000  # tasks
MIB = 2**20

cutter = Specialist("cutter", "cuts a heap into pieces")
adder = Specialist("adder", "adds", max_concurrent_tasks=64)
sloth = Specialist("sloth", "adds, slowly", max_concurrent_tasks=4)


class Heap(Goal, contract="memory.Heap.v1"):
    pieces: int
    slow: bool = False


class Piece(Message, contract="memory.Piece.v1"):
    number: int
    filling: str = "x" * 100


class SlowPiece(Message, contract="memory.SlowPiece.v1"):
    number: int
    filling: str = "x" * 100


class Sum(Message, contract="memory.Sum.v1"):
    number: int


class SlowSum(Message, contract="memory.SlowSum.v1"):
    number: int


class Added(Outcome, contract="memory.Added.v1"):
    quick: list[Sum]
    slow: list[SlowSum]


@cutter.skill
def cut(heap: Heap) -> list[Piece]:
    return [Piece(number=number) for number in range(0 if heap.slow else heap.pieces)]


@cutter.skill
def cut_slow(heap: Heap) -> list[SlowPiece]:
    return [SlowPiece(number=number) for number in range(heap.pieces if heap.slow else 0)]


@adder.skill
async def add(piece: Piece) -> Sum:
    return Sum(number=piece.number + 1)


@sloth.skill
async def add_slowly(piece: SlowPiece) -> SlowSum:
    await anyio.sleep(0.2)
    return SlowSum(number=piece.number + 1)


team = Team("memory", goal=Heap, outcome=Added, specialists=[cutter, adder, sloth])


class Scale:
    """The resident memory of every process, weighed once a second, with the tasks that were done by then."""

    def __init__(self, home: Path, supervisor: Supervisor) -> None:
        self.weights: dict[str, list[tuple[int, float]]] = {}
        self.done = 0
        self._home = home
        self._supervisor = supervisor

    async def weigh(self) -> None:
        while True:
            for name, pid in self._processes().items():
                self.weights.setdefault(name, []).append((self.done, resident(pid)))
            await anyio.sleep(1)

    def _processes(self) -> dict[str, int]:
        broker = json.loads((self._home / "broker.json").read_text())["pid"]
        ours = {status.name: status.pid for status in self._supervisor.statuses if status.pid}
        return {**ours, "broker": broker, "client": 0}


def resident(pid: int) -> float:
    """MiB; 0 is this process."""
    pages = int(Path(f"/proc/{pid or 'self'}/statm").read_text().split()[1])
    return pages * 4096 / MIB


@asynccontextmanager
async def started() -> AsyncIterator[tuple[Client[Heap, Added], Scale]]:
    with tempfile.TemporaryDirectory(prefix="hustings-memory-") as folder:
        home = Path(folder)
        async with embedded(home) as url, connect(team, url) as client:
            parts = (COORDINATOR, *team.members)
            supervisor = Supervisor(
                children("benchmarks.memory:team", team, url, parts=parts),
                on_change=lambda _: None,
                on_line=lambda name, line: print(name, line, file=sys.stderr) if "info" not in line else None,
            )
            async with anyio.create_task_group() as group:
                await group.start(supervisor.run)
                yield client, Scale(home, supervisor)
                group.cancel_scope.cancel()


async def many(client: Client[Heap, Added], scale: Scale, tasks: int, keep: bool) -> None:
    async def some(share: int) -> None:
        for _ in range(share // RUN):
            run = await client.ask(Heap(pieces=RUN))
            report = await run.wait()
            assert report.status == "decided", report
            scale.done += RUN
            if not keep:
                await client.bus.log.delete(run.id)

    began = time.monotonic()
    async with background(scale.weigh), anyio.create_task_group() as group:
        group.start_soon(some, tasks // 2)
        group.start_soon(some, tasks // 2)
    print(f"{scale.done} tasks in {time.monotonic() - began:.0f} s, runs {'kept' if keep else 'deleted as they end'}")
    print(f"{'process':<14}{'begin':>9}{'middle':>9}{'end':>9}   MiB   slope in the second half, MiB for 10,000 tasks")
    for name, weights in scale.weights.items():
        half = [point for point in weights if point[0] >= tasks / 2]
        slope = statistics.linear_regression(*zip(*half, strict=True)).slope * 10_000
        print(f"{name:<14}{weights[0][1]:>9.1f}{half[0][1]:>9.1f}{weights[-1][1]:>9.1f}         {slope:+.2f}")


async def backlog(client: Client[Heap, Added], scale: Scale, tasks: int) -> None:
    await anyio.sleep(2)
    async with background(scale.weigh):
        await anyio.sleep(3)
        before = {name: weights[-1][1] for name, weights in scale.weights.items()}
        run = await client.ask(Heap(pieces=tasks, slow=True))
        await anyio.sleep(30)
        state = await run.state()
        done = sum(task.status == "done" for task in state.tasks.values())
        open_ = sum(task.status == "open" for task in state.tasks.values())
    print(f"\na backlog of {tasks} tasks, 30 s later: {done} done, {open_} assigned, the others not yet")
    for name, weights in scale.weights.items():
        most = max(weight for _, weight in weights)
        note = "   (it has folded the whole run to count this)" if name == "client" else ""
        print(f"{name:<14}{before[name]:>9.1f} -> at most {most:>7.1f} MiB   {most - before[name]:+.1f}{note}")
    await run.cancel()
    await run.wait()


async def main(tasks: int, heap: int, keep: bool) -> None:
    if tasks:
        async with started() as (client, scale):
            await many(client, scale, tasks, keep)
    if heap:
        async with started() as (client, scale):
            await backlog(client, scale, heap)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--backlog", type=int, default=50_000)
    parser.add_argument("--keep", action="store_true")
    given = parser.parse_args()
    anyio.run(main, given.tasks, given.backlog, given.keep)
