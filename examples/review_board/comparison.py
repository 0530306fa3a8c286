"""Comparison: the test results with each tool alone, with all in a row, and with the board's patch."""

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio
from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from pydantic import TypeAdapter

from hustings import NonRetryableError, Proposal, Verdict

from .baseline import Baseline, baseline
from .bench import Bench
from .edits import hunks
from .fixers import bold_fixes, ruff_fixes
from .formatting import format_all
from .messages import Counts, Patch, ReviewProof
from .rewriters import autoflake_fixes, flynt_fixes, isort_fixes, pyupgrade_fixes
from .sources import Sources, paths, read_sources
from .spelling import spelling_fixes
from .suite import Suite

Tool = Callable[[Path], object]
CHAIN: Mapping[str, Tool] = {
    "ruff": partial(ruff_fixes, bold=True),
    "autoflake": partial(autoflake_fixes, bold=True),
    "pyupgrade": partial(pyupgrade_fixes, bold=True),
    "flynt": partial(flynt_fixes, bold=True),
    "isort": partial(isort_fixes, bold=True),
    "codespell": spelling_fixes,
    "formatter": format_all,
}
ALONE: Mapping[str, Tool] = {**CHAIN, "ruff_bold": bold_fixes}
BEFORE, ROW, BOARD = "before", "all in a row", "the board"
AT_ONCE = 2  # test runs


@dataclass(frozen=True)
class Row:
    """The result of one way of fixing. `fails` counts new failures; -1: not known, `because` has the reason.

    "green" speaks of the tests that ran; the column `unrun` counts the others.
    """

    name: str
    edits: int
    counts: Counts
    fails: int
    because: str = ""

    @property
    def red(self) -> bool:
        """True if something fails that did not before."""
        return self.fails != 0


ROWS = TypeAdapter(list[Row])


async def compare(root: Path, at_once: int = AT_ONCE, suite: Suite | None = None) -> list[Row]:
    """Run each tool on a copy of the folder, then its tests; first the tests without any tool.

    Takes a test run for each tool and two more, so many at once. If cancelled, its processes are killed.
    """
    limiter = CapacityLimiter(at_once)
    bench = Bench(root, suite=suite)
    base = await run_sync(baseline, bench, read_sources(root))
    sources = read_sources(root)
    ways: dict[str, Sequence[Tool]] = {**{name: [tool] for name, tool in ALONE.items()}, ROW: list(CHAIN.values())}
    rows: dict[str, Row] = {}

    async def go(name: str, tools: Sequence[Tool]) -> None:
        rows[name] = await run_sync(partial(_tried, bench, sources, base, name, tools), limiter=limiter)

    async with anyio.create_task_group() as group:
        for name, tools in ways.items():
            group.start_soon(go, name, tools)
    return [Row(BEFORE, 0, base.record.counts, 0), *(rows[name] for name in ways)]


def board(patch: Patch, proof: ReviewProof) -> Row:
    """The row of the board's own patch and proof."""
    return Row(BOARD, patch.edits, proof.after, len(proof.new_failures) or (0 if proof.holds else -1), proof.because)


def table(rows: Sequence[Row], verdicts: Sequence[Verdict] = ()) -> str:
    """The rows as text; with verdicts also how many of each tool's proposals the board let stand."""
    accepted = _accepted(verdicts)
    width = max(len(row.name) for row in rows)
    return "\n".join(
        [
            "EACH TOOL ALONE, ALL IN A ROW, THE BOARD",
            f"  {'':<{width}}  edits   passed failed errors  unrun           let stand",
            *(_line(row, width, accepted.get(row.name)) for row in rows),
        ]
    )


def _line(row: Row, width: int, accepted: tuple[int, int] | None) -> str:
    edits = "" if row.name == BEFORE else str(row.edits)
    counts = row.counts
    colour = "" if row.name == BEFORE else "RED" if row.fails > 0 else "green" if not row.fails else "?"
    unrun = counts.skipped + counts.unreached
    tests = f"{counts.passed:6} {counts.failed:6} {counts.errors:6} {unrun:6}   {colour:<5}"
    share = f"    {accepted[0]:4} of {accepted[1]}" if accepted else ""
    why = f"    {row.because}" if row.fails < 0 else ""
    return f"  {row.name:<{width}}  {edits:>5}   {tests}{share}{why}".rstrip()


def _accepted(verdicts: Sequence[Verdict]) -> dict[str, tuple[int, int]]:
    """Of each agent's proposals: how many stand, and how many there were. Kept lines are not counted."""
    stands: dict[str, int] = {}
    said: dict[str, int] = {}
    for verdict in verdicts:
        if verdict.kind not in ("claim", "contradiction"):
            for item in verdict.stands:
                if isinstance(item, Proposal):
                    stands[item.by] = stands.get(item.by, 0) + 1
                    said[item.by] = said.get(item.by, 0) + 1
            for dissent in verdict.dissent:
                said[dissent.by] = said.get(dissent.by, 0) + 1
    return {name: (stands.get(name, 0), count) for name, count in said.items()}


def _tried(bench: Bench, sources: Sources, base: Baseline, name: str, tools: Sequence[Tool]) -> Row:
    try:
        texts = _worked_on(bench.root, tools)
    except NonRetryableError as error:
        return Row(name, 0, Counts(), -1, str(error))
    changed = {path: texts[path] for path, source in sources.files.items() if texts[path] != source.text}
    edits = sum(len(hunks(path, sources.files[path].text, text)) for path, text in changed.items())
    now = base.run(bench.within(base.patience), changed)
    fails = len(base.new_failures(now))
    holds, because = base.judged(now, fails)
    return Row(name, edits, now.counts, fails or (0 if holds else -1), because)


def _worked_on(root: Path, tools: Sequence[Tool]) -> dict[str, str]:
    """The files as the tools leave them, one after the other."""
    with tempfile.TemporaryDirectory(prefix="hustings-alone-", ignore_cleanup_errors=True) as scratch:
        copy = shutil.copytree(root, Path(scratch) / root.name, symlinks=True, ignore=_pycache)
        for tool in tools:
            tool(copy)
        return dict(_texts(copy))


_pycache = shutil.ignore_patterns("__pycache__", ".git")


def _texts(root: Path) -> Iterator[tuple[str, str]]:
    for path in paths(root):
        yield path.relative_to(root).as_posix(), path.read_bytes().decode(errors="surrogateescape")


def main() -> None:
    """Compare the folder that is named on the command line and write the rows as JSON, at a low priority.

    ^C at the terminal ends it without a word: the command that started it says what is cancelled.
    """
    os.nice(10)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        sys.stdout.buffer.write(ROWS.dump_json(anyio.run(compare, Path(sys.argv[1]))))
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
