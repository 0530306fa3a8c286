"""Edits give back exactly the text they were made from, and refuse every other."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hustings.examples.review_board import BadEdit, apply, digest, hunks, split_lines

LINES = st.lists(st.sampled_from(["a", "b", "c", "", "x\r", "\f", "\u2028y", "\ufeffz", "é"]), max_size=12)
TEXTS = st.builds(lambda lines, end: "\n".join(lines) + end, LINES, st.sampled_from(["", "\n", "\r\n"]))


@given(TEXTS)
def test_lines_joined_are_the_text(text: str) -> None:
    assert text == "".join(split_lines(text))


@given(TEXTS, TEXTS)
def test_hunks_lead_from_one_text_to_the_other(base: str, new: str) -> None:
    assert new == apply(base, hunks("a.py", base, new))


@given(TEXTS, TEXTS, st.data())
def test_any_subset_of_hunks_applies(base: str, new: str, data: st.DataObject) -> None:
    """Each edit of the subset is made and every line outside stays."""
    edits = hunks("a.py", base, new)
    some = [edit for edit in edits if data.draw(st.booleans())]
    text = apply(base, some)
    assert len(base) + sum(len(edit.text) - len(edit.was) for edit in some) == len(text)


@given(TEXTS, TEXTS)
def test_hunks_are_minimal_and_apart(base: str, new: str) -> None:
    """No hunk keeps, and between two hunks there is at least one unchanged line."""
    edits = hunks("a.py", base, new)
    assert not any(edit.keeps for edit in edits)
    assert all(one.end < other.start for one, other in pairwise(edits))


@given(TEXTS, TEXTS)
def test_the_order_of_edits_and_repeating_them_do_not_matter(base: str, new: str) -> None:
    edits = hunks("a.py", base, new)
    assert new == apply(base, [*reversed(edits), *edits])


def test_an_edit_of_another_version_is_refused() -> None:
    edits = hunks("a.py", "a\nb\n", "a\nc\n")
    with pytest.raises(BadEdit, match="another version"):
        apply("a\nb\n#\n", edits)


def test_an_edit_that_misquotes_its_span_is_refused() -> None:
    [edit] = hunks("a.py", "a\nb\n", "a\nc\n")
    with pytest.raises(BadEdit, match="do not read"):
        apply("a\nb\n", [edit.model_copy(update={"was": "x\n"})])


@pytest.mark.parametrize("other", ["a\nX\nc\n", "a\nb!\nc!\n", "c\n"])
def test_different_edits_of_one_line_are_refused(other: str) -> None:
    base = "a\nb\nc\n"
    with pytest.raises(BadEdit, match="overlap"):
        apply(base, [*hunks("a.py", base, "a\nB\nc\n"), *hunks("a.py", base, other)])


def test_different_insertions_at_one_place_are_refused() -> None:
    with pytest.raises(BadEdit, match="overlap"):
        apply("a\n", [*hunks("a.py", "a\n", "x\na\n"), *hunks("a.py", "a\n", "y\na\n")])


def test_the_base_is_named_as_blobs_are() -> None:
    [edit] = hunks("a.py", "a\n", "b\n")
    assert digest(b"a\n") == edit.base
    assert edit.base.startswith("sha256:")
