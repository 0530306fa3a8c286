"""The table of each tool alone, all in a row, and the board: really run."""

from importlib import import_module
from pathlib import Path

import pytest

from hustings.agents import RunReport
from hustings.examples.review_board import (
    Counts,
    Patch,
    ReviewProof,
    Row,
    board,
    compare,
    read_sources,
    ruff_fixes,
    table,
)
from hustings.protocols import Dissent, Proposal, Verdict


@pytest.mark.processes
async def test_a_tool_that_breaks_the_tests_is_red(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The repository itself is left as it is; a test that was red before counts for nothing."""
    monkeypatch.setattr("hustings.examples.review_board.comparison.ALONE", {"ruff": ruff_fixes, "idle": lambda _: None})
    monkeypatch.setattr("hustings.examples.review_board.comparison.CHAIN", {"ruff": ruff_fixes})
    before = read_sources(shop)
    rows = {row.name: row for row in await compare(shop)}
    assert [rows[name].red for name in ("before", "ruff", "idle", "all in a row")] == [False, True, False, True]
    assert (rows["idle"].edits, rows["before"].counts) == (0, rows["idle"].counts)
    assert rows["ruff"].edits > 0
    assert before == read_sources(shop)


def test_the_table_says_what_the_board_accepted() -> None:
    stands = (Proposal(id="1", by="ruff", edits=()), Proposal(id="2", by="flynt", edits=()))
    dissent = (Dissent(item="3", by="ruff", says="F401"),)
    verdict = Verdict(
        matter="C-1", kind="change", about="a", decided=True, rule="r", because="b", stands=stands, dissent=dissent
    )
    proof = ReviewProof(
        holds=True, because="fine", before=Counts(passed=1), after=Counts(passed=1, skipped=3, unreached=4)
    )
    rows = [Row("before", 0, Counts(passed=1, skipped=7), 0), Row("ruff", 7, Counts(errors=2), 2)]
    text = table([*rows, board(Patch(diff="", edits=2, files=1), proof)], [verdict])
    lines = [line.split() for line in text.splitlines()[2:]]
    assert lines == [
        ["before", "1", "0", "0", "7"],
        ["ruff", "7", "0", "0", "2", "0", "RED", "1", "of", "2"],
        ["the", "board", "2", "1", "0", "0", "7", "green"],
    ]


def test_what_proves_nothing_is_not_green() -> None:
    proof = ReviewProof(holds=False, because="no tests", before=Counts(), after=Counts())
    row = board(Patch(diff="", edits=2, files=1), proof)
    assert row.red
    assert table([row]).endswith("?        no tests")


async def test_a_run_without_a_patch_has_no_table(tmp_path: Path) -> None:
    came = RunReport(
        run="r", team="review", status="failed", because="", outcome={}, verdicts=(), missing=(), spent={},
        state_hash="", events=0, seconds=0,
    )  # fmt: skip
    async with import_module("hustings.examples.review_board.demo").epilogue(tmp_path) as last_word:
        assert await last_word(came) == ""
