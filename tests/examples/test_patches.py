"""The diff that is written is the diff that `patch -p1` understands, and ours is applied exactly or not at all."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hustings.examples.review_board import BadPatch, apply_patch, unified

LINES = st.lists(st.sampled_from(["a", "b", "c", "", "--- a/x", "+++ b/x", "@@ -1 +1 @@", "\f", "é"]), max_size=15)
TEXTS = st.builds(lambda lines, end: "\n".join(lines) + end, LINES, st.sampled_from(["", "\n"]))
NUMBERS = "".join(f"{n}\n" for n in range(40))


@given(TEXTS, TEXTS)
def test_a_written_diff_applies(base: str, new: str) -> None:
    diff = unified("a.py", base, new)
    assert ({} if base == new else {"a.py": new}) == apply_patch(diff, {"a.py": base})


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=4))
def test_diffs_of_several_files_are_one_patch(pairs: list[tuple[str, str]]) -> None:
    files = {f"{n}.py": base for n, (base, _) in enumerate(pairs)}
    news = {f"{n}.py": new for n, (_, new) in enumerate(pairs)}
    diff = "".join(unified(name, files[name], news[name]) for name in files)
    assert news == {**files, **apply_patch(diff, files)}


@pytest.mark.processes
@pytest.mark.skipif(not shutil.which("patch"), reason="compares with the patch program, which is not installed")
@pytest.mark.parametrize(
    ("base", "new"),
    [
        (NUMBERS, NUMBERS.replace("3\n", "three\n").replace("30\n", "")),
        ("a\nb", "a\nb\n"),
        ("a\nb\n", "a\nb"),
        ("a", "b"),
        ("a\r\nb\r\nc\r\n", "a\r\nB\r\nc\r\n"),
        ("\ufeffa = 1\n\fb = 2\n", "\ufeffa = 1\n\fb = 3\n"),
        ("", "a\n"),
        ("x\u2028y\nz\n", "x\u2028y\nZ\n"),
    ],
    ids=["hunks", "newline added", "newline dropped", "no newlines", "CRLF", "BOM", "from empty", "U+2028"],
)
@pytest.mark.parametrize("name", ["a.py", "with space/a b.py"])
def test_patch_does_the_same(tmp_path: Path, base: str, new: str, name: str) -> None:
    target = tmp_path / name
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(base.encode())
    diff = unified(name, base, new)
    subprocess.run(["patch", "-p1", "--silent"], cwd=tmp_path, input=diff.encode(), check=True)
    assert new.encode() == target.read_bytes()
    assert {name: new} == apply_patch(diff, {name: base})


@pytest.mark.parametrize(
    "spoil",
    [
        lambda diff: diff.replace(" 2\n", " two\n"),
        lambda diff: diff.replace("a/a.py", "a/b.py").replace("b/a.py", "b/b.py"),
        lambda diff: diff + diff,
        lambda diff: diff[: len(diff) // 2],
        lambda diff: "nonsense\n" + diff,
        lambda diff: diff.replace("@@ -1,7", "@@ -2,7"),
    ],
    ids=["context", "unknown file", "twice", "cut off", "no header", "offset"],
)
def test_what_does_not_fit_exactly_is_refused(spoil: Callable[[str], str]) -> None:
    diff = unified("a.py", NUMBERS, NUMBERS.replace("3\n", "three\n", 1))
    with pytest.raises(BadPatch):
        apply_patch(spoil(diff), {"a.py": NUMBERS})
