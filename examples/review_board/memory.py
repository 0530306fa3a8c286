"""Memory: results that a prover's process can use again. Bounded; losing them costs only time."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from hustings import Proposal, Trial
from hustings.agents import Limits

from .baseline import Baseline, baseline, tree_digest
from .bench import Bench
from .checkout import place_in, top_of
from .edits import digest
from .messages import Draft
from .proving import Proving
from .records import Record
from .remembered import Remembered
from .sources import read_sources
from .suite import Suite
from .writing import overwrite

RUNS = 2  # of all tests, kept for each repository: the proof repeats the last trial's
SHARE = 0.5  # of all the time, for one run of the tests


class Terms(NamedTuple):
    """How tests are run, and how long: `within` seconds for all runs of a run, counted from the first of them."""

    suite: Suite = Suite()
    within: float = 450.0
    run: str = ""

    @property
    def way(self) -> tuple[str, str, float]:
        """What a result depends on."""
        return self.suite.python, self.suite.tests, self.within


ANY_TERMS = Terms()


class Memory:
    """Baselines and trials by the content of the folder, not by its place."""

    def __init__(self, size: int = 8) -> None:
        self._baselines: Remembered[Baseline] = Remembered(size)
        self._trials: Remembered[Trial] = Remembered(4 * size)
        self._ends: Remembered[float] = Remembered(4 * size)
        self._runs: Remembered[Remembered[Record]] = Remembered(size)

    def proving(self, root: Path, terms: Terms = ANY_TERMS, draft: Draft | None = None) -> Proving:
        """The folder on the bench; its baseline is run unless a folder with the same content was seen before.

        With a draft the folder is rewritten by it; the baseline stays that of the original folder.
        """
        ends = self._ends.get(terms.run, lambda: time.monotonic() + terms.within) if terms.run else float("inf")
        sources, bench = read_sources(root), Bench(root, Limits(seconds=SHARE * terms.within), terms.suite)
        key = (*_content(root), *terms.way)
        before = self._baselines.get(key, lambda: baseline(bench, sources))
        runs = self._runs.get(key, lambda: Remembered[Record](RUNS))
        if draft and draft.files:
            overwrite(root, draft)
            sources = read_sources(root)
        return Proving(sources, bench.within(before.patience), before, ends, runs)

    def trial(
        self, root: Path, proposals: Sequence[Proposal], terms: Terms = ANY_TERMS, draft: Draft | None = None
    ) -> Trial:
        """The trial of these proposals, in any order, on top of the draft if there is one."""
        said = sorted(proposal.model_dump_json() for proposal in proposals)
        on = [f"{file.resource} {digest(file.text.encode())}" for file in draft.files] if draft else []
        key = (*_content(root), *terms.way, *on, *said)
        return self._trials.get(key, lambda: self.proving(root, terms, draft).trial(proposals))


def _content(root: Path) -> tuple[str, str]:
    """What the folder and the checkout around it have, and where in it the folder lies."""
    top = top_of(root)
    return tree_digest(top), place_in(root, top)
