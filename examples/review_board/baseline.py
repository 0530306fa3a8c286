"""Baseline: what works before anything is changed. Only what worked can be broken."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .bench import Bench, Outcome, Record
from .edits import digest
from .modules import dotted
from .sources import Sources

Failures = Mapping[str, str]  # what works no longer -> why
NOT_IMPORTED = {"setup", "conftest", "noxfile", "tasks", "fabfile"}  # scripts that act when imported


@dataclass(frozen=True)
class Baseline:
    """The files that compile, the modules that import, and the tests with their outcomes; how long those take."""

    files: tuple[str, ...]
    modules: tuple[str, ...]
    record: Record
    seconds: float = 0.0

    @property
    def patience(self) -> float:
        """The seconds after which a run of these tests hangs: ten times what they take, half a minute at least."""
        return max(30.0, 10 * self.seconds)

    @property
    def proves(self) -> bool:
        """True if at least one test passes: without, nothing can be shown to be unbroken."""
        return self.record.complete and self.record.counts.passed > 0

    def lost_imports(self, now: Mapping[str, str]) -> Failures:
        """What compiled or imported before and does not now."""
        return {name: now[name] for name in (*self.files, *self.modules) if now[name]}

    def lost_tests(self, now: Record) -> Failures:
        """The tests that are not found any more; where a module cannot be collected, that module and why."""
        errors = {name: seen.why for name, seen in now.outcomes.items() if seen.red and not self._was_red(name)}
        missing = dict.fromkeys(sorted(self.record.collected - now.collected), "the test is not found any more")
        return errors or missing

    def new_failures(self, now: Record, only: Sequence[str] = ()) -> Failures:
        """The tests that passed and do not, that were skipped and fail, or that fail and were not there before."""
        asked = set(only)
        names = asked or set(self.record.outcomes) | set(now.outcomes)
        found = {name: self._worse(name, now.outcomes.get(name)) for name in sorted(names)}
        return {name: why for name, why in found.items() if why}

    def _worse(self, name: str, now: Outcome | None) -> str:
        before = self.record.outcomes.get(name)
        if before and before.red:
            return ""
        if now is None:
            return "the test did not come to an end"
        if before and before.kind == "passed" and now.kind == "skipped":
            return f"passed before and is skipped now: {now.why}"
        return (now.why or now.kind) if now.red else ""

    def _was_red(self, name: str) -> bool:
        before = self.record.outcomes.get(name)
        return before is not None and before.red


def baseline(bench: Bench, sources: Sources) -> Baseline:
    """Run everything once on the folder as it is."""
    files = sorted(sources.files)
    modules = sorted({dotted(path) for path in files if _importable(path, sources)})
    works = bench.imports({}, files, modules)
    began = time.monotonic()
    record = bench.tests({})
    return Baseline(
        files=tuple(name for name in files if not works[name]),
        modules=tuple(name for name in modules if not works[name]),
        record=record,
        seconds=time.monotonic() - began,
    )


def tree_digest(root: Path) -> str:
    """One digest for the names and bytes of all files, whatever their times."""
    found = sorted(path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    lines = [f"{path.relative_to(root).as_posix()} {digest(path.read_bytes())}" for path in found]
    return digest("\n".join(lines).encode())


def _importable(path: str, sources: Sources) -> bool:
    parts = path.removeprefix("src/").split("/")
    names = [part.removesuffix(".py") for part in parts]
    if names[-1] in ("__main__", *NOT_IMPORTED) or not all(name.isidentifier() for name in names):
        return False
    prefix = path[: len(path) - len("/".join(parts))]
    folders = ["/".join(parts[:depth]) for depth in range(1, len(parts))]
    return all(f"{prefix}{folder}/__init__.py" in sources.files for folder in folders)
