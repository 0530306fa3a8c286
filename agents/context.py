"""TaskContext: what a skill may know and do besides its parameters."""

import hashlib
import shutil
import tempfile
import time
from functools import cached_property, partial
from pathlib import Path

from anyio import CancelScope
from anyio.to_thread import run_sync

from moot.bus import Bus
from moot.protocols import Blob, Progress

from .logger import structlog


class TaskContext:
    """One attempt of one task.

    `deadline` is in seconds since the epoch, `scratch` a folder that is deleted after the attempt, `log` is bound to
    run, task and attempt. When the run ends or the deadline passes, the skill is cancelled; a sync skill, which cannot
    be, should look at `cancelled` between its steps.
    """

    def __init__(self, *, agent: str, run: str, task: str, attempt: int, deadline: float, bus: Bus) -> None:
        self.agent = agent
        self.run = run
        self.task = task
        self.attempt = attempt
        self.deadline = deadline
        self.cancelled = False
        self.log: structlog.stdlib.BoundLogger = structlog.get_logger().bind(run=run, task=task, attempt=attempt)
        self._bus = bus

    @cached_property
    def scratch(self) -> Path:
        """An empty folder of this attempt's own."""
        return Path(tempfile.mkdtemp(prefix=f"moot-{self.agent}-"))

    @property
    def remaining(self) -> float:
        """Seconds until the deadline, never below 0."""
        return max(0.0, self.deadline - time.time())

    async def progress(self, says: str, done: float | None = None) -> None:
        """Tell whoever looks on how far this is; `done` from 0 to 1. Stored nowhere."""
        await self._bus.live.progress(Progress(run=self.run, task=self.task, agent=self.agent, says=says, done=done))

    async def read(self, blob: Blob) -> bytes:
        """The bytes behind a Blob. Raises NotFound."""
        return await self._bus.blobs.get(blob)

    async def store(self, data: bytes, name: str = "") -> Blob:
        """Put bytes where every agent of the team can read them."""
        return await self._bus.blobs.put(data, name=name)

    async def unpack(self, blob: Blob) -> Path:
        """The file or folder behind a Blob, as a fresh copy in `scratch`. Raises NotFound."""
        return await self._bus.blobs.unpack(blob, self.scratch)

    async def close(self) -> None:
        """The attempt is over: whoever still works on it is told, and the scratch folder goes."""
        self.cancelled = True
        if "scratch" in self.__dict__:
            with CancelScope(shield=True):
                await run_sync(partial(shutil.rmtree, self.scratch, ignore_errors=True))

    def once(self, key: str = "") -> str:
        """An idempotency key for an outside effect: the same in every attempt and delivery of this task."""
        return hashlib.sha256(f"{self.run}/{self.task}/{key}".encode()).hexdigest()[:32]
