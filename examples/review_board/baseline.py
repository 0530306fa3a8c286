"""Baseline: what works before any change. Only what worked can be broken."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from .bench import Bench, Overlay
from .edits import digest
from .gaps import Missing, counted, gathered, reason, told
from .messages import Gap, GapKind
from .modules import dotted
from .records import DESELECTED, LATE, UNREACHED, Outcome, Record
from .sources import Sources, is_test

Failures = Mapping[str, str]  # what no longer works -> why
NOT_IMPORTED = {"setup", "conftest", "noxfile", "tasks", "fabfile"}  # scripts that act when imported
NO_MODULES = {"docs", "doc", "examples", "benchmarks", "scripts"}  # folders of such scripts
UNSTEADY, STOPPER, SLOW = (
    "unsteady",
    "stopper",
    "slow",
)  # tests that are set aside, beside those that are not reached in time
ASIDE: Mapping[str, GapKind] = {
    UNSTEADY: "passed only sometimes",
    STOPPER: "stopped the run",
    SLOW: "took too long",
    LATE: "not reached",
}
MOST_STOPPERS = 3
LIMIT = "the limit for one test"  # what the recorders say of a test that was not done in time
MOST_UNSTEADY = 0.1  # of the tests that passed; more, and the suite was not made for another order
SHARE_FOR_THE_FIRST = 0.6  # of the limit of a run: a later one may be slower
SHARE_FOR_A_SECOND = 0.4  # of the limit of a run: where it takes longer, it is not done twice


@dataclass(frozen=True)
class Baseline:
    """The files that compile, the modules that import, and the tests with their outcomes and duration. `lost`: the
    modules that cannot be imported, and why; the record has this for test modules.

    Tests are set aside that passed only sometimes, that stopped the run, or that were not reached in time.
    """

    files: tuple[str, ...]
    modules: tuple[str, ...]
    record: Record
    seconds: float = 0.0
    lost: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def patience(self) -> float:
        """The seconds after which a run of these tests counts as hanging: ten times its usual time, at least 30."""
        return max(30.0, 10 * self.seconds)

    def run(self, bench: Bench, overlay: Overlay, only: Sequence[str] = ()) -> Record:
        """Run the tests with these ids, or all, without those that cannot be run in time or stop the run."""
        return bench.tests(overlay, only or self._reached, (*self._of_kind(STOPPER), *self._of_kind(SLOW)))

    @cached_property
    def _reached(self) -> tuple[str, ...]:
        """The tests that were reached, if not all were."""
        late = self._of_kind(LATE)
        return tuple(sorted(self.record.outcomes.keys() - {*late})) if late else ()

    def _of_kind(self, kind: str) -> tuple[str, ...]:
        return tuple(name for name, seen in self.record.outcomes.items() if seen.kind == kind)

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
        """True if most of the tests that the repository itself selects do not pass, or if as many files cannot be
        collected as have passing tests, because nobody knows how many tests those files have."""
        passed = _passing(self.record)
        meant = self.record.outcomes.keys() - {*self._of_kind(DESELECTED)}
        closed = {name for name in meant if name == _file(name)} - self.record.collected
        return 2 * len(passed) <= len(meant) or len(set(map(_file, passed))) <= len(closed)

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
        if before.kind in ASIDE:
            return ""
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
    """Run everything on the folder as it is; the tests a second time, the last module first, if there is time."""
    files = sorted(sources.files)
    modules = sorted({dotted(path) for path in files if _importable(path, sources)})
    tests = {dotted(path) for path in files if is_test(path)}
    works = bench.imports({}, files, modules)
    record, seconds = _steady(bench)
    return Baseline(
        files=tuple(name for name in files if not works[name]),
        modules=tuple(name for name in modules if not works[name]),
        record=record,
        seconds=seconds,
        lost={name: works[name] for name in modules if works[name] and name not in tests},
    )


def _steady(bench: Bench) -> tuple[Record, float]:
    """The record of the tests, with those set aside that do not pass each time; and the seconds of one run."""
    first, aside, seconds = _complete(bench.within(SHARE_FOR_THE_FIRST * bench.limits.seconds))
    slow = {name: Outcome(SLOW, seen.why) for name, seen in first.outcomes.items() if seen.red and LIMIT in seen.why}
    aside = {**aside, **slow}
    record = first.having(aside)
    if first.late and first.counts.passed:
        return record.accepted(), seconds
    if not first.complete or seconds > SHARE_FOR_A_SECOND * bench.limits.seconds:
        return record, seconds
    for backwards in (True, False):
        again = bench.tests({}, without=[*aside], backwards=backwards)
        unsteady = _differing(record, again, "with the last module first" if backwards else "in a second run")
        if len(unsteady) <= MOST_UNSTEADY * first.counts.passed:
            break
    return record.having(unsteady), seconds


def _complete(bench: Bench) -> tuple[Record, dict[str, Outcome], float]:
    """A run without the tests that stop it; those tests, and the seconds that the run took."""
    stoppers: dict[str, Outcome] = {}
    while True:
        began = time.monotonic()
        record = bench.tests({}, without=[*stoppers])
        seconds = time.monotonic() - began
        if record.running and len(stoppers) < MOST_STOPPERS:
            stoppers[record.running] = Outcome(STOPPER, record.stopped)
        if record.late or not record.running or len(stoppers) == MOST_STOPPERS:
            return record, stoppers, seconds


def _differing(first: Record, again: Record, how: str) -> dict[str, Outcome]:
    """The tests that passed once."""
    missing = Outcome(UNREACHED, again.stopped or "not found")
    pairs = ((name, seen, again.outcomes.get(name, missing)) for name, seen in first.outcomes.items())
    return {
        name: Outcome(
            UNSTEADY, f"{how} it {'passes' if now.kind == 'passed' else 'fails'}: {reason(now.why or seen.why)}"
        )
        for name, seen, now in pairs
        if seen.kind not in ASIDE and (seen.kind == "passed") != (now.kind == "passed")
    }


def _kind(seen: Outcome) -> GapKind:
    if seen.kind in ASIDE:
        return ASIDE[seen.kind]
    if seen.kind == DESELECTED:
        return "left out by the repository"
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
    return digest(os.fsencode("\n".join(lines)))


def _importable(path: str, sources: Sources) -> bool:
    parts = path.removeprefix("src/").split("/")
    names = [part.removesuffix(".py") for part in parts]
    if (
        names[0] in NO_MODULES
        or names[-1] in ("__main__", *NOT_IMPORTED)
        or not all(name.isidentifier() for name in names)
    ):
        return False
    prefix = path[: len(path) - len("/".join(parts))]
    folders = ["/".join(parts[:depth]) for depth in range(1, len(parts))]
    return all(f"{prefix}{folder}/__init__.py" in sources.files for folder in folders)
