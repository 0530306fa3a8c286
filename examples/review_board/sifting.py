"""Sifting: of many changes find those that hold together, by testing them in batches."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")
Failures = Mapping[str, str]
Accuse = Callable[[Sequence[T], Failures], Collection[int]]


class OutOfRuns(Exception):
    """So many checks were made that no more may be. What was not proved until then is not proved."""


def nobody(_: Sequence[T], __: Failures) -> Collection[int]:
    """Accuses none."""
    return ()


def sift(
    held: Sequence[T],
    candidates: Sequence[T],
    check: Callable[[Sequence[T]], Failures],
    accuse: Accuse[T] = nobody,
) -> tuple[list[T], list[tuple[T, Failures]]]:
    """Add candidates to what is held as long as `check` finds no failure: what holds, and each culprit's failures.

    With n candidates and k culprits that are so on their own it makes at most about 2 k log2(n / k) + 1 checks; fewer
    where `accuse`, which gives the places of candidates that the failures point at, is right. Of changes that fail only
    together the accused, or else the later one, is found guilty. `check` is asked again about the same set: let it
    remember.
    """
    failures = check([*held, *candidates])
    if not failures:
        return [*held, *candidates], []
    if len(candidates) <= 1:
        return list(held), [(candidate, failures) for candidate in candidates]
    first, second = _parted(candidates, accuse(candidates, failures))
    kept, guilty = sift(held, first, check, accuse)
    kept, more = sift(kept, second, check, accuse)
    return kept, guilty + more


def _parted(candidates: Sequence[T], accused: Collection[int]) -> tuple[Sequence[T], Sequence[T]]:
    if 0 < len(accused) < len(candidates):
        places = set(accused)
        return (
            [candidate for place, candidate in enumerate(candidates) if place not in places],
            [candidate for place, candidate in enumerate(candidates) if place in places],
        )
    half = len(candidates) // 2
    return candidates[:half], candidates[half:]
