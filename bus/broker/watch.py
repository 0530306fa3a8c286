"""Watch: looks whether the embedded broker is still of use: whether it answers, and can write."""

from contextlib import suppress
from pathlib import Path
from time import monotonic

import anyio

from hustings.protocols import BusError

from ..client.connection import Connection, connect
from ..client.jetstream import StreamNames, call, stuck
from .server import room

LOOK = 2.0  # seconds between two looks
MISSES = 2  # attempts to reach a mute server, each of some 3.5 seconds, after which it counts as hung
LONGEST, CALM = 8.0, 60.0  # seconds between two restarts at most; seconds without one after which all is well again


class Watch:
    """Looks after one broker, through all its restarts."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._pause = LOOK
        self._next = 0.0

    async def unfit(self, url: str) -> None:
        """Return when the server must be started again.

        Either it cannot write, and a restart may help; or it hangs. It hangs if it does not answer a ping in two
        seconds, and then greets nobody twice: a busy server does, and it is not the server's fault if we slept
        ourselves. A short life of this process costs nothing: the first look comes after two seconds.
        """
        misses = 0
        while misses < MISSES:
            await anyio.sleep(LOOK)
            misses += 1
            with suppress(BusError):
                async with connect(url, name="keeper") as connection:
                    misses = 0
                    while not (await self._stuck(connection) and self._due()):  # noqa: ASYNC110 - nothing tells it
                        await anyio.sleep(LOOK)
                    return

    async def _stuck(self, connection: Connection) -> bool:
        """True if there is a stream that cannot be written. Raises Unanswered."""
        await connection.flush(LOOK)
        streams = (await call(connection, "STREAM.NAMES", {}, StreamNames)).streams or []
        return any([await stuck(connection, stream) for stream in streams])

    def _due(self) -> bool:
        """Whether a restart may help: there is room, as far as one can see, and the last one is long enough ago."""
        now = monotonic()
        if now < self._next or not room(self._home):
            return False
        self._pause = LOOK if now > self._next + CALM else min(self._pause * 2, LONGEST)
        self._next = now + self._pause
        return True
