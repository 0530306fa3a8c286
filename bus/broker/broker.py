"""Broker: the NATS server of a directory. Each process that needs it finds or starts it, and keeps it running."""

import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import anyio

from hustings.protocols import BrokerUnavailable, BusFull, timing

from ..background import background
from .home import make_home
from .server import (
    Address,
    Durability,
    Lock,
    answers,
    known,
    process_exited,
    start,
    stop,
    writing,
)
from .watch import Watch


@asynccontextmanager
async def embedded(home: Path, *, durability: Durability = "power") -> AsyncIterator[str]:
    """Yield the URL of the broker of this directory (`.hustings`); start it if none runs, and keep it running.

    All processes in one directory find the same broker. It ends with the process that started it; then any other
    process inside such a block starts it again, on the same port. "power" survives a power failure; "process" survives
    only the death of the server's process, and is faster. Raises BusFull if the disk is full, and BrokerUnavailable;
    the latter also inside the block if a broker that ended cannot be started again.

    The process that started the broker also restarts it: when it cannot write any more (after a full disk, as soon as
    there is room), and when it has not answered for about ten seconds.
    """
    keeper = _Keeper(home, durability)
    address = await keeper.ensure()
    try:
        async with background(keeper.keep):
            yield address.url
    finally:
        await keeper.leave()


def find_embedded(home: Path) -> str | None:
    """The URL of the running embedded broker of this directory, or None."""
    address = known(home)
    return address.url if address and answers(address) else None


class _Keeper:
    """What one process does for the broker of a directory."""

    def __init__(self, home: Path, durability: Durability) -> None:
        self._home = home
        self._durability = durability
        self._ours: subprocess.Popen[bytes] | None = None
        self._watch = Watch(home)

    async def ensure(self) -> Address:
        """Find the broker, or start it, or wait while another process starts it."""
        with writing():
            make_home(self._home)
        with anyio.move_on_after(timing.BROKER_START):
            while True:
                address = known(self._home)
                if address and answers(address):
                    return address
                if lock := Lock.acquire(self._home):
                    return await self._start(lock)
                await anyio.sleep(0.01)
        raise BrokerUnavailable(
            f"the broker in {self._home} does not answer", "its lock is held, but the port does not answer"
        )

    async def keep(self) -> None:
        """Whenever the broker ends, find or start it again. If it is ours, end it when it hangs or cannot write."""
        while True:
            address = await self._insist()
            if self._ours and self._ours.pid == address.pid:
                async with background(partial(self._look_after, self._ours, address)):
                    await process_exited(address.pid)
                self._ours.poll()
            else:
                await process_exited(address.pid)
            await anyio.sleep(0.01)  # bounds the loop if the server's process is not visible, as in a container

    async def leave(self) -> None:
        """Stop the broker if it is ours."""
        if self._ours:
            await stop(self._ours)

    async def _insist(self) -> Address:
        """As `ensure`, but wait while the disk is full."""
        while True:
            try:
                return await self.ensure()
            except BusFull:
                await anyio.sleep(timing.BROKER_CHECK)

    async def _look_after(self, server: "subprocess.Popen[bytes]", address: Address) -> None:
        await self._watch.unfit(address.url)
        server.kill()  # it hangs or cannot write, so it would not end itself; what it confirmed is stored

    async def _start(self, lock: Lock) -> Address:
        try:
            with anyio.CancelScope(shield=True):  # nobody would own a half-started server
                self._ours, address = await start(self._home, lock, self._durability)
        finally:
            lock.close()
        return address
