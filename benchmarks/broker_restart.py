"""How long a client stands still when the embedded broker dies, and whether anything confirmed is lost.

    .venv/bin/python benchmarks/broker_restart.py [--trials 50]

Clients in a process of their own append all the time. In each trial the broker's process gets a kill -9, a SIGTERM, or
a SIGSTOP and a second later a SIGCONT, in turn; the clock runs from the signal (from the SIGCONT) until one of them has
its next append confirmed. In the end all that was confirmed is read back. Prints p50, p99 and the longest, in seconds.
"""

import argparse
import os
import signal
import statistics
import sys
import tempfile
from pathlib import Path
from time import monotonic

import anyio
from pydantic import TypeAdapter

from hustings.bus import Bus, embedded, open_bus
from hustings.protocols import BusError, GoalAsked

WRITERS = 4
WAYS = {"kill -9": [signal.SIGKILL], "SIGTERM": [signal.SIGTERM], "SIGSTOP": [signal.SIGSTOP, signal.SIGCONT]}


class Writers:
    """Appends one after the other, and notes when each was confirmed."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.confirmed: list[str] = []
        self.failed: list[str] = []
        self.news = anyio.Event()

    async def write(self, number: int) -> None:
        count = 0
        while True:
            run = f"w{number}-{(count := count + 1)}"
            try:
                await self.bus.log.ask(run, GoalAsked(type="Nothing.v1", goal={}, by="bench"), client="bench")
            except BusError as error:
                self.failed.append(str(error))
                continue
            self.confirmed.append(run)
            self.news.set()
            self.news = anyio.Event()

    async def pause(self, home: Path, signals: list[signal.Signals]) -> float:
        """Send the signals; the seconds until an append that was begun later is confirmed."""
        server = TypeAdapter(dict[str, str | int]).validate_json((home / "broker.json").read_bytes())["pid"]
        for number, each in enumerate(signals):
            await anyio.sleep(number)
            os.kill(int(server), each)
        began = monotonic()
        for _ in range(2 * WRITERS):  # what was on its way does not count
            await self.news.wait()
        return monotonic() - began


async def main(trials: int) -> bool:
    with tempfile.TemporaryDirectory(prefix="hustings-restart-") as folder:
        home = Path(folder)
        async with embedded(home) as url, open_bus(url, "restart", name="bench") as bus:
            writers = Writers(bus)
            pauses: dict[str, list[float]] = {way: [] for way in WAYS}
            async with anyio.create_task_group() as group:
                for number in range(WRITERS):
                    group.start_soon(writers.write, number)
                for _ in range(trials):
                    for way, signals in WAYS.items():
                        await anyio.sleep(0.3)
                        pauses[way].append(await writers.pause(home, signals))
                group.cancel_scope.cancel()
            there = {head.run for head in await bus.log.runs()}
    for way, seconds in pauses.items():
        p50, p99 = statistics.median(seconds), sorted(seconds)[int(len(seconds) * 0.99)]
        print(f"{way:8} {len(seconds)} times: p50 {p50:.2f} s, p99 {p99:.2f} s, longest {max(seconds):.2f} s")
    lost = [run for run in writers.confirmed if run not in there]
    print(f"{len(writers.confirmed)} appends confirmed, {len(lost)} of them lost, {len(writers.failed)} refused")
    return not lost and not writers.failed and max(pauses["kill -9"]) < 3


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=50)
    sys.exit(not anyio.run(main, parser.parse_args().trials))
