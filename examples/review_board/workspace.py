"""Workspace: from a repository on the bus to a folder on disk, and back off the event loop."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from anyio.to_thread import run_sync

from moot.agents import TaskContext
from moot.protocols import Refused

from .messages import Repository

T = TypeVar("T")


async def work(repository: Repository, context: TaskContext, says: str, job: Callable[[Path], T]) -> T:
    """Unpack the repository into the attempt's scratch folder and do the job there, in a worker thread.

    When the task is cancelled, what the job runs as a process is killed. Raises Refused if it is no folder that holds
    packages.
    """
    if repository.kind != "folder":
        raise Refused(f"{repository.name or 'the repository'} is a file", "a review takes a folder")
    root = await context.unpack(repository)
    if (root / "__init__.py").exists():
        raise Refused(f"{root.name} is a package itself", "give the folder that holds it, so that it can be imported")
    await context.progress(says)
    return await run_sync(job, root)
