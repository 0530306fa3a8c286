"""TaskContext: what a skill may know and do besides its parameters."""

import hashlib
import shutil
import tempfile
import time
from functools import cached_property, partial
from pathlib import Path

from anyio import CancelScope, Lock
from anyio.to_thread import run_sync

from moot.bus import Bus
from moot.protocols import Amount, Blob, BudgetExceeded, Progress, Share, Spent, StaleWriter

from .logger import structlog


class TaskContext:
    """One attempt of one task.

    `deadline` is in seconds since the epoch, `scratch` a folder that is deleted after the attempt, `log` is bound to
    run, task and attempt. When the run ends or the deadline passes, the skill is cancelled; a sync skill, which cannot
    be, should look at `cancelled` between its steps.
    """

    def __init__(
        self,
        *,
        agent: str,
        run: str,
        task: str,
        attempt: int,
        deadline: float,
        bus: Bus,
        share: Share | None = None,
    ) -> None:
        self.agent = agent
        self.run = run
        self.task = task
        self.attempt = attempt
        self.deadline = deadline
        self.cancelled = False
        self.log: structlog.stdlib.BoundLogger = structlog.get_logger().bind(run=run, task=task, attempt=attempt)
        self._bus = bus
        self._account = _Account(self, bus, share or Share())

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

    async def spend(self, *, calls: int = 0, tokens: int = 0, money: float = 0.0) -> None:
        """Reserve an amount of this attempt's share of the run's budget, before it is spent.

        It is on the log when this returns, so a second process that works on the same attempt, or the next one after a
        crash, has only the rest. A negative amount gives back what was reserved and not needed. Raises BudgetExceeded,
        and then nothing was reserved; let it pass, and the task fails without a second attempt.
        """
        await self._account.reserve(Amount(calls=calls, tokens=tokens, money=money))

    async def left(self) -> Share:
        """What this attempt may still spend; None: no limit."""
        return await self._account.left()

    async def close(self) -> None:
        """The attempt is over: whoever still works on it is told, and the scratch folder goes."""
        self.cancelled = True
        if "scratch" in self.__dict__:
            with CancelScope(shield=True):
                await run_sync(partial(shutil.rmtree, self.scratch, ignore_errors=True))

    def once(self, key: str = "") -> str:
        """An idempotency key for an outside effect: the same in every attempt and delivery of this task."""
        return hashlib.sha256(f"{self.run}/{self.task}/{key}".encode()).hexdigest()[:32]


class _Account:
    """What one attempt has reserved, as the log has it."""

    def __init__(self, context: TaskContext, bus: Bus, share: Share) -> None:
        self._context = context
        self._bus = bus
        self._share = share
        self._spent = Amount()
        self._position = -1  # where the last word about this attempt lies; -1: not looked up yet
        self._turn = Lock()

    async def reserve(self, amount: Amount) -> None:
        context = self._context
        event = Spent(task=context.task, attempt=context.attempt, agent=context.agent, amount=amount)
        async with self._turn:
            while True:
                await self._recall()
                if kind := self._spent.plus(amount).beyond(self._share):
                    limit = getattr(self._share, kind)
                    raise BudgetExceeded(
                        f"{context.task} may spend {limit:g} {kind}", f"{self._said(kind, amount)} more"
                    )
                try:
                    seq = await self._bus.log.spend(context.run, event, after=self._position, source=context.agent)
                except StaleWriter:  # another process works on this attempt as well
                    self._position = -1
                    continue
                self._position, self._spent = seq, self._spent.plus(amount)
                return

    async def left(self) -> Share:
        async with self._turn:
            await self._recall()
            return self._share.less(self._spent)

    async def _recall(self) -> None:
        if self._position >= 0:
            return
        context = self._context
        said = await self._bus.log.attempt(context.run, context.agent, context.task, context.attempt)
        if any(entry.subject.kind == "result" for entry in said):
            raise BudgetExceeded(f"{context.task} has been answered", "by another process, so nothing is left to spend")
        self._spent = Amount()
        for entry in said:
            if isinstance(entry.event, Spent):
                self._spent = self._spent.plus(entry.event.amount)
        self._position = said[-1].seq if said else 0

    def _said(self, kind: str, amount: Amount) -> str:
        return f"{getattr(self._spent, kind):g} are spent, and it wants {getattr(amount, kind):g}"
