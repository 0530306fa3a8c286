"""Memory: results that a prover's process can use again. Bounded; losing them costs only time."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from pathlib import Path
from threading import Lock
from typing import Generic, NamedTuple, TypeVar

from hustings import Proposal, Trial

from .baseline import Baseline, baseline, tree_digest
from .bench import Bench
from .edits import digest
from .messages import Draft
from .process import Limits
from .proving import Proving
from .sources import read_sources
from .suite import Suite
from .writing import overwrite

V = TypeVar("V")
SHARE = 0.4  # of all the time, for one run of the tests


class Remembered(Generic[V]):
    """The last few values by key. They are made one at a time, so two callers with one key wait for one making."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = Lock()
        self._values: OrderedDict[Hashable, V] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        """The value of the key, made if it is missing. If `make` raises, nothing is remembered."""
        with self._lock:
            if key not in self._values:
                self._values[key] = make()
            self._values.move_to_end(key)
            while len(self._values) > self._size:
                self._values.popitem(last=False)
            return self._values[key]


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

    def proving(self, root: Path, terms: Terms = ANY_TERMS, draft: Draft | None = None) -> Proving:
        """The folder on the bench; its baseline is run unless a folder with the same content was seen before.

        With a draft the folder is rewritten by it; the baseline stays that of the original folder.
        """
        ends = self._ends.get(terms.run, lambda: time.monotonic() + terms.within) if terms.run else float("inf")
        sources, bench = read_sources(root), Bench(root, Limits(seconds=SHARE * terms.within), terms.suite)
        before = self._baselines.get((tree_digest(root), *terms.way), lambda: baseline(bench, sources))
        if draft and draft.files:
            overwrite(root, draft)
            sources = read_sources(root)
        return Proving(sources, bench.within(before.patience), before, ends)

    def trial(
        self, root: Path, proposals: Sequence[Proposal], terms: Terms = ANY_TERMS, draft: Draft | None = None
    ) -> Trial:
        """The trial of these proposals, in any order, on top of the draft if there is one."""
        said = sorted(proposal.model_dump_json() for proposal in proposals)
        on = [f"{file.resource} {digest(file.text.encode())}" for file in draft.files] if draft else []
        key = (tree_digest(root), *terms.way, *on, *said)
        return self._trials.get(key, lambda: self.proving(root, terms, draft).trial(proposals))
