"""Hints: known words that look like an unknown one."""

from collections.abc import Iterable, Sequence


def close_to(word: str, known: Iterable[str]) -> list[str]:
    """The known words that look like this one, best first."""
    from difflib import get_close_matches  # imported here: it costs 5 ms, only needed after a typing error

    return get_close_matches(word, list(known))


def did_you_mean(possibilities: Sequence[str] | None) -> str:
    """The hint with the best possibility, or "" if there are none."""
    return f"did you mean {possibilities[0]}?" if possibilities else ""
