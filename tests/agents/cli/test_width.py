"""Nothing is wider than the terminal, and no word is broken: a run's id and a path can be copied."""

import re
from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hustings.agents.cli.frame import output, table, width
from hustings.agents.observe.width import cells, wrapped

from .test_read_verbs import Run, home, run

pytestmark = pytest.mark.processes

__all__ = ["home", "run"]
tail = import_module("hustings.agents.cli.verbs.tail")
VERBS = [
    ["runs"], ["show", "mood-partial"], ["show", "mood-decided"], ["conflicts", "mood-decided"],
    ["explain", "C-1", "mood-decided"], ["dead", "ls"], ["dead", "show", "mood-partial.sour-judge"],
    ["replay", "mood-partial"], ["tail", "--all", "--team", "moody", "--count", "20"], ["version"],
    ["plan", "hustings.examples.hello:team"],
]  # fmt: skip


@pytest.mark.parametrize("columns", [60, 80, 160])
def test_what_the_verbs_print_fits(run: Run, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    """At each width the same words, whole; a line that is too wide is one word that is."""
    for args in VERBS:
        for module in (output, table, tail):
            monkeypatch.setattr(module, "width_of", lambda _: width.WIDE)
        whole = words(run(*args).out)
        for module in (output, table, tail):
            monkeypatch.setattr(module, "width_of", lambda _: columns)
        printed = run(*args).out
        for line in printed.splitlines():
            assert cells(line) <= columns or len(line.split()) == 1 or cells(line.rsplit(maxsplit=1)[0]) < columns
        assert {word for word in words(printed) if word not in whole and "…" not in word} == set(), args


def words(text: str) -> set[str]:
    """Without those that change while the test runs: times and durations."""
    return {word for word in text.split() if not re.search(r"\d", word) or re.search(r"[a-z]{3}", word)}


ROWS = [
    ("r466f9d10.scribe-draft", "running", "a reason of some words that is too long for the line"),
    ("r1", "failed", "short"),
    ("r2", "failed", "-"),
]


def printed(columns: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(table, "width_of", lambda _: columns)
    return table.table(("run", "status", "because"), ROWS).splitlines()


def test_a_table_gets_narrower_by_its_longest_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """First the text is wrapped in its column; where even that has no room it stands below its row."""
    assert printed(100, monkeypatch) == [
        "RUN                     STATUS   BECAUSE",
        "r466f9d10.scribe-draft  running  a reason of some words that is too long for the line",
        "r1                      failed   short",
        "r2                      failed   -",
    ]
    assert printed(64, monkeypatch)[1:3] == [
        "r466f9d10.scribe-draft  running  a reason of some words that is",
        "                                 too long for the line",
    ]
    assert printed(40, monkeypatch) == [
        "RUN                     STATUS",
        "    BECAUSE",
        "r466f9d10.scribe-draft  running",
        "    a reason of some words that is too",
        "    long for the line",
        "r1                      failed",
        "    short",
        "r2                      failed",
    ]


def test_a_line_goes_on_below_its_text() -> None:
    """Behind the last gap of two spaces, a bar or a label in its first half; else a little indented."""
    assert width.folded("C-1  one two three", 12).splitlines() == ["C-1  one two", "     three"]
    assert width.folded("12:00 clerk | done task=a b", 22).splitlines() == ["12:00 clerk | done", "  task=a b"]
    assert width.folded("  try: one two three", 16).splitlines() == ["  try: one two", "       three"]
    assert width.folded("one two three", 8).splitlines() == ["one two", "  three"]
    long = "a/path/that/is/longer/than/the/line"
    assert width.folded(f"see  {long} now", 20).splitlines() == ["see", long, "     now"]
    assert width.folded("one two three", width.WIDE) == "one two three"


@given(st.text(st.characters(codec="ascii", exclude_characters="\x1b"), max_size=200), st.integers(10, 90))
def test_no_word_is_broken_or_lost(text: str, columns: int) -> None:
    line = " ".join(text.split())
    assert " ".join(" ".join(wrapped(line, columns, 4)).split()) == line


def test_what_is_cut_ends_with_a_word() -> None:
    assert table.cut("one two three", 9) == "one two…"
    assert table.cut("abcdefghij", 5) == "abcd…"
    assert table.cut("one", 3) == "one"
