"""`make acceptance`: the board reviews real packages in full; not one may have a new failure. Prints a Markdown table.

`python -m tests.acceptance [--cache FOLDER] [--without-tools] [NAME...]`; ends with 1 if a package is worse off.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import anyio

from hustings.agents import RunReport
from hustings.examples.review_board import Counts, Patch, ReviewProof, compare
from hustings.protocols import Proposal

from .packages import PACKAGES, Package

TARGET = "hustings.examples.review_board:team"
HEAD = ("package", "tests before", "tests after", "proposals", "overlap", "conflicts", "fell by proof", "changed lines")
MORE = ("seconds", "red alone")


@dataclass(frozen=True)
class Reviewed:
    """What a review came to. `alone`: the tools that by themselves break the tests."""

    package: Package
    report: RunReport
    alone: tuple[str, ...]

    @property
    def proof(self) -> ReviewProof:
        """The proof of the patch."""
        return ReviewProof.of(self.report.outcome["proof"])

    def cells(self) -> list[str]:
        """One row of the table."""
        report, proof = self.report, self.proof
        changes = [v for v in report.verdicts if v.kind not in ("claim", "contradiction")]
        said = [len(v.falls) + sum(isinstance(item, Proposal) for item in v.stands) for v in changes]
        return [
            f"{self.package.name} {self.package.version} ({self.package.why})",
            counted(proof.before),
            counted(proof.after) if proof.holds else f"**{proof.because}**",
            str(sum(said)),
            str(sum(count for count in said if count > 1)),
            str(sum(verdict.contested for verdict in report.verdicts)),
            str(sum(verdict.rule == "verified" for verdict in report.verdicts)),
            str(changed_lines(Patch.of(report.outcome["patch"]))),
            f"{report.seconds:.0f}",
            ", ".join(self.alone),
        ]


def counted(counts: Counts) -> str:
    """Only what there is of."""
    words = {"passed": counts.passed, "failed": counts.failed, "errors": counts.errors}
    return ", ".join(f"{count} {word}" for word, count in words.items() if count) or "none"


def changed_lines(patch: Patch) -> int:
    """The lines that are taken away or put in, whichever are more."""
    lines = patch.diff.splitlines()
    signs = [line[0] for line in lines if line[:1] in ("+", "-") and not line.startswith(("+++ ", "--- "))]
    return max(signs.count("+"), signs.count("-"))


def review(package: Package, folder: Path, tools: bool) -> Reviewed:
    """Review a package as a user would, in processes; then try each tool alone."""
    with tempfile.TemporaryDirectory(prefix="hustings-acceptance-") as scratch:
        copy = shutil.copytree(folder, Path(scratch) / package.name)
        command = [sys.executable, "-m", "hustings.agents.cli", "run", TARGET, "--repository", str(copy), "-o", "json"]
        ran = subprocess.run(command, cwd=scratch, stdout=subprocess.PIPE, check=False)
        report = RunReport.model_validate_json(ran.stdout, strict=False)
        rows = anyio.run(compare, copy) if tools else []
    return Reviewed(package, report, tuple(row.name for row in rows if row.red))


def main() -> int:
    """Fetch, review, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.acceptance", description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "hustings-acceptance")
    parser.add_argument("--without-tools", action="store_true", help="do not try each tool alone")
    parser.add_argument("names", nargs="*", metavar="NAME")
    given = parser.parse_args()
    given.cache.mkdir(parents=True, exist_ok=True)
    print(f"| {' | '.join((*HEAD, *MORE))} |\n|{'---|' * len((*HEAD, *MORE))}", flush=True)
    worse = []
    for package in PACKAGES:
        if not given.names or package.name in given.names:
            came = review(package, package.fetch(given.cache), not given.without_tools)
            print(f"| {' | '.join(came.cells())} |", flush=True)
            worse += [] if came.proof.holds else [package.name]
    print(json.dumps({"worse": worse}), file=sys.stderr)
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
