"""What `moot demo` reviews: a copy of the installed simplejson, whose tests come with it."""

import importlib.util
import shutil
from pathlib import Path

from moot.agents import Report as RunReport
from moot.protocols import UsageError

from .comparison import board, compare, table
from .messages import Patch, ReviewProof

TARGET = "moot.examples.review_board:team"
PACKAGE = "simplejson"


async def epilogue(folder: Path, report: RunReport) -> str:
    """The table of each tool alone, all in a row, and the board; empty if the run came to no patch."""
    patch, proof = report.outcome.get("patch"), report.outcome.get("proof")
    if not isinstance(patch, dict) or not isinstance(proof, dict):
        return ""
    rows = [*await compare(folder), board(Patch.of(patch), ReviewProof.of(proof))]
    return table(rows, report.verdicts)


def target(into: Path) -> Path:
    """Copy the installed package into a fresh folder, and give that folder. Raises UsageError: it is not installed."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise UsageError(
            f"{PACKAGE} is not installed", "the demo reviews it", "Install it with: pip install 'moot[demo]'"
        )
    folder = into / PACKAGE
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(found.submodule_search_locations[0], folder / PACKAGE, ignore=ignored)
    return folder
