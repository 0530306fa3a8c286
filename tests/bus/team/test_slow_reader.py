"""Promises to those who work while somebody who only reads is slow, or stands still."""

import os
import signal

import anyio
import pytest

from hustings.bus import Bus
from hustings.protocols import Heartbeat

from ..said import acquired, goal
from ..servers import line, process

MANY, BATCHES = 500, 12
READ = """
import sys, anyio
from hustings.bus import open_bus

async def main():
    async with open_bus(sys.argv[1], sys.argv[2], name="reader") as bus, bus.live.watch():
        print("ready", flush=True)
        count = 0
        async for entry in bus.log.tail(all=True):
            count += 1
            assert entry.seq == count
            if count == int(sys.argv[3]):
                print("all", flush=True)

anyio.run(main)
"""


@pytest.mark.processes
async def test_a_reader_that_stands_still_slows_nobody_and_misses_nothing(bus: Bus) -> None:
    """A process that follows everything, as `hustings tail` does, is stopped: appends and live messages go on as
    before; when it goes on it has every entry, in order."""
    with process(READ, bus.url, bus.team, str(1 + 2 * MANY * BATCHES)) as reader, anyio.fail_after(300):
        assert await line(reader) == "ready"
        await bus.log.ask("r", goal(), client="me")
        free = await work(bus, after=0)
        os.kill(reader.pid, signal.SIGSTOP)
        stopped = await work(bus, after=1 + MANY * BATCHES)
        os.kill(reader.pid, signal.SIGCONT)
        assert stopped < 3 * free + 1
        assert await line(reader) == "all"


async def work(bus: Bus, *, after: int) -> float:
    """Append and say a lot; the seconds it took."""
    began = anyio.current_time()
    beat = Heartbeat(agent="clerk", instance="one", version="1", card="", pid=1, host="h" * 1000)
    for _ in range(BATCHES):
        after = await bus.log.append("r", [acquired("x" * 1000)] * MANY, after=after if after > 1 else 0, source="me")
        for _ in range(MANY):
            await bus.live.beat(beat)
        await bus.connection.flush(10)
    return anyio.current_time() - began
