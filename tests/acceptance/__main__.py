"""`make acceptance`: the board reviews packages that nobody here wrote; not one may have a new failure. Prints a table.

`python -m tests.acceptance [--tools] [--patches FOLDER] [NAME...]`; ends with 1 if one is not proved, or worse off.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import anyio

from hustings.examples.review_board import Counts, compare
from hustings.examples.review_board.suite import Suite

from .packages import packages
from .reviewing import Reviewed, reviewed

HEAD = (
    *("package", "shape", "tests run by", "before", "after", "proved", "edits", "changed lines", "fell by proof"),
    "seconds",
)
ALONE = "red by each tool alone"


def cells(came: Reviewed) -> list[str]:
    """One row of the table."""
    proof, verdicts = came.proof, came.report.verdicts
    return [
        came.package.name,
        came.package.shape,
        came.chosen,
        counted(proof.before),
        counted(proof.after),
        str(proof.proved) if came.good else f"**{proof.because or came.broken}**",
        str(came.patch.edits),
        str(changed_lines(came.patch.diff)),
        str(sum(verdict.rule == "verified" for verdict in verdicts)),
        f"{came.report.seconds:.0f}",
    ]


def counted(counts: Counts) -> str:
    """Only what there is of."""
    words = {"passed": counts.passed, "failed": counts.failed, "errors": counts.errors, "skipped": counts.skipped}
    return ", ".join(f"{count} {word}" for word, count in words.items() if count) or "none"


def changed_lines(diff: str) -> int:
    """The lines that are taken away or put in, whichever are more."""
    signs = [line[0] for line in diff.splitlines() if line[:1] in ("+", "-") and not line.startswith(("+++ ", "--- "))]
    return max(signs.count("+"), signs.count("-"))


async def red_alone(came: Reviewed, scratch: Path) -> list[str]:
    """The tools that by themselves break the tests."""
    suite = Suite(str(came.python), came.command)
    return [row.name for row in await compare(came.package.lay(scratch / "alone"), suite=suite) if row.red]


def main() -> int:
    """Fetch, review, judge, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.acceptance", description=__doc__)
    parser.add_argument(
        "--tools", action="store_true", help="also try each tool alone, which takes ten runs of the tests"
    )
    parser.add_argument("--patches", type=Path, metavar="FOLDER", help="keep the patches there")
    parser.add_argument("names", nargs="*", metavar="NAME")
    given = parser.parse_args()
    head = [*HEAD, *([ALONE] if given.tools else [])]
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}", flush=True)
    bad: dict[str, object] = {}
    for package in packages():
        if not given.names or any(package.name.startswith(name) for name in given.names):
            with tempfile.TemporaryDirectory(prefix="hustings-acceptance-", ignore_cleanup_errors=True) as scratch:
                came = reviewed(package, Path(scratch))
                alone = anyio.run(red_alone, came, Path(scratch)) if given.tools else []
            print(f"| {' | '.join([*cells(came), *([', '.join(alone)] if given.tools else [])])} |", flush=True)
            if given.patches:
                given.patches.mkdir(parents=True, exist_ok=True)
                (given.patches / f"{package.releases[0].name}.patch").write_bytes(came.patch.diff.encode())
            if not came.good:
                bad[package.name] = {"exit code": came.code, "because": came.proof.because, "broken": came.broken}
    print(json.dumps(bad), file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
