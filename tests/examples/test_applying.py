"""Applying: the patch of a review on the folder that was reviewed."""

from pathlib import Path

import pytest

from hustings.agents import RunReport
from hustings.examples.review_board import apply_to, unified
from hustings.protocols import Data, UsageError

OLD, NEW = "a = 1\nb = 2\n", "a = 1\nb = 3\n"


def reviewed(diff: str) -> RunReport:
    patch: Data = {"diff": diff, "edits": 1, "files": 1}
    return RunReport(
        run="r1",
        team="review",
        status="decided",
        because="",
        outcome={"patch": patch},
        verdicts=(),
        missing=(),
        spent={},
        state_hash="",
        events=0,
        seconds=0.0,
    )


def test_the_patched_files_are_written(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(OLD)
    (tmp_path / "two.py").write_text(OLD)
    said = apply_to(reviewed(unified("one.py", OLD, NEW)), {"repository": tmp_path})
    assert ((tmp_path / "one.py").read_text(), (tmp_path / "two.py").read_text()) == (NEW, OLD)
    assert said == f"applied 1 edits to 1 files of {tmp_path}"


def test_nothing_is_written_if_one_file_does_not_fit(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(OLD)
    (tmp_path / "two.py").write_text("something else\n")
    diff = unified("one.py", OLD, NEW) + unified("two.py", OLD, NEW)
    with pytest.raises(UsageError, match="does not fit"):
        apply_to(reviewed(diff), {"repository": tmp_path})
    assert (tmp_path / "one.py").read_text() == OLD
