"""The halves of a move stand or fall together: no line is lost or doubled, whatever else falls."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hustings.examples.review_board import (
    Draft,
    Findings,
    Proving,
    Rewritten,
    Source,
    apply,
    format_draft,
    groups,
    hunks,
    isort_fixes,
    read_sources,
    rewritten,
    ruff_fixes,
)
from hustings.protocols import Proposal

from .conftest import Write


def counted(text: str) -> Counter[str]:
    return Counter(line.strip() for line in text.split("\n"))


NAMING = ["import os", "import sys", "x = 1", "y = x", "# note"]
LINES = st.lists(st.sampled_from([*NAMING, "", "pass", "if x:\n    z = 1"]), max_size=14)
MOVES = LINES.flatmap(lambda lines: st.tuples(st.just(lines), st.permutations(lines)))


def written(lines: Sequence[str]) -> str:
    return "".join(line + "\n" for line in lines)


@given(MOVES, st.data())
def test_what_only_moved_is_there_once_whatever_falls(moved: tuple[list[str], list[str]], data: st.DataObject) -> None:
    before, after = map(written, moved)
    parts = groups(Source("a.py", before), hunks("a.py", before, after))
    some = [part for part in parts if data.draw(st.booleans())]
    now, was = counted(apply(before, [edit for part in some for edit in part])), counted(before)
    assert [now[line] for line in NAMING] == [was[line] for line in NAMING]


@given(LINES, LINES, st.data())
def test_any_subset_has_no_more_and_no_less_than_before_or_after(
    before: list[str], after: list[str], data: st.DataObject
) -> None:
    """Lines that a tool adds and drops among others that it moves."""
    old, new = written(before), written(after)
    parts = groups(Source("a.py", old), hunks("a.py", old, new))
    now = counted(apply(old, [edit for part in parts if data.draw(st.booleans()) for edit in part]))
    for line in NAMING:
        few, many = sorted((counted(old)[line], counted(new)[line]))
        assert few <= now[line] <= many


def imported(text: str) -> set[str]:
    return {name for name in ("os", "sys", "path", "a", "b", "c") if f" {name}" in text.replace(",", " ")}


IMPORTS = [
    "import sys\n\nimport c\nimport os\n\nfrom m import a\n\nprint(os, sys, c, a)\n",
    "import sys, os\n\nfrom m import b\n\nimport c\n\nfrom m import a\n\nprint(a, b, c, os, sys)\n",
    "from m import (\n    b,\n    a,\n)\n\nimport os\n\nimport c\n\nprint(a, b, c, os)\n",
]
SORTS: dict[str, tuple[Callable[[Path], Findings], dict[str, str]]] = {
    "isort": (partial(isort_fixes, bold=True), {}),
    "ruff": (ruff_fixes, {"ruff.toml": "lint.select = ['I']\n"}),
}


@pytest.mark.processes
@pytest.mark.parametrize(("tool", "files"), SORTS.values(), ids=SORTS)
@pytest.mark.parametrize("text", IMPORTS)
def test_no_import_is_lost_whatever_falls_of_what_sorts_them(
    tool: Callable[[Path], Findings], files: dict[str, str], text: str, write: Write
) -> None:
    """Statements that are split, joined or wrapped on the way too."""
    root = write({"a.py": text, **files})
    found = tool(root).proposals
    assert found
    for size in range(len(found) + 1):
        for some in combinations(found, size):
            now = apply(text, [edit for item in some for edit in item.edits])
            assert imported(now) == imported(text)


def test_a_move_from_file_to_file_is_one_proposal(write: Write) -> None:
    root = write({"a.py": "def f():\n    return 1\n\n\nx = 1\n", "b.py": "y = 1\n", "c.py": "import os\n"})

    def tool(_: object) -> None:
        (root / "a.py").write_text("x = 1\n")
        (root / "b.py").write_text("import os\n\ny = 1\n\n\ndef f():\n    return 1\n")
        (root / "c.py").write_text("z = 2\n")

    found = rewritten(root, tool, lambda _, edits: Proposal(edits=tuple(edits), because="moves")).proposals
    assert sorted(sorted({edit.resource for edit in item.edits}) for item in found) == [
        ["a.py", "b.py"],
        ["b.py"],
        ["c.py"],
    ]


def test_brackets_and_keywords_move_nothing() -> None:
    """Else half of a file would stand or fall together."""
    between = "a = 1\nb = 2\nc = 3\nd = 4\n"
    old, new = f"x = (\n    1\n)\n{between}z = 3\n", f"x = 1\n{between}z = (\n    3\n)\n"
    source = Source("a.py", old)
    assert len(groups(source, hunks("a.py", old, new))) == 2


@pytest.mark.processes
def test_a_move_is_one_change_to_the_proof(write: Write) -> None:
    """One half would pass the tests, for nothing tests the other."""
    text = "import sys\n\nX = 1\n\nimport os\n\n\ndef f():\n    return os.name\n"
    test = "import mod\n\n\ndef test_mod():\n    assert open(mod.__file__).read().startswith('import sys')\n"
    root = write({"mod.py": text, "test_mod.py": test})
    moves = hunks("mod.py", text, "import os\nimport sys\n\nX = 1\n\n\ndef f():\n    return os.name\n")
    [part] = groups(Source("mod.py", text), moves)
    trial = Proving.of(root).trial([Proposal(id="move", edits=tuple(part))])
    assert (trial.holds, list(trial.falls)) == ((), ["move"])


def move(text: str, to: str, name: str) -> Proposal:
    return Proposal(id=name, edits=tuple(hunks("mod.py", text, to)))


@pytest.mark.processes
def test_two_moves_of_a_line_to_different_places_do_not_both_stand(write: Write) -> None:
    """They agree where it is taken away, so that no edit of the one overlaps one of the other."""
    text = "A = 1\nB = 2\nC = 3\nD = 4\n"
    root = write({"mod.py": text, "test_mod.py": "import mod\n\n\ndef test_mod():\n    assert mod.D\n"})
    said = [
        move(text, "D = 4\nA = 1\nB = 2\nC = 3\n", "first"),
        move(text, "A = 1\nD = 4\nB = 2\nC = 3\n", "second"),
    ]
    trial = Proving.of(root).trial(said)
    assert trial.holds == ("first",)
    assert "moves the same line elsewhere: D = 4" in trial.falls["second"]


def test_a_formatter_proposes_both_halves_of_a_move_or_none(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one half is in what was rewritten and the other is not."""
    before, after = "x = 9\ny = 2\nz = 3\nlong_name = 4\n", "x = 1\ny = 2\nz = 3\nlong_name = 4\n"
    root = write({"a.py": before})
    tidied = {before: before + "\n", after: "long_name = 4\nx = 1\ny = 2\nz = 3\n"}

    def formatted(_: Path, texts: dict[str, str], __: object) -> dict[str, str]:
        return {path: tidied[text] for path, text in texts.items()}

    monkeypatch.setattr("hustings.examples.review_board.formatting._formatted", formatted)
    base = read_sources(root).files["a.py"].digest
    said = format_draft(root, Draft(files=(Rewritten(resource="a.py", base=base, text=after),)), bold=True)
    [item] = said.proposals
    assert counted(apply(after, item.edits)) == counted(after)
