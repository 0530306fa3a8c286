"""What a full disk does to writers, and how long the embedded broker takes to heal.

    .venv/bin/python benchmarks/disk_full.py [--fills 20]     (as root, on Linux: it mounts a small file system)

The broker's folder lies on a file system of 64 MiB in memory. Each time it is filled by somebody else's file while a
client appends; the clock runs until the client has its error. Some seconds later the file is removed, and the clock
runs until an append is confirmed. In the end all that was confirmed is read back.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import anyio

from hustings.bus import Bus, embedded, open_bus
from hustings.protocols import BusError, BusFull, GoalAsked, Unanswered


@contextmanager
def small_disk() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="hustings-disk-") as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "hustings", folder], check=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", folder], check=True)


class Writer:
    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.confirmed: list[str] = []

    async def append(self) -> None:
        run = f"r{len(self.confirmed)}"
        await self.bus.log.ask(run, GoalAsked(type="Nothing.v1", goal={"text": "x" * 20_000}, by="b"), client="bench")
        self.confirmed.append(run)

    async def until_error(self) -> tuple[float, BusError]:
        """Append until it fails; how long the last call took."""
        while True:
            began = time.monotonic()
            try:
                await self.append()
            except (BusFull, Unanswered) as error:
                return time.monotonic() - began, error

    async def until_confirmed(self) -> float:
        began = time.monotonic()
        while True:
            with suppress(BusFull, Unanswered):
                await self.append()
                return time.monotonic() - began


def fill(junk: Path) -> None:
    with suppress(OSError), junk.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 65_536)


def told(what: str, seconds: list[float]) -> None:
    print(f"{what}: p50 {statistics.median(seconds):.1f} s, longest {max(seconds):.1f} s")


async def main(fills: int) -> bool:
    refused, healed, kinds = [], [], set()
    with small_disk() as disk:
        async with embedded(disk / "hustings") as url, open_bus(url, "full", name="bench") as bus:
            writer = Writer(bus)
            for _ in range(fills):
                for _ in range(20):
                    await writer.append()
                fill(disk / "junk")
                seconds, error = await writer.until_error()
                refused.append(seconds)
                kinds.add(f"{type(error).__name__}: {error.what}: {error.why.rpartition(': ')[2]}")
                await anyio.sleep(3)
                (disk / "junk").unlink()
                healed.append(await writer.until_confirmed())
            there = {head.run for head in await bus.log.runs()}
    told("error after", refused)
    told("writable again after", healed)
    lost = {*writer.confirmed} - there
    print(f"{fills} fills, {len(writer.confirmed)} appends confirmed, {len(lost)} lost; {'; '.join(sorted(kinds))}")
    return not lost and max(refused) < 5 and max(healed) < 15


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--fills", type=int, default=20)
    if os.geteuid() != 0:
        sys.exit("it has to mount a file system, so it must be run as root")
    sys.exit(not anyio.run(main, parser.parse_args().fills))
