"""What is left of confirmed messages after a loss of power.

    .venv/bin/python benchmarks/power_loss.py [--rounds 20]     (as root, on Linux: it mounts file systems)

The broker's folder lies on an ext4 file system in an image file, mounted by a loop device. While clients write, the
server is stopped in the middle (SIGSTOP), and the image is copied as it is: the copy has what had reached the block
device, and nothing of what was only in the memory of the server or of the kernel. The copy is mounted, a server is
started on it, and all that was confirmed before the stop is looked for. In every second round everything is synced once
after the first messages, so that not only young streams are tried.

"power" has to lose nothing. "process" is the control: it has to lose something, or the method shows nothing. It does
not show torn sectors, nor disks that lie about their cache.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple, get_args

import anyio
from pydantic import TypeAdapter

from hustings.bus import Bus, embedded, open_bus
from hustings.bus.broker.server import Durability
from hustings.protocols import BusError, GoalAsked

SIZE = 96 * 2**20  # bytes of the file system
WRITERS = 4


class Loss(NamedTuple):
    confirmed: int
    lost: int


@contextmanager
def mounted(image: Path, at: Path) -> Iterator[Path]:
    at.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", "loop", image, at], check=True)
    try:
        yield at / "hustings"
    finally:
        subprocess.run(["umount", at], check=True)


@asynccontextmanager
async def broker(home: Path, durability: Durability) -> AsyncIterator[Bus]:
    async with embedded(home, durability=durability) as url, open_bus(url, "power", name="bench") as bus:
        yield bus


async def write(bus: Bus, writer: int, confirmed: list[str]) -> None:
    for count in range(1_000_000):
        run = f"w{writer}-{count}"
        await bus.log.ask(run, GoalAsked(type="Nothing.v1", goal={}, by="bench"), client="bench")
        confirmed.append(run)


async def cut(bus: Bus, home: Path, image: Path, copy: Path, synced: bool) -> list[str]:
    """Write, and take the copy in the middle of it; what had been confirmed."""
    server = int(TypeAdapter(dict[str, str | int]).validate_json((home / "broker.json").read_bytes())["pid"])
    confirmed: list[str] = []
    async with anyio.create_task_group() as group:
        for writer in range(WRITERS):
            group.start_soon(write, bus, writer, confirmed)
        await anyio.sleep(0.3)
        if synced:
            await anyio.to_thread.run_sync(os.sync)
        await anyio.sleep(random.uniform(0.1, 1.0))
        os.kill(server, signal.SIGSTOP)
        await anyio.sleep(0.1)  # for the confirmations that were on their way
        await anyio.run_process(["cp", "--sparse=always", image, copy])
        before = list(confirmed)
        os.kill(server, signal.SIGCONT)
        group.cancel_scope.cancel()
    return before


async def found(bus: Bus) -> set[str]:
    return {head.run for head in await bus.log.runs()}


async def lose_power(folder: Path, durability: Durability, synced: bool) -> Loss:
    image, copy = folder / "image", folder / "copy"
    with image.open("wb") as file:
        file.truncate(SIZE)
    await anyio.run_process(["mkfs.ext4", "-q", "-F", image])
    with mounted(image, folder / "before") as home:
        async with broker(home, durability) as bus:
            confirmed = await cut(bus, home, image, copy, synced)
    with mounted(copy, folder / "after") as home:
        try:
            async with broker(home, durability) as bus:
                there = await found(bus)
        except BusError as error:  # it does not even start
            print(f"  {error}")
            there = set()
    return Loss(len(confirmed), len(set(confirmed) - there))


async def main(rounds: int) -> bool:
    lost: dict[str, int] = {}
    for durability in get_args(Durability):
        losses = []
        for number in range(rounds):
            with tempfile.TemporaryDirectory(prefix="hustings-power-") as folder:
                losses.append(await lose_power(Path(folder), durability, synced=number % 2 == 1))
        lost[durability] = sum(loss.lost for loss in losses)
        print(
            f"{durability}: {rounds} losses of power, {sum(loss.confirmed for loss in losses)} messages confirmed, "
            f"{lost[durability]} lost, in {sum(loss.lost > 0 for loss in losses)} rounds"
        )
    if not lost["process"]:
        print("the control lost nothing either, so this shows nothing")
    return not lost["power"] and lost["process"] > 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=20)
    if os.geteuid() != 0:
        sys.exit("it has to mount file systems, so it must be run as root")
    sys.exit(not anyio.run(main, parser.parse_args().rounds))
