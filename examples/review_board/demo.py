"""What `hustings demo` reviews: a copy of the installed simplejson, which includes its tests."""

import importlib.util
import shutil
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from hustings.agents import RunReport
from hustings.bus import background
from hustings.protocols import UsageError

from . import comparison
from .comparison import ROWS, Row
from .messages import Patch, ReviewProof

TARGET = "hustings.examples.review_board:team"
PACKAGE = "simplejson"
FLAGS = ("--bold",)  # the package has no settings, and asks for nothing
QUIETLY = "import signal; signal.signal(signal.SIGINT, signal.SIG_DFL)"  # ^C while it imports
COMPARE = f"{QUIETLY}; from {comparison.__name__} import main; main()"


@asynccontextmanager
async def epilogue(folder: Path) -> AsyncGenerator[Callable[[RunReport], Awaitable[str]]]:
    """Compare the tools while the block runs, in a process of low priority.

    Gives a function that waits for the result and makes a table (each tool alone, all in a row, the board), or "" if
    the run made no patch.
    """
    rows: list[Row] = []
    compared = anyio.Event()

    async def work() -> None:
        done = await anyio.run_process([sys.executable, "-c", COMPARE, str(folder)], stderr=None)
        rows.extend(ROWS.validate_json(done.stdout))
        compared.set()

    async def tell(report: RunReport) -> str:
        patch, proof = report.outcome.get("patch"), report.outcome.get("proof")
        if not isinstance(patch, dict) or not isinstance(proof, dict):
            return ""
        await compared.wait()
        return comparison.table([*rows, comparison.board(Patch.of(patch), ReviewProof.of(proof))], report.verdicts)

    async with background(work):
        yield tell


def target(into: Path) -> Path:
    """Copy the installed package into a fresh folder, and give that folder. Raises UsageError: it is not installed."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise UsageError(
            f"{PACKAGE} is not installed", "the demo reviews it", "Install it with: pip install 'hustings[demo]'"
        )
    folder = into / PACKAGE
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(found.submodule_search_locations[0], folder / PACKAGE, ignore=ignored)
    return folder
