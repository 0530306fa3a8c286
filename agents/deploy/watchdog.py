"""Watchdog: a thread that ends its process when its event loop is blocked or its threads do not end."""

import faulthandler
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from threading import Thread, main_thread
from typing import NoReturn

import anyio

from hustings.bus import background
from hustings.protocols import timing

from ..runtime.process import BLOCKED
from ..variables import Variable

SECONDS = Variable(
    "HUSTINGS_WATCHDOG",
    "how long an agent's event loop may be blocked before its process is ended; 0: for ever",
    f"the team's heartbeat_timeout, and at least {timing.HEARTBEAT_TIMEOUT:g}",
    "seconds",
)


class Watchdog(Thread):
    """Ends the process with BLOCKED and all tracebacks once its event loop has made no progress for `seconds`.

    Time counts in the watchdog's own ticks, so a process that was suspended is not blamed. Neither threads left behind
    nor tasks that ignore their cancellation can delay the end of the process: `leave` ends it, with `code`.
    """

    def __init__(self, seconds: float = timing.HEARTBEAT_TIMEOUT, leave: Callable[[int], NoReturn] = os._exit) -> None:
        super().__init__(name="watchdog", daemon=True)
        self.code = 1
        self._most = float(SECONDS.read() or seconds) / timing.WATCHDOG_CHECK
        self._beats = 0
        self._watching = False
        self._leave = leave
        self._left: float | None = None

    def limit(self, code: int, seconds: float = timing.PROCESS_END) -> None:
        """The process is about to end, with this code. If it has not ended after so many seconds, end it."""
        self.code, self._left = code, seconds / timing.WATCHDOG_CHECK

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Watch this event loop while the block runs."""
        self.start()
        async with background(self._beat):
            self._watching = bool(self._most)
            try:
                yield
            finally:
                self._watching = False

    def run(self) -> None:
        still, seen = 0, -1
        while main_thread().is_alive():
            main_thread().join(timing.WATCHDOG_CHECK)
            still, seen = (still + 1 if seen == self._beats else 0), self._beats
            if self._watching and still > self._most:
                _end_blocked(still * timing.WATCHDOG_CHECK)
            if self._left is not None:
                self._left -= 1
                if self._left < 0:
                    self._leave(self.code)
        time.sleep(timing.THREADS_END)  # a daemon thread: if the process ends by itself, this goes no further
        self._leave(self.code)

    async def _beat(self) -> None:
        while True:
            await anyio.sleep(timing.WATCHDOG_CHECK / 2)
            self._beats += 1


def _end_blocked(seconds: float) -> None:
    sys.stderr.write(f"the event loop was blocked for {seconds:g} s by:\n")
    faulthandler.dump_traceback(sys.stderr)
    os._exit(BLOCKED)
