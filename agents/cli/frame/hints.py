"""Hints: what a person might have meant by a word that nobody knows."""

from collections.abc import Iterable, Sequence


def close_to(word: str, known: Iterable[str]) -> list[str]:
    """The known words that look like this one, best first."""
    from difflib import get_close_matches  # 5 ms that nobody who types well should pay

    return get_close_matches(word, list(known))


def did_you_mean(possibilities: Sequence[str] | None) -> str:
    """The hint, with the best of them, or "" without possibilities."""
    return f"did you mean {possibilities[0]}?" if possibilities else ""
