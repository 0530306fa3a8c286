"""Tools: find and call the command-line tools."""

import sys
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path

from hustings import NonRetryableError
from hustings.agents import Completed, Limits, run_contained, scrubbed


class ToolFailed(NonRetryableError):
    """A tool cannot work on this repository: its settings, or its code, are more than the tool can take."""


LIMITS = Limits(seconds=120.0)


def call(tool: str, arguments: Sequence[str], root: Path, ends: Collection[int | None] = (0,)) -> str:
    """The tool's output, run in `root`.

    Raises ToolFailed if it takes more than two minutes, or ends with a code not in `ends`; NonRetryableError if it is
    not installed.
    """
    with tempfile.TemporaryDirectory(prefix="hustings-tool-") as home:
        # read everything: mypy asks the repository's own interpreter, wherever it is
        ran = run_contained([find(tool), *arguments], root, scrubbed(Path(home)), LIMITS, readable=None)
    if ran.code not in ends:
        raise ToolFailed(f"{tool} cannot work on this repository", _why(ran))
    return ran.out


def ask(python: str, arguments: Sequence[str]) -> str:
    """What an interpreter of the repository prints. Raises ToolFailed if it fails."""
    with tempfile.TemporaryDirectory(prefix="hustings-tool-") as home:
        ran = run_contained([python, *arguments], Path(home), scrubbed(Path(home)), LIMITS, readable=None)
    if ran.code != 0:
        raise ToolFailed(f"{python} cannot say what it has", _why(ran))
    return ran.out


def find(tool: str) -> str:
    """The console script beside this interpreter, where pip puts it. Raises NonRetryableError with what to install."""
    script = Path(sys.executable).with_name(tool)
    if not script.exists():
        raise NonRetryableError(f"{tool} is not installed", f"install it beside the specialist: pip install {tool}")
    return str(script)


def _why(ran: Completed) -> str:
    if ran.code is None:
        return f"it was not done after {LIMITS.seconds:.0f} s"
    lines = (ran.err or ran.out).strip().splitlines()
    return f"it ended with {ran.code}: {lines[-1] if lines else 'no message'}"
