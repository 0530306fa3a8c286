"""Promises of the bus on a disk that is full, and of the keeper of a broker that is of no use.

The disk is a limit on the size of files that the server inherits from the process that starts it: it needs no rights,
the server takes it as it takes a full disk (checked with nats-server 2.15.1), and room is made by lifting it.
"""

import errno
import os
import resource
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path
from time import monotonic

import anyio
import pytest

from hustings.bus import Bus, embedded, open_bus
from hustings.protocols import BusFull, Unanswered

from ..said import entries, goal
from ..servers import line, process, server_pid

pytestmark = pytest.mark.processes

Within = Callable[[float], AbstractContextManager[None]]

LIMIT = 2**20  # bytes of one file
HOLD = """
import resource, sys, anyio
from pathlib import Path
from hustings.bus import embedded

async def main():
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
    async with embedded(Path(sys.argv[1])) as url:
        print(url, flush=True)
        await anyio.sleep_forever()

anyio.run(main)
"""


class Full:
    """A broker on a small disk, and what it has confirmed."""

    def __init__(self, home: Path, keeper: int, bus: Bus) -> None:
        self.home, self.keeper, self.bus = home, keeper, bus
        self.confirmed: list[str] = []

    async def say(self) -> None:
        """Ask for another run, with a text of 100 kB."""
        run = f"r{len(self.confirmed)}"
        await self.bus.log.ask(run, goal(text="x" * 100_000), client="me")
        self.confirmed.append(run)

    async def fill(self) -> BusFull:
        """Say things until the disk is full; the error."""
        try:
            while len(self.confirmed) < 100:
                await self.say()
        except BusFull as full:
            return full
        raise AssertionError("it is never full")

    def make_room(self) -> None:
        limit(self.keeper, resource.RLIM_INFINITY)

    async def writable(self) -> None:
        """Wait until something is confirmed again."""
        while True:
            try:
                return await self.say()
            except (BusFull, Unanswered):
                continue


def limit(pid: int, size: int) -> None:
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@asynccontextmanager
async def small_disk(home: Path) -> AsyncIterator[Full]:
    with process(HOLD, str(home), str(LIMIT)) as keeper:
        async with open_bus(await line(keeper), "team", name="test") as bus:
            yield Full(home, keeper.pid, bus)


@pytest.mark.long
@pytest.mark.timing
async def test_a_full_disk_is_told_in_words_and_healed_without_a_person(tmp_path: Path, within: Within) -> None:
    """A writer gets BusFull with the reason within 5 s; with room again the broker is writable within 15 s.

    All that was confirmed is there. While there is no room the keeper tries again, but not in a hot loop.
    """
    async with small_disk(tmp_path) as disk:
        servers, began = {server_pid(tmp_path)}, monotonic()
        error = await disk.fill()
        assert "cannot write" in error.what
        assert "file too large" in error.why
        while len(servers) < 3:  # also across restarts that do not help
            with within(5), pytest.raises(BusFull):
                await disk.say()
            servers.add(server_pid(tmp_path))
        assert monotonic() - began > 2 * (len(servers) - 1)
        disk.make_room()
        with within(15):
            await disk.writable()
        assert [run for run in disk.confirmed if not await entries(disk.bus, run)] == []


async def test_an_agent_waits_for_its_inbox_on_a_full_disk(tmp_path: Path) -> None:
    """An inbox that cannot be opened for want of room is there once there is some."""
    async with small_disk(tmp_path) as disk:
        await disk.say()
        limit(server_pid(tmp_path), 1)
        async with disk.bus.goals() as goals:
            with anyio.move_on_after(1):
                raise AssertionError(f"there is room for {await anext(goals)}")
            limit(server_pid(tmp_path), resource.RLIM_INFINITY)
            with anyio.fail_after(300):
                assert (await anext(goals)).run == "r0"


async def test_without_room_for_its_files_a_broker_does_not_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said in words, and no server is left behind."""

    def full(path: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("hustings.bus.broker.server._write", full)
    with pytest.raises(BusFull, match="No space left"):
        async with embedded(tmp_path):
            pass


async def test_a_broker_that_hangs_is_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is stopped for good is replaced, and what it had confirmed is there."""
    monkeypatch.setattr("hustings.protocols.timing.BROKER_CHECK", 0.2)
    async with embedded(tmp_path) as url, open_bus(url, "team", name="test") as bus:
        await bus.log.ask("r", goal(), client="me")
        watch = os.pidfd_open(server_pid(tmp_path))
        os.kill(server_pid(tmp_path), signal.SIGSTOP)
        with anyio.fail_after(300):
            await anyio.wait_readable(watch)
            os.close(watch)
            assert len(await entries(bus, "r")) == 1


async def test_a_keeper_that_slept_leaves_the_broker_alone(tmp_path: Path) -> None:
    """A pause of the process that looks after a broker, however long, is not the broker's fault; nor is a short one of
    the broker's own."""
    hasty = HOLD.replace(
        "async def main", "import hustings.protocols.timing as timing; timing.BROKER_CHECK = 0.2\nasync def main"
    )
    with process(hasty, str(tmp_path), str(2**30)) as keeper:
        url = await line(keeper)
        server = server_pid(tmp_path)
        async with open_bus(url, "team", name="test") as bus:
            await anyio.sleep(1)  # it has begun to look
            for pid in (keeper.pid, server):
                os.kill(pid, signal.SIGSTOP)
                await anyio.sleep(2)
                os.kill(pid, signal.SIGCONT)
            await anyio.sleep(1)
            await bus.log.ask("r", goal(), client="me")
        assert server_pid(tmp_path) == server
