"""The second round: a formatter speaks about what was decided, not about what was there."""

from pathlib import Path

import pytest

from hustings.examples.review_board import Draft, Memory, Rewritten, digest, finished, format_draft, hunks, write_patch
from hustings.protocols import Edit, NonRetryableError, Proposal, Verdict

from .conftest import Write

pytestmark = pytest.mark.processes

BEFORE = "a = [1,2]\nx = 1\nb = {'x':1}\n"
AFTER = "a = [1,2,3]\nx = 1\nb = {'x':1}\n"


def draft(before: str = BEFORE, after: str = AFTER) -> Draft:
    return Draft(files=(Rewritten(resource="a.py", base=digest(before.encode()), text=after),))


def edits(root: Path, of: Draft) -> list[Edit]:
    return [edit for item in format_draft(root, of, bold=True).proposals for edit in item.edits]


def test_only_rewritten_lines_are_formatted(write: Write) -> None:
    """On the base of the rewritten file; what nobody touched stays as its author left it."""
    [edit] = edits(write({"a.py": BEFORE}), draft())
    assert (edit.base, edit.was, edit.text) == (digest(AFTER.encode()), "a = [1,2,3]\n", "a = [1, 2, 3]\n")


def test_quotes_stay_where_the_repository_has_no_style(write: Write) -> None:
    [edit] = edits(write({"a.py": "a = 'x'\n"}), draft("a = 'x'\n", "a = ['x','y']\n"))
    assert edit.text == "a = ['x', 'y']\n"


def test_a_file_that_was_in_format_is_again(write: Write) -> None:
    root = write({"a.py": "def f():\n    pass\n\n\nx = 1\n"})
    [edit] = edits(root, draft("def f():\n    pass\n\n\nx = 1\n", "def f():\n    pass\nx = 1\n"))
    assert edit.text == "\n\n"


def test_the_format_is_the_repositorys(write: Write) -> None:
    root = write({"a.py": BEFORE, "ruff.toml": 'format.exclude = ["a.py"]\n'})
    assert not edits(root, draft())


def test_a_draft_of_something_else_is_refused(write: Write) -> None:
    with pytest.raises(NonRetryableError, match="another version"):
        format_draft(write({"a.py": "other = 1\n"}), draft(), bold=True)


def standing(proposals: tuple[Proposal, ...]) -> list[Verdict]:
    return [Verdict(matter="M-1", kind="change", about="", decided=True, rule="r", because="b", stands=proposals)]


def test_a_finished_draft_has_what_stands_of_both_rounds(write: Write) -> None:
    """Verdicts on the first base are in the draft already, and pass it by."""
    root = write({"a.py": BEFORE})
    first = Proposal(edits=tuple(hunks("a.py", BEFORE, AFTER)))
    said = (first, *format_draft(write({"a.py": BEFORE}, "other"), draft(), bold=True).proposals)
    done = finished(draft(), standing(said))
    assert done.files[0].text == "a = [1, 2, 3]\nx = 1\nb = {'x':1}\n"
    assert "+a = [1, 2, 3]\n" in write_patch(root, done).diff


def test_formats_that_do_not_fit_together_are_refused() -> None:
    said = tuple(Proposal(edits=tuple(hunks("a.py", AFTER, AFTER.replace("3", text)))) for text in "45")
    with pytest.raises(NonRetryableError, match="cannot be written"):
        finished(draft(), standing(said))


def test_a_trial_on_a_draft_changes_the_rewritten_file(write: Write) -> None:
    """Against the baseline of the repository as it was."""
    test = "import a\n\n\ndef test_a():\n    assert len(a.a) >= 2\n"
    said = [
        Proposal(id=text, edits=tuple(hunks("a.py", AFTER, f"a = [{text}]\nx = 1\nb = {{'x':1}}\n")))
        for text in ("1, 2, 3", "1")
    ]
    memory = Memory()
    trials = [memory.trial(write({"a.py": BEFORE, "test_a.py": test}, item.id), [item], draft=draft()) for item in said]
    assert [trial.holds for trial in trials] == [("1, 2, 3",), ()]
    assert "another version" in memory.trial(write({"a.py": BEFORE, "test_a.py": test}, "x"), said[:1]).falls["1, 2, 3"]
