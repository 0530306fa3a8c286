"""Leash: bounds all asyncio tasks of one attempt. They are not resumed after a cancellation and a grace period.

Nobody can end a coroutine that swallows its cancellation. But it continues only while its task resumes it, so the tasks
that a skill starts, by whatever means, check their leash first.
"""

import asyncio
import ctypes
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextvars import ContextVar
from typing import Any, TypeVar
from weakref import WeakSet

import anyio
from anyio import CancelScope
from anyio.lowlevel import checkpoint

from hustings.protocols import timing

T = TypeVar("T")

PUSHES = 10  # further cancellations that a coroutine gets before it is left as it is
TURNS = 100  # of the event loop, for tasks that wait for each other to notice a cancellation

_held: ContextVar["Leash | None"] = ContextVar("leash", default=None)


class Leash:
    """Runs one piece of the skill author's code, which outlives its cancellation by SKILL_GRACE seconds at most.

    `cut` is True if it tried to. Tasks that were not cancelled (behind `asyncio.shield`, or kept for the next attempt)
    go on; after the cut, a cancellation of theirs is final too.
    """

    def __init__(self) -> None:
        self.cut = False
        self._tasks: WeakSet[asyncio.Task[Any]] = WeakSet()

    async def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """What the work returns or raises. Cancelled, it takes SKILL_GRACE seconds at most."""
        said: list[T] = []
        raised: list[BaseException] = []
        ended = anyio.Event()
        scope, kept = CancelScope(deadline=anyio.current_effective_deadline()), CancelScope()

        async def main() -> None:
            try:
                with scope, kept:
                    said.append(await work())
            except BaseException as error:  # noqa: BLE001 - in a task, some exceptions would end the loop
                raised.append(error)
            finally:
                ended.set()

        task = self._start(main())
        try:
            await ended.wait()
            if not (said or raised):
                await anyio.sleep_forever()  # the deadline passed in the work first, and is about to here
        finally:
            if not ended.is_set():
                scope.cancel()
                with CancelScope(shield=True):
                    await self._end(task)
                kept.shield = True  # the isolated worker is ending: no further attempts
        if raised:
            raise raised.pop()
        return said.pop()

    def lead(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Called before a task resumes its coroutine. Raises CancelledError if it may not go on."""
        task = asyncio.current_task()
        if self.cut and task and task.cancelling():
            _unwind(coroutine)
            raise asyncio.CancelledError

    def adopt(self, task: asyncio.Task[Any]) -> None:
        """This task was started within the leash."""
        self._tasks.add(task)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task whose parent is `run`: a task group would wait for it without limit."""
        loop = asyncio.get_running_loop()
        if not isinstance(loop.get_task_factory(), _Factory):
            loop.set_task_factory(_Factory(loop.get_task_factory()))
        before = _held.set(self)
        try:
            task = asyncio.Task(_Led(work, self), loop=loop)
        finally:
            _held.reset(before)
        self.adopt(task)
        return task

    async def _end(self, task: asyncio.Task[None]) -> None:
        """Wait for the work, and for cancelled tasks that it started, during the grace period; then cut them off."""
        with anyio.move_on_after(timing.SKILL_GRACE):
            while stubborn := self._stubborn(task):
                await asyncio.wait(stubborn)
            return
        self.cut = True
        for _ in range(TURNS):
            for each in (stubborn := self._stubborn(task)):
                each.cancel()
            if not stubborn:
                return
            await checkpoint()
        _keep(task)  # it waits for a task without a leash, and swallows its cancellation too

    def _stubborn(self, main: asyncio.Task[None]) -> list[asyncio.Task[Any]]:
        return [each for each in self._tasks if not each.done() and (each is main or each.cancelling())]


class _Led(Coroutine[Any, Any, Any]):
    """A coroutine on a leash, in place of the original in its task."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], leash: Leash) -> None:
        self._coroutine, self._leash = coroutine, leash

    def send(self, value: Any) -> Any:
        self._leash.lead(self._coroutine)
        return self._coroutine.send(value)

    def throw(self, *error: Any) -> Any:
        self._leash.lead(self._coroutine)
        return self._coroutine.throw(*error)

    def close(self) -> None:
        self._coroutine.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._coroutine.__await__()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._coroutine, name)  # cr_frame and the like, for tools that show tasks


class _Factory:
    """Creates the tasks of an event loop, leashed inside a leash; `before` is the task factory used so far."""

    def __init__(self, before: Callable[..., Any] | None) -> None:
        self._before = before

    def __call__(self, loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> Any:
        leash = _held.get()
        work = coroutine if leash is None else _Led(coroutine, leash)
        task = self._before(loop, work, **options) if self._before else asyncio.Task(work, loop=loop, **options)
        if leash is not None:
            leash.adopt(task)
        return task


def _unwind(coroutine: Coroutine[Any, Any, Any]) -> None:
    """End the coroutine now; whatever it awaits on its way out is cancelled too."""
    for _ in range(PUSHES):
        try:
            coroutine.throw(asyncio.CancelledError())
        except BaseException:  # noqa: BLE001 - it has ended; the way does not matter
            return
    _keep(coroutine)


def _keep(what: object) -> None:
    """Keep a reference until the process ends: Python resumes a coroutine when it is garbage-collected."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(what))
