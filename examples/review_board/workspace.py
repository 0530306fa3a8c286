"""Workspace: from a repository on the bus to a folder on disk, and back off the event loop."""

from collections.abc import Callable
from pathlib import Path, PurePath
from typing import TypeVar

from anyio.to_thread import run_sync

from hustings import Claim, Evidence, TaskContext

from .messages import Findings, Repository
from .tools import ToolFailed

T = TypeVar("T")


async def work(repository: Repository, context: TaskContext, says: str, job: Callable[[Path], T]) -> T:
    """Unpack the repository into the attempt's scratch folder and run the job there, in a worker thread.

    The rest of its checkout lies around it. If the repository is itself a package, the job gets a parent folder with
    nothing else in it, so that it can be imported. When the task is cancelled, the job's processes are killed.
    """
    root = await context.unpack(repository)
    await context.progress(says)
    return await run_sync(job, _prepared(root, repository.folder))


def _prepared(root: Path, folder: str) -> Path:
    top = (root, *root.parents)[len(PurePath(folder).parts)]
    if (root / "__init__.py").exists():
        top = top.with_name(f"{top.name}-alone")
        top.mkdir()
        root = root.rename(top / root.name).parent
    (top / ".git").mkdir(exist_ok=True)  # nobody looks for settings above it
    return root


async def findings(
    repository: Repository, context: TaskContext, says: str, job: Callable[[Path], Findings]
) -> Findings:
    """As `work`; but a tool that cannot work on this repository is a claim, and the review goes on without it."""
    try:
        return await work(repository, context, says, job)
    except ToolFailed as error:
        why = f"{error.what}: {error.why}"
        severity = Evidence(kind="severity", says="warning")
        claim = Claim(about=f"{context.agent}:run", value="could not run", because=why, evidence=(severity,))
        return Findings(claims=(claim,))


def known(python: str) -> str:
    """The interpreter of the repository, if this machine has it; else empty."""
    return python if Path(python).is_file() else ""


def inside(repository: Repository, root: Path) -> str:
    """Where in the job's folder the repository begins: "" or, if it is a package itself, its name and a slash."""
    name = PurePath(repository.name, repository.folder).name
    return "" if root.name == name else f"{name}/"
