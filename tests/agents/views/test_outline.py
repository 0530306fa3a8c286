"""An outcome is shown whatever is in it: no value breaks a terminal or a page, and none is wider than the terminal."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import JsonValue

from hustings.agents.observe.sanitize import inert
from hustings.agents.observe.width import cells, wrapped
from hustings.agents.views.html.outline import shown as as_html
from hustings.agents.views.outline import PAGE, Limits, outline
from hustings.agents.views.outline_text import shown
from hustings.protocols import Blob

from .test_html import HOSTILE, OURS, OrderedConsumer

WORDS = st.one_of(st.text(), st.sampled_from(HOSTILE), st.from_regex(r"[a-z田\u0301 \n]{0,200}", fullmatch=True))
SCALARS: st.SearchStrategy[JsonValue] = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), WORDS)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=30) | st.dictionaries(WORDS, inner, max_size=12), max_leaves=40
)
ROWS = st.lists(st.fixed_dictionaries({"name": WORDS, "price": st.floats(), "file": st.none()}), max_size=30)
ANY = st.one_of(VALUES, ROWS)


@given(ANY, st.integers(20, 200))
def test_no_line_is_wider_than_the_terminal_or_controls_it(value: JsonValue, width: int) -> None:
    """Whatever the value is, it has lines; each fits, or would but for one word, and is text."""
    for line in shown(outline(value), width, "hustings show r1 -o json has all"):
        assert cells(line) <= width or cells(line.rstrip().rpartition(" ")[0].rstrip()) <= width
        assert inert(line) == line
        assert "\n" not in line


@given(ANY)
def test_a_value_is_text_in_a_page(value: JsonValue) -> None:
    """Only our own elements come of it, without attributes that could run or load something."""
    html = as_html(outline(value, PAGE))
    read = OrderedConsumer(html)
    assert read.tags <= OURS
    assert read.attributes <= {"class", "tabindex"}
    assert inert(html) == html


@given(WORDS, st.integers(0, 50))
@example("00 \u0e5c", 2)
def test_what_is_wrapped_fits_and_no_word_is_broken(said: str, width: int) -> None:
    """Wide characters count as two columns; what is not ASCII may be broken, because its script may have no gaps."""
    line = " ".join(inert(said).split())
    rows = list(wrapped(line, width, hang=3))
    assert "".join("".join(rows).split()) == "".join(line.split())
    assert all(word in " ".join(rows).split() for word in line.split() if word.isascii())
    assert all(cells(row) <= max(width, 2) or row.strip().isascii() for row in rows)


ROW = {"name": "apple", "price": 1.5}


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        ({"summary": {"text": "Hear hear."}}, ["summary.text  Hear hear."]),
        ({"ok": True, "count": 3, "none": None}, ["ok     yes", "count  3", "none   none"]),
        ({"tags": ["x", "y"]}, ["tags  x, y"]),
        ({"tags": ["a b", "c"]}, ["tags", "  - a b", "  - c"]),
        ({"a": {"b": 1, "c": "two\nlines"}}, ["a", "  b  1", "  c", "    two", "    lines"]),
        ({"rows": [ROW, ROW]}, ["rows", "  NAME   PRICE", "  apple  1.5", "  apple  1.5"]),
        ([{"name": "x" * 30, "much": "y" * 30}] * 2, ["- name  " + "x" * 30, "  much  " + "y" * 30] * 2),
        (Blob(digest="0" * 64, size=1200, name="a.pdf").plain(), ["a.pdf (file, 1,200 bytes)"]),
        ({"long": "word " * 200}, [*["long"], *["  " + "word " * 7 + "word"] * 15, "  … 400 more characters; see it"]),
        ("\n".join("abcdefghijklmnop"), [*"abcdefghijkl", "… 4 more lines; see it"]),
        (["a b", *"abcdefghijklmnopqrstuvw"],
         ["- a b", *(f"- {c}" for c in "abcdefghijklmnopqrs"), "… 4 more items; see it"]),
        ([], ["none"]),
        ({}, ["nothing"]),
    ],
)  # fmt: skip
def test_how_values_look(value: JsonValue, lines: list[str]) -> None:
    """Short values in a line, lists as lists, flat messages as a table where it fits, what is long cut with a hint."""
    assert shown(outline(value), 42, "see it") == lines


def test_what_nests_too_deeply_is_counted() -> None:
    """A value may have as many levels as a message may have; those beyond the limit are one word."""
    value: JsonValue = {"x": 1, "y": 2}
    for _ in range(140):
        value = {"a": value, "b": 1}
    lines = shown(outline(value, Limits(levels=2)), 80)
    assert lines == ["a", "  a  2 fields", "  b  1", "b  1"]


def test_a_page_has_more_of_it() -> None:
    """What the terminal cuts is whole in the page."""
    text = "\n".join(f"line {n}" for n in range(100))
    assert re.search("line 11$", "\n".join(shown(outline(text), 80)), re.MULTILINE)
    assert "line 12" not in "\n".join(shown(outline(text), 80))
    assert "line 99" in as_html(outline(text, PAGE))
