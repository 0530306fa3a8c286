"""Baseline: what works before any change. Only what worked can be broken."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from .bench import Bench, Outcome, Record
from .edits import digest
from .gaps import Missing, counted, gathered, reason, told
from .messages import Gap, GapKind
from .modules import dotted
from .sources import Sources, is_test

Failures = Mapping[str, str]  # what no longer works -> why
NOT_IMPORTED = {"setup", "conftest", "noxfile", "tasks", "fabfile"}  # scripts that act when imported


@dataclass(frozen=True)
class Baseline:
    """The files that compile, the modules that import, and the tests with their outcomes and duration. `lost`: the
    modules that cannot be imported, and why; the record has this for test modules."""

    files: tuple[str, ...]
    modules: tuple[str, ...]
    record: Record
    seconds: float = 0.0
    lost: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def patience(self) -> float:
        """The seconds after which a run of these tests counts as hanging: ten times its usual time, at least 30."""
        return max(30.0, 10 * self.seconds)

    @cached_property
    def hole(self) -> str:
        """Why nothing can be proved; empty if something can."""
        if self.record.stopped:
            return f"the tests do not come to an end before the patch: {self.record.stopped}{self._so_far}"
        if not self.record.outcomes:
            return "the repository has no tests"
        return "" if self.record.counts.passed else f"no test passes before the patch; {told(self.gaps)}"

    @property
    def _so_far(self) -> str:
        passed = self.record.counts.passed
        return f", of which {passed} passed" if passed else ""

    @cached_property
    def gaps(self) -> tuple[Gap, ...]:
        """What did not pass, and what cannot be imported: no proof covers any of it."""
        return gathered(self._missing())

    def _missing(self) -> Iterator[Missing]:
        for name, seen in self.record.outcomes.items():
            if seen.kind != "passed":
                yield Missing(_kind(seen), reason(seen.why), name)
        for name, why in self.lost.items():
            yield Missing("cannot be imported", reason(why), name)

    @cached_property
    def thin(self) -> bool:
        """True if most of the tests do not pass, or if as many files cannot be collected as have passing tests, because
        nobody knows how many tests those files have."""
        passed = _passing(self.record)
        closed = {name for name in self.record.outcomes if name == _file(name)} - self.record.collected
        return 2 * len(passed) <= len(self.record.outcomes) or len(set(map(_file, passed))) <= len(closed)

    def judged(self, now: Record, failures: int) -> tuple[bool, str]:
        """Whether everything that worked before works in this record, and the reason."""
        passing, but = self.proved(now), self.but
        if self.hole:
            return False, f"{self.hole}; so nothing is proved"
        if not now.complete:
            return False, f"the tests do not come to an end with the patch: {now.stopped}"
        if failures:
            return False, counted(failures, "new failure") + but
        if self.thin:
            return False, f"only {counted(passing, 'test')} passed before and after, which is not most of them{but}"
        return True, f"for {'' if but else 'all '}{counted(passing, 'test')}{but}"

    @property
    def but(self) -> str:
        """The gaps, as text to append to a claim."""
        return f"; {told(self.gaps)}" if self.gaps else ""

    def proved(self, now: Record) -> int:
        """How many tests passed before and pass now."""
        return len(_passing(self.record) & _passing(now))

    def lost_imports(self, now: Mapping[str, str]) -> Failures:
        """What compiled or imported before and no longer does."""
        return {name: now[name] for name in (*self.files, *self.modules) if now[name]}

    def lost_tests(self, now: Record) -> Failures:
        """The tests that are not found any more; for a module that cannot be collected, the module and the reason."""
        errors = {name: seen.why for name, seen in now.outcomes.items() if seen.red and not self._was_red(name)}
        return errors or {name: _absent(name, now) for name in sorted(self.record.collected - now.collected)}

    def new_failures(self, now: Record, only: Sequence[str] = ()) -> Failures:
        """The tests that passed and do not, that ran and cannot, that are not found any more, or that fail and did not
        run or were not there before."""
        asked = set(only)
        names = asked or set(self.record.outcomes) | set(now.outcomes)
        found = {name: self._worse(name, now) for name in sorted(names)}
        return {name: why for name, why in found.items() if why}

    def _worse(self, name: str, record: Record) -> str:
        before, now = self.record.outcomes.get(name, Outcome("skipped")), record.outcomes.get(name)
        if now is None:
            return _absent(name, record) if name in self.record.collected else ""
        if before.ran and not now.ran:
            return f"ran before and cannot run now: {now.why or now.kind}"
        if before.red or now.kind == "passed":
            return ""
        return (now.why or now.kind) if now.red or before.kind == "passed" else ""

    def _was_red(self, name: str) -> bool:
        before = self.record.outcomes.get(name)
        return before is not None and before.red


def baseline(bench: Bench, sources: Sources) -> Baseline:
    """Run everything once on the folder as it is."""
    files = sorted(sources.files)
    modules = sorted({dotted(path) for path in files if _importable(path, sources)})
    tests = {dotted(path) for path in files if is_test(path)}
    works = bench.imports({}, files, modules)
    began = time.monotonic()
    record = bench.tests({})
    return Baseline(
        files=tuple(name for name in files if not works[name]),
        modules=tuple(name for name in modules if not works[name]),
        record=record,
        seconds=time.monotonic() - began,
        lost={name: works[name] for name in modules if works[name] and name not in tests},
    )


def _kind(seen: Outcome) -> GapKind:
    if not seen.ran:
        return "could not run"
    return "failed already" if seen.red else "fail as expected"


def _passing(record: Record) -> set[str]:
    return {name for name, seen in record.outcomes.items() if seen.kind == "passed"}


def _file(name: str) -> str:
    return name.partition("::")[0]


def _absent(name: str, record: Record) -> str:
    """Why the record has nothing about a test: the outcome of its module if there is one."""
    module = record.outcomes.get(_file(name))
    return (module.why if module else record.stopped) or "the test is not found any more"


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
