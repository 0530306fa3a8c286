"""Reviewing: a package in its own environment as a user would review it, then judged without the board."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from hustings.agents import RunReport
from hustings.examples.review_board import Patch, ReviewProof
from hustings.examples.review_board.throwaway import build

from .judge import worse
from .packages import Package

SECONDS = 600


@dataclass(frozen=True)
class Reviewed:
    """What a review came to: its exit code, its report, its interpreter, and the tests that
    the judge sees broken."""

    package: Package
    code: int
    report: RunReport
    python: Path
    broken: tuple[str, ...]

    @property
    def proof(self) -> ReviewProof:
        """The proof of the patch."""
        return ReviewProof.of(self.report.outcome["proof"])

    @property
    def patch(self) -> Patch:
        """The patch."""
        return Patch.of(self.report.outcome["patch"])

    @property
    def good(self) -> bool:
        """True if it is proved by tests that ran, and the judge sees nothing broken."""
        return self.code == 0 and self.proof.holds and self.proof.proved > 0 and not self.broken

    @property
    def command(self) -> str:
        """The command alone."""
        return self.chosen.split("`")[1]

    @property
    def chosen(self) -> str:
        """The command, and where it is from."""
        found = re.match(r"(`[^`]*` from .*?), with", self.proof.how)
        return found[1] if found else self.proof.how


def reviewed(package: Package, scratch: Path) -> Reviewed:
    """Review a package in processes, its environment from the cache if it is there; then ask the judge.

    Raises NotFetched, NoReport, and ValueError: the review has no report."""
    folder = package.lay(scratch)
    command = [sys.executable, "-m", "hustings.agents.cli", "review", str(folder), "--install", "-o", "json"]
    ran = subprocess.run(command, cwd=scratch, stdout=subprocess.PIPE, timeout=SECONDS, check=False)
    report = RunReport.model_validate_json(ran.stdout, strict=False)
    patch = Patch.of(report.outcome["patch"])
    python = build(folder).python
    broken = worse(python, folder, patch.diff, package.tests, scratch)
    return Reviewed(package, ran.returncode, report, python, tuple(broken))
