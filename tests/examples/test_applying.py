"""Applying: the patch of a review on the folder that was reviewed."""

import subprocess
from pathlib import Path

import pytest

from hustings.agents import RunReport
from hustings.examples.review_board import apply_to, hunks, unified
from hustings.protocols import Data, Dissent, Proposal, UsageError, Verdict

pytestmark = pytest.mark.processes

OLD, NEW = "a = 1\nb = 2\n", "a = 1\nb = 3\n"


def reviewed(diff: str, *verdicts: Verdict) -> RunReport:
    patch: Data = {"diff": diff, "edits": 1, "files": 1}
    return RunReport(
        run="r1",
        team="review",
        status="decided",
        because="",
        outcome={"patch": patch},
        verdicts=verdicts,
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
    assert said == f"applied 1 edit to 1 file of {tmp_path}"


def test_nothing_is_written_if_one_file_does_not_fit(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(OLD)
    (tmp_path / "two.py").write_text("something else\n")
    diff = unified("one.py", OLD, NEW) + unified("two.py", OLD, NEW)
    with pytest.raises(UsageError, match="does not fit"):
        apply_to(reviewed(diff), {"repository": tmp_path})
    assert (tmp_path / "one.py").read_text() == OLD


def git(root: Path, *words: str) -> str:
    alone = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", "-C", str(root), *alone, *words], capture_output=True, text=True, check=True).stdout


def stands(by: str, new: str, rule: str, *against: str) -> Verdict:
    item = Proposal(id=by, by=by, edits=tuple(hunks("one.py", OLD, new)), because=f"{by} knows why")
    dissent = tuple(Dissent(item=name, by=name, says="no") for name in against)
    return Verdict(
        matter=f"M-{by}", kind="change", about="one.py:1", decided=True, rule=rule, because="", stands=(item,),
        dissent=dissent,
    )  # fmt: skip


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository of one commit, the package in a folder of it."""
    root = tmp_path / "top" / "package"
    root.mkdir(parents=True)
    (root / "one.py").write_text(OLD)
    git(tmp_path / "top", "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "first")
    return root


def test_in_a_checkout_each_topic_is_a_commit_on_a_branch_of_its_own(checkout: Path) -> None:
    """The message says who proposed, who objected, and which rule decided; the files on disk stay as they are."""
    verdicts = [stands("ann", "a = 2\nb = 2\n", "majority", "cid"), stands("bob", NEW, "unopposed")]
    said = apply_to(reviewed(unified("one.py", OLD, "a = 2\nb  =  3\n"), *verdicts), {"repository": checkout})
    assert said.startswith("3 commits on the branch hustings/r1 of ")
    log = git(checkout, "log", "--format=%s%n%b", "--reverse", "HEAD..hustings/r1")
    assert [line for line in log.splitlines() if line and not line.startswith("Decided in run r1")] == [
        "Apply ann: ann knows why",
        "one.py:1 ann knows why, by majority; against cid",
        "Apply bob: bob knows why",
        "one.py:2 bob knows why, by unopposed",
        "Format what was rewritten",
    ]
    texts = [git(checkout, "show", f"hustings/r1~{n}:package/one.py") for n in (2, 1, 0)]
    assert texts == ["a = 2\nb = 2\n", "a = 2\nb = 3\n", "a = 2\nb  =  3\n"]
    assert (checkout / "one.py").read_text() == OLD
    assert git(checkout, "worktree", "list").count("\n") == 1


def test_a_dirty_checkout_is_refused(checkout: Path) -> None:
    (checkout / "two.py").write_text(OLD)
    git(checkout, "add", ".")
    with pytest.raises(UsageError, match="not committed"):
        apply_to(reviewed(unified("one.py", OLD, NEW)), {"repository": checkout})
    assert "hustings" not in git(checkout, "branch")
