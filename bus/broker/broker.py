"""Broker: the NATS server of a directory, found or started, and kept up by whoever needs it."""

import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import anyio

from hustings.protocols import BrokerUnavailable, BusFull

from ..background import background
from .server import (
    START,
    Address,
    Durability,
    Lock,
    answers,
    gone,
    known,
    start,
    stop,
    writing,
)
from .watch import LOOK, Watch


@asynccontextmanager
async def embedded(home: Path, *, durability: Durability = "power") -> AsyncIterator[str]:
    """Yield the URL of the broker of this directory (`.hustings`); start it if none runs, and keep it up.

    All processes in one directory find the same broker. It ends with the process that started it, and then any other
    that is inside such a block starts it again, on the same port. "power" survives a power failure, "process" only
    the death of the server's process, and is faster. Raises BusFull without room on the disk, and BrokerUnavailable,
    this one also into the block when a broker that vanished cannot be started again.

    The process that started it also looks after it: a server that cannot write any more, as after a full disk, is
    started again as soon as there is room, and so is one that has been mute for some ten seconds.
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
    """One process's share in the broker of a directory."""

    def __init__(self, home: Path, durability: Durability) -> None:
        self._home = home
        self._durability = durability
        self._ours: subprocess.Popen[bytes] | None = None
        self._watch = Watch(home)

    async def ensure(self) -> Address:
        """Find the broker, or start it, or wait while somebody else does."""
        with writing():
            self._home.mkdir(parents=True, exist_ok=True)
            if not (ignore := self._home / ".gitignore").exists():
                ignore.write_text("*\n")
        with anyio.move_on_after(START):
            while True:
                address = known(self._home)
                if address and answers(address):
                    return address
                if lock := Lock.take(self._home):
                    return await self._start(lock)
                await anyio.sleep(0.01)
        raise BrokerUnavailable(f"the broker in {self._home} does not answer", "its lock is held, but nobody listens")

    async def keep(self) -> None:
        """Whenever the broker vanishes, see that there is one again. If we started it, see that it is of use."""
        while True:
            address = await self._insist()
            if self._ours and self._ours.pid == address.pid:
                async with background(partial(self._look_after, self._ours, address)):
                    await gone(address.pid)
                self._ours.poll()
            else:
                await gone(address.pid)
            await anyio.sleep(0.01)  # bounds the loop where the server runs out of our sight, as in a container

    async def leave(self) -> None:
        """Stop the broker if it is ours."""
        if self._ours:
            await stop(self._ours)

    async def _insist(self) -> Address:
        """As `ensure`; without room on the disk there will be a broker as soon as there is room."""
        while True:
            try:
                return await self.ensure()
            except BusFull:
                await anyio.sleep(LOOK)

    async def _look_after(self, server: "subprocess.Popen[bytes]", address: Address) -> None:
        await self._watch.unfit(address.url)
        server.kill()  # it cannot write, or does nothing: it would not end otherwise; what it confirmed is stored

    async def _start(self, lock: Lock) -> Address:
        try:
            with anyio.CancelScope(shield=True):  # a half-started server would be nobody's
                self._ours, address = await start(self._home, lock, self._durability)
        finally:
            lock.close()
        return address
