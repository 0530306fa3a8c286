"""Proving: which proposals hold together, and whether a patch breaks anything, by the repository's own tests.

Three tiers, cheapest first: compile and import, collect the tests, run them. Everything is compared with the baseline,
so tests that failed before may still fail. What could not be proved by the end, or in time, falls. If no test passes
before, a change that compiles and imports holds, and its reason says so; the proof of the whole patch then does not
hold.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from hustings import Edit, Proposal, Trial

from .baseline import Baseline, Failures, baseline
from .bench import Bench, Overlay
from .checkout import place_in, top_of
from .edits import BadEdit, apply, digest
from .gaps import MOST_NAMED, reason
from .importing import reaching
from .messages import Counts, Patch, ReviewProof
from .moving import at_odds
from .patches import BadPatch, apply_patch
from .records import Record
from .remembered import Remembered
from .sifting import OutOfRuns, sift
from .sources import Sources, read_sources
from .suspicion import accused

MOST_RUNS = {"import": 120, "collect": 60, "tests": 20}  # checks a trial may make, by tier
WORTH_COLLECTING = 100  # tests: collecting fewer takes as long as running them
MOST_TARGETS = 100  # failing tests that are run again by themselves; beyond that all are run
LONGER = 1.5  # times the usual: what a run may take on a machine that has become busy


@dataclass(frozen=True, order=True)
class Change:
    """Proposals with the same edits: one change, proposed once or more."""

    edits: tuple[tuple[str, int, int, str, str, str], ...]
    ids: tuple[str, ...] = field(compare=False)
    proposal: Proposal = field(compare=False)


@dataclass
class Proving:
    """A repository on the bench, with its baseline. `ends`: when trial and proof are due, as time.monotonic(). `runs`:
    the last runs of all tests, by what was run; a proof of files that a trial has just run is that trial's run."""

    sources: Sources
    bench: Bench
    baseline: Baseline
    ends: float = float("inf")
    runs: Remembered[Record] = field(default_factory=lambda: Remembered[Record](1))

    @property
    def left(self) -> float:
        """The seconds until then, without those that the last run of all tests takes."""
        return self.ends - time.monotonic() - LONGER * self.baseline.seconds

    @classmethod
    def of(cls, root: Path) -> "Proving":
        """Read the folder and run its baseline, which takes as long as its tests."""
        sources, bench = read_sources(root), Bench(root)
        before = baseline(bench, sources)
        return cls(sources, bench.within(before.patience), before)

    def trial(self, proposals: Iterable[Proposal]) -> Trial:
        """Which of the proposals hold together. The same proposals give the same Trial, in any order."""
        return Sieve(self).trial(*_sorted(proposals))

    def prove(self, patch: Patch, inside: str = "") -> ReviewProof:
        """Apply the patch, whose paths are relative to `inside`, to a pristine copy and run all tests.

        Holds for the tests that passed before; names those that did not pass, and never holds if these are as many.
        """
        before, gaps = self.baseline.record.counts, self.baseline.gaps
        try:
            files = {path.removeprefix(inside): source.text for path, source in self.sources.files.items()}
            overlay = {inside + path: text for path, text in apply_patch(patch.diff, files).items()}
        except BadPatch as error:
            because = f"the patch does not apply: {error}"
            return ReviewProof(holds=False, because=because, before=before, after=Counts(), gaps=gaps)
        now = self.tests(overlay)
        lost = self.baseline.lost_imports(self.imports(overlay))
        failures = sorted({*lost, *self.baseline.new_failures(now)})
        holds, because = self.baseline.judged(now, len(failures))
        return ReviewProof(
            holds=holds,
            because=because,
            before=before,
            after=now.counts,
            new_failures=tuple(failures[:MOST_NAMED]),
            proved=self.baseline.proved(now),
            gaps=gaps,
        )

    def tests(self, overlay: Overlay) -> Record:
        """All tests on a fresh copy, unless the same files were run before."""
        texts = {**{path: source.text for path, source in self.sources.files.items()}, **overlay}
        key = digest("\n".join(f"{path} {digest(text.encode())}" for path, text in sorted(texts.items())).encode())
        return self.runs.get(key, lambda: self.baseline.run(self.bench, overlay))

    def reaching(self, overlay: Overlay) -> list[str]:
        """The tests that reach these files; none if no test is known to, or if all are."""
        files = reaching(self.sources, overlay)
        place = place_in(self.bench.root, top_of(self.bench.root))  # pytest names tests from where its settings lie
        names = {name: name.partition("::")[0].removeprefix(place) for name in self.baseline.record.outcomes}
        tests = [name for name, file in names.items() if file in files]
        return tests if len(tests) < len(self.baseline.record.outcomes) else []

    def imports(self, overlay: Overlay) -> dict[str, str]:
        """Compile and import everything that compiled and imported before."""
        return self.bench.imports(overlay, self.baseline.files, self.baseline.modules)

    def overlay(self, changes: Iterable[Change]) -> dict[str, str]:
        """The files after these changes. Raises BadEdit if they do not fit together."""
        by_file: dict[str, list[Edit]] = {}
        for change in changes:
            for edit in change.proposal.edits:
                by_file.setdefault(edit.resource, []).append(edit)
        return {path: self._edited(path, edits) for path, edits in by_file.items()}

    def _edited(self, path: str, edits: list[Edit]) -> str:
        if path not in self.sources.files:
            raise BadEdit(f"{path} is not a file of this repository that can be edited")
        return apply(self.sources.files[path].text, edits)


class Sieve:
    """One trial: remembers its checks and what fell, and counts its runs."""

    def __init__(self, proving: Proving) -> None:
        self._on = proving
        self._seen: dict[tuple[object, ...], Failures] = {}
        self._runs = dict.fromkeys(MOST_RUNS, 0)
        self._falls: dict[str, str] = {}
        self._proved: list[Change] = []

    def trial(self, keeps: Iterable[str], changes: Sequence[Change]) -> Trial:
        """Sift through the tiers; what is in no proved set at the end falls."""
        because = ""
        try:
            self._through_tiers(self._fitting(changes))
        except OutOfRuns as error:
            because = str(error)
        holds = {*keeps, *_ids(self._proved)}
        unproved = dict.fromkeys(_ids(changes), f"left unproved: {because}")
        falls = {name: why for name, why in {**unproved, **self._falls}.items() if name not in holds}
        return Trial(
            holds=tuple(sorted(holds)),
            falls=dict(sorted(falls.items())),
            proof={"runs": dict(self._runs), "baseline": self._on.baseline.record.counts.model_dump()},
            because=because or self._because(len(changes)),
        )

    def _because(self, asked: int) -> str:
        if not self._on.baseline.hole:
            return f"{len(self._proved)} of {asked} changes stand together without a new failure{self._on.baseline.but}"
        stand = f"{len(self._proved)} of {asked} changes compile and import together"
        return f"{stand}; unproved, for {self._on.baseline.hole}"

    def _fitting(self, changes: Sequence[Change]) -> list[Change]:
        """The changes without those that are stale, overlap an earlier change, or move the same line elsewhere."""
        fitting: list[Change] = []
        for change in changes:
            files = {edit.resource for edit in change.proposal.edits}
            near = [other for other in fitting if files & {edit.resource for edit in other.proposal.edits}]
            if why := self._misfit([*near, change]):
                self._fell(change, f"does not fit: {why}")
            else:
                fitting.append(change)
        return fitting

    def _misfit(self, changes: Sequence[Change]) -> str:
        try:
            self._on.overlay(changes)
        except BadEdit as error:
            return str(error)
        line = at_odds([change.proposal.edits for change in changes])
        return f"another change moves the same line elsewhere: {line}" if line else ""

    def _through_tiers(self, changes: list[Change]) -> None:
        many = len(self._on.baseline.record.collected) >= WORTH_COLLECTING
        for tier in (self._imports, self._collect) if many else (self._imports,):
            changes = self._sifted(changes, tier)
        while not self._on.baseline.hole and (failures := self._tests(changes)):
            only = sorted(failures) if len(failures) <= MOST_TARGETS else []
            left = self._sifted(changes, partial(self._tests, only=only))
            if len(left) == len(changes):  # those tests pass alone: only the other changes break them
                left = self._sifted(changes, self._tests)
            changes = left
        self._proved = changes

    def _sifted(self, changes: list[Change], check: Callable[[Sequence[Change]], Failures]) -> list[Change]:
        kept, guilty = sift([], changes, check, _accuse)
        for change, failures in guilty:
            name, why = next(iter(failures.items()))
            more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
            self._fell(change, f"breaks {name}{more}: {reason(why)}")
        return kept

    def _fell(self, change: Change, why: str) -> None:
        self._falls.update(dict.fromkeys(change.ids, why))

    def _imports(self, changes: Sequence[Change]) -> Failures:
        on = self._on
        return self._once("import", changes, (), lambda overlay: on.baseline.lost_imports(on.imports(overlay)))

    def _collect(self, changes: Sequence[Change]) -> Failures:
        on = self._on
        return self._once("collect", changes, (), lambda overlay: on.baseline.lost_tests(on.bench.collect(overlay)))

    def _tests(self, changes: Sequence[Change], only: Sequence[str] = ()) -> Failures:
        """Run the named tests, or all; if there is no time for all, those that reach the changes."""
        on = self._on
        if not only and on.left < on.baseline.seconds:
            only = on.reaching(on.overlay(changes))

        def check(overlay: Overlay) -> Failures:
            if on.left <= 0:
                raise OutOfRuns("the time for trials is up")
            record = on.baseline.run(on.bench, overlay, only) if only else on.tests(overlay)
            return on.baseline.new_failures(record, only)

        failures = self._once("tests", changes, only, check)
        if not failures:
            self._proved = list(changes)
        return failures

    def _once(
        self, tier: str, changes: Sequence[Change], only: Sequence[str], check: Callable[[Overlay], Failures]
    ) -> Failures:
        overlay = self._on.overlay(changes)
        key = (tier, *only, *sorted(overlay.items()))
        if overlay and key not in self._seen:
            if self._runs[tier] == MOST_RUNS[tier]:
                raise OutOfRuns(f"the limit of {MOST_RUNS[tier]} {tier} runs was reached")
            self._runs[tier] += 1
            self._seen[key] = check(overlay)
        return self._seen.get(key, {})


def _accuse(changes: Sequence[Change], failures: Failures) -> list[int]:
    return accused([change.proposal for change in changes], failures)


def _sorted(proposals: Iterable[Proposal]) -> tuple[list[str], list[Change]]:
    """The ids of the proposals that keep, and the others by content, equal ones joined."""
    keeps: list[str] = []
    same: dict[tuple[tuple[str, int, int, str, str, str], ...], list[Proposal]] = {}
    for proposal in sorted(proposals, key=lambda item: item.id):
        if proposal.keeps:
            keeps.append(proposal.id)
        else:
            same.setdefault(_content(proposal), []).append(proposal)
    return keeps, [Change(edits, tuple(item.id for item in items), items[0]) for edits, items in sorted(same.items())]


def _content(proposal: Proposal) -> tuple[tuple[str, int, int, str, str, str], ...]:
    return tuple(
        sorted((edit.resource, edit.start, edit.end, edit.text, edit.was, edit.base) for edit in proposal.edits)
    )


def _ids(changes: Iterable[Change]) -> list[str]:
    return [name for change in changes for name in change.ids]
