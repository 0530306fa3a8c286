"""Sifting: of many changes find those that hold together, by testing them in batches."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")
Failures = Mapping[str, str]


class OutOfRuns(Exception):
    """So many checks were made that no more may be. What was not proved until then is not proved."""


def sift(
    held: Sequence[T], candidates: Sequence[T], check: Callable[[Sequence[T]], Failures]
) -> tuple[list[T], list[tuple[T, Failures]]]:
    """Add candidates to what is held as long as `check` finds no failure: what holds, and each culprit's failures.

    With n candidates and k culprits that are so on their own it makes at most about 2 k log2(n / k) + 1 checks. Of
    changes that fail only together the later one is found guilty. `check` is asked again about the same set: let it
    remember.
    """
    failures = check([*held, *candidates])
    if not failures:
        return [*held, *candidates], []
    if len(candidates) <= 1:
        return list(held), [(candidate, failures) for candidate in candidates]
    half = len(candidates) // 2
    kept, guilty = sift(held, candidates[:half], check)
    kept, more = sift(kept, candidates[half:], check)
    return kept, guilty + more
