"""Watchdog: a thread that ends its process where nothing else can: a blocked event loop, a thread that stays."""

import faulthandler
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from threading import Thread, main_thread

import anyio

from moot.bus import beside

from .process import BLOCKED

SECONDS = "MOOT_WATCHDOG"  # in the environment: how long a loop may stand still; 0: as long as it likes
LEASE = 5.0  # a team's default: whoever is silent for longer loses its tasks anyway
TICK = 0.25
LAST = 1.0  # seconds in which the threads have to end, after the main thread has


class Watchdog(Thread):
    """Ends the process once its event loop has made no progress for `seconds`, with BLOCKED and all tracebacks.

    Time is counted in ticks of its own, so that a process that was stopped is not blamed. Threads that were left behind
    cannot hold up the end of the process: it ends with `code`.
    """

    def __init__(self, seconds: float = LEASE) -> None:
        super().__init__(name="watchdog", daemon=True)
        self.code = 1
        self._most = float(os.environ.get(SECONDS) or seconds) / TICK
        self._beats = 0
        self._watching = False

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Watch this event loop while the block runs."""
        self.start()
        async with beside(self._beat):
            self._watching = bool(self._most)
            try:
                yield
            finally:
                self._watching = False

    def run(self) -> None:
        still, seen = 0, -1
        while main_thread().is_alive():
            main_thread().join(TICK)
            still, seen = (still + 1 if seen == self._beats else 0), self._beats
            if self._watching and still > self._most:
                _end_blocked(still * TICK)
        time.sleep(LAST)  # as a daemon it goes no further where the process can end by itself
        os._exit(self.code)

    async def _beat(self) -> None:
        while True:
            await anyio.sleep(TICK / 2)
            self._beats += 1


def _end_blocked(seconds: float) -> None:
    sys.stderr.write(f"the event loop was blocked for {seconds:g} s, by:\n")
    faulthandler.dump_traceback(sys.stderr)
    os._exit(BLOCKED)
