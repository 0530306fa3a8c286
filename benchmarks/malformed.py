"""What malformed messages do to a team of processes: crashes, what is accepted, and how fast good work goes on.

    .venv/bin/python -m benchmarks.malformed [--each 10000] [--rate 2000]

Coordinator and agent are processes as of `hustings up`, on an embedded broker with durability "process" (the disk is
not what is measured), on the cores that the sender and this process use too. Clients ask for so many small runs a
second, which is less than the team can do: a team that has all cores busy has none left for what strangers send. For
each consumer in turn a process of its own sends malformed messages at the given rate, in pieces of some seconds; before
each piece the good runs are counted for as long without it, so that both rates are taken from the same minutes of the
same machine. One run waits all the time: results, ends, cancels and spends are sent into it.

Prints for each consumer: sent, ends of processes, good runs per second without and with, their ratio, and the CPU time
of coordinator and agent in that time for each malformed message.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from random import Random
from subprocess import PIPE

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from hustings.agents import Client, Specialist, Supervisor, Team, connect
from hustings.agents.deploy.launch import children
from hustings.bus import connect as connect_bus
from hustings.bus import embedded
from hustings.protocols import COORDINATOR, Goal, Heartbeat, Message, Outcome, Progress, parse
from tests.scenarios.malformed import RUN, consumers
from tests.scenarios.mutants import mutants

PIECE = 2.5  # seconds with, and seconds without
CLIENTS = 8

echo = Specialist("echo", "says what it hears", max_concurrent_tasks=8)


class Call(Goal, contract="malformed.Call.v1"):
    text: str


class Answer(Message, contract="malformed.Answer.v1"):
    text: str


class Heard(Outcome, contract="malformed.Heard.v1"):
    answer: Answer


@echo.skill
async def answer(call: Call) -> Answer:
    if not call.text:
        await anyio.sleep_forever()
    return Answer(text=call.text)


team = Team("malformed", goal=Call, outcome=Heard, specialists=[echo])


class Work:
    """Good runs, one after the other, by a few clients; `done` have ended as they should."""

    def __init__(self, client: Client[Call, Heard], offer: float) -> None:
        self.client = client
        self.every = CLIENTS / offer
        self.done = 0
        self.bad: list[str] = []
        self.runs: set[str] = set()

    async def go_on(self) -> None:
        due = time.monotonic()
        while True:
            await anyio.sleep(max(due - time.monotonic(), 0))
            due = max(due, time.monotonic() - self.every) + self.every
            run = await self.client.ask(Call(text="hello"))
            self.runs.add(run.id)
            report = await run.wait()
            self.done += 1
            if report.status != "decided" or report.outcome["answer"] != {"text": "hello"}:
                self.bad.append(run.id)

    async def rate(self, seconds: float) -> float:
        before, began = self.done, time.monotonic()
        await anyio.sleep(seconds)
        return (self.done - before) / (time.monotonic() - began)


@asynccontextmanager
async def started() -> AsyncIterator[tuple[Client[Call, Heard], Supervisor, str]]:
    with tempfile.TemporaryDirectory(prefix="hustings-malformed-") as home:
        async with embedded(Path(home), durability="process") as url, connect(team, url) as client:
            processes = children("benchmarks.malformed:team", team, url, parts=(COORDINATOR, "echo"))
            quiet = Supervisor(processes, on_change=lambda _: None, on_line=lambda *_: None, restarts=10_000)
            async with anyio.create_task_group() as group:
                await group.start(quiet.run)
                yield client, quiet, url
                group.cancel_scope.cancel()


async def send(url: str, name: str, run: str, each: int, rate: int) -> None:
    """The process that sends: a piece for each line on stdin, until all are sent."""
    good, subject = consumers(team.name, run, "echo")[name]
    bad, number = mutants(good, Random(name)), 0
    async with connect_bus(url, name="mallory") as connection:
        while number < each:
            await anyio.to_thread.run_sync(sys.stdin.readline)
            began = time.monotonic()
            for sent in range(min(int(rate * PIECE), each - number)):
                where = subject(number)
                await connection.publish(where, next(bad).replace(RUN.encode(), parse(where).run.encode()))
                number += 1
                if sent % 50 == 49:
                    await anyio.sleep(max(began + sent / rate - time.monotonic(), 0))
            await connection.flush(20)
            print(number, flush=True)


async def flooded(work: Work, sender: Process, each: int) -> tuple[list[float], list[float]]:
    """The rates without and with, piece by piece."""
    without, during, sent = [], [], 0
    assert sender.stdin
    assert sender.stdout
    lines = BufferedByteReceiveStream(sender.stdout)  # a chunk may end in the middle of a line
    while sent < each:
        without.append(await work.rate(PIECE))
        before, began = work.done, time.monotonic()
        await sender.stdin.send(b"\n")
        sent = int(await lines.receive_until(b"\n", 100))
        during.append((work.done - before) / (time.monotonic() - began))
        await anyio.sleep(0.5)
    return without, during


async def accepted(client: Client[Call, Heard], good: set[str]) -> int:
    """Entries that a stranger wrote and that can be read, and entries that somebody wrote for a run of a stranger."""
    final, count = (await client.ask(Call(text="the end"))).id, 0
    async with aclosing(client.bus.log.tail(all=True)) as entries:
        async for entry in entries:
            if entry.subject.run == final:
                return count
            count += entry.subject.run not in good and entry.event is not None
    raise AssertionError("the connection was closed")


async def ghosts(client: Client[Call, Heard], seen: list[Heartbeat | Progress]) -> None:
    async with client.bus.live.watch() as live:
        async for said in live:
            seen += [said] if said.agent == "ghost" else []


def cpu(supervisor: Supervisor) -> float:
    """Seconds of CPU time that the team's processes have used."""
    stats = [Path(f"/proc/{status.pid}/stat") for status in supervisor.statuses if status.pid]
    fields = [stat.read_text().rpartition(")")[2].split() for stat in stats]
    return sum(int(each[11]) + int(each[12]) for each in fields) / os.sysconf("SC_CLK_TCK")


async def main(each: int, rate: int, offer: float) -> bool:
    fine, seen = True, list[Heartbeat | Progress]()
    async with started() as (client, supervisor, url), anyio.create_task_group() as group:
        work = Work(client, offer)
        first = await client.ask(Call(text="hello"), execution_timeout=60)
        await first.wait()
        group.start_soon(ghosts, client, seen)
        for _ in range(CLIENTS):
            group.start_soon(work.go_on)
        target = await client.ask(Call(text=""))
        for name in consumers(team.name, target.id, "echo"):
            environment = {**os.environ, "HUSTINGS_URL": url}
            command = [sys.executable, "-m", "benchmarks.malformed", "--send", name, "--into", target.id]
            ends, used = sum(status.restarts for status in supervisor.statuses), cpu(supervisor)
            async with await anyio.open_process(
                [*command, "--each", str(each), "--rate", str(rate)],
                stdin=PIPE,
                stdout=PIPE,
                stderr=None,
                env=environment,
            ) as sender:
                without, during = await flooded(work, sender, each)
            ends = sum(status.restarts for status in supervisor.statuses) - ends
            used = cpu(supervisor) - used
            before, after = statistics.median(without), statistics.median(during)
            fine = fine and not ends and after >= 0.8 * before
            print(
                f"{name:<11} {each} sent, {ends} ends of processes, "
                f"{before:6.1f} runs/s without, {after:6.1f} with: {after / before:4.0%}, "
                f"{used / each * 1e6:5.0f} us CPU",
                flush=True,
            )
        state = await target.state()
        waits = not state.concluded and not state.cancelled and {task.attempt for task in state.tasks.values()} == {1}
        taken = await accepted(client, {*work.runs, first.id, target.id}) + len(seen)
        print(f"{taken} accepted; {work.done} good runs, {len(work.bad)} of them disturbed")
        print(f"the waiting run saw {state.invalid} invalid messages and {'still waits' if waits else 'was disturbed'}")
        group.cancel_scope.cancel()
    return fine and waits and not taken and not work.bad


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--each", type=int, default=10_000)
    parser.add_argument("--rate", type=int, default=2_000)
    parser.add_argument("--send", help=argparse.SUPPRESS)
    parser.add_argument("--offer", type=float, default=20, help="good runs a second")
    parser.add_argument("--into", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.send:
        anyio.run(send, os.environ["HUSTINGS_URL"], options.send, options.into, options.each, options.rate)
    else:
        sys.exit(not anyio.run(main, options.each, options.rate, options.offer))
