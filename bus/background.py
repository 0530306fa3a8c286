"""Background: tasks that run while a block runs; a single error of theirs, or of the block, comes out plain."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import anyio
from anyio.abc import TaskGroup


@asynccontextmanager
async def task_group() -> AsyncIterator[TaskGroup]:
    """anyio's task group, but one error of a task or of the block is raised as it is, not wrapped into a group."""
    try:
        async with anyio.create_task_group() as tasks:
            yield tasks
    except BaseExceptionGroup as group:
        if len(group.exceptions) > 1:
            raise
        (error,) = group.exceptions
        raise error from error.__cause__


@asynccontextmanager
async def background(work: Callable[[], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Run `work` while the block runs, and cancel it at the end.

    An error of the block is raised as it is, not wrapped into a group. If `work` raises, the block is cancelled and
    that error is raised.
    """
    async with task_group() as tasks:
        tasks.start_soon(work)
        yield
        tasks.cancel_scope.cancel()
