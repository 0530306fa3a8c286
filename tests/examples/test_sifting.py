"""Sifting finds every culprit with few checks."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from hustings.examples.review_board import accused, sift
from hustings.protocols import Edit, Proposal


@given(st.sets(st.integers(0, 63), max_size=8))
def test_exactly_the_culprits_fall(guilty: set[int]) -> None:
    kept, fallen = sift([], range(64), lambda some: {str(n): "breaks" for n in some if n in guilty})
    assert [n for n in range(64) if n not in guilty] == kept
    assert sorted(guilty) == [n for n, _ in fallen]


@given(st.sets(st.frozensets(st.integers(0, 31), min_size=1, max_size=3), max_size=4))
def test_what_is_kept_holds_even_if_changes_fail_only_together(bad: set[frozenset[int]]) -> None:
    def check(some: Sequence[int]) -> dict[str, str]:
        return {str(sorted(group)): "break together" for group in bad if group <= set(some)}

    kept, fallen = sift([], range(32), check)
    assert not check(kept)
    assert all(check([*kept, n]) for n, _ in fallen)


def test_one_culprit_among_many_is_found_in_logarithmic_checks() -> None:
    asked: list[Sequence[int]] = []

    def check(some: Sequence[int]) -> dict[str, str]:
        asked.append(some)
        return {"x": "breaks"} if 700 in some else {}

    _, fallen = sift([], range(1024), check)
    assert [n for n, _ in fallen] == [700]
    assert len(asked) <= 21


def test_innocents_need_one_check() -> None:
    asked: list[Sequence[int]] = []
    sift([], range(100), lambda some: asked.append(some) or {})  # type: ignore[func-returns-value]
    assert len(asked) == 1


@given(st.sets(st.integers(0, 63), max_size=8), st.sets(st.integers(0, 63)))
def test_whoever_is_accused_exactly_the_culprits_fall(guilty: set[int], suspects: set[int]) -> None:
    def check(some: Sequence[int]) -> dict[str, str]:
        return {str(n): "breaks" for n in some if n in guilty}

    def accuse(some: Sequence[int], _: object) -> list[int]:
        return [place for place, n in enumerate(some) if n in suspects]

    kept, fallen = sift([], range(64), check, accuse)
    assert sorted(guilty) == sorted(n for n, _ in fallen)
    assert sorted(kept) == [n for n in range(64) if n not in guilty]


def test_a_rightly_accused_culprit_takes_three_checks() -> None:
    asked: list[Sequence[int]] = []

    def check(some: Sequence[int]) -> dict[str, str]:
        asked.append(some)
        return {"x": "breaks"} if 700 in some else {}

    _, fallen = sift([], range(1024), check, lambda some, _: [list(some).index(700)] if 700 in some else [])
    assert [n for n, _ in fallen] == [700]
    assert len(asked) == 3


def test_failures_accuse_who_changes_what_they_name() -> None:
    def change(path: str, was: str, text: str) -> Proposal:
        return Proposal(edits=(Edit(resource=path, base="", start=0, end=1, was=was, text=text),))

    said = [change("a.py", "import sys\n", ""), change("b.py", "x = sys\n", "x = sys  # y\n"), change("b.py", "1", "2")]
    assert accused(said, {"a": "Traceback\nNameError: name 'sys' is not defined"}) == [0]
    assert accused(said, {"test_x": "b.py:7: AssertionError"}) == [1, 2]
    assert accused(said, {"test_x": "AssertionError"}) == []
