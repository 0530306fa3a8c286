"""Watch: checks that the embedded broker answers and can write."""

from contextlib import suppress
from pathlib import Path
from time import monotonic

import anyio

from hustings.protocols import BusError, timing

from ..client.connection import Connection, connect
from ..client.jetstream import StreamNames, call, stuck
from .server import room


class Watch:
    """Checks one broker, through all its restarts."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._pause = timing.BROKER_CHECK
        self._next = 0.0

    async def unfit(self, url: str) -> None:
        """Return when the server must be started again.

        Either it cannot write, and a restart may help; or it hangs. It hangs if it does not answer a ping in two
        seconds, and then no attempt to connect in `timing.HANDSHAKE`: a busy server still accepts connections, and the
        ping may have failed because this process was asleep. The first check comes after two seconds, so short
        processes skip it.
        """
        answers = True
        while answers:
            await anyio.sleep(timing.BROKER_CHECK)
            answers = False
            with suppress(BusError):
                async with connect(url, name="keeper") as connection:
                    answers = True
                    while not (await self._stuck(connection) and self._due()):  # noqa: ASYNC110 - there is no event to wait for
                        await anyio.sleep(timing.BROKER_CHECK)
                    return

    async def _stuck(self, connection: Connection) -> bool:
        """True if the server cannot write one of its streams. Raises Unanswered."""
        await connection.flush(timing.BROKER_CHECK)
        streams = (await call(connection, "STREAM.NAMES", {}, StreamNames)).streams or []
        return any([await stuck(connection, stream) for stream in streams])

    def _due(self) -> bool:
        """True if a restart may help: the disk seems to have room, and the last restart is long enough ago."""
        now = monotonic()
        if now < self._next or not room(self._home):
            return False
        long_ago = now > self._next + timing.BROKER_CALM
        self._pause = timing.BROKER_CHECK if long_ago else min(self._pause * 2, timing.BROKER_RESTART)
        self._next = now + self._pause
        return True
