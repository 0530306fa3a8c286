"""Unified diff: the lines an edit takes away and the lines it brings, and a patch cut into its files. Pure."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import groupby
from typing import Literal, NamedTuple

from hustings.protocols import Edit

Sign = Literal["-", "+", " ", "@"]

CONTEXT = 2  # unchanged lines that are shown around a change
LINES = 120  # of one edit that are shown
WIDTH = 400  # characters of a line that are shown
MATCHED = 40_000  # line pairs up to which the common lines of both texts are looked for: difflib's time is quadratic


class Line(NamedTuple):
    """One line of a diff; `number` counts from 1 in the old text, and is 0 for a line that is only in the new one."""

    sign: Sign
    number: int
    text: str


class FilePatch(NamedTuple):
    """The part of a unified diff that changes one file."""

    path: str
    lines: tuple[tuple[Sign, str], ...]

    def count(self, sign: Sign) -> int:
        return sum(each == sign for each, _ in self.lines)


def lines_of(edit: Edit) -> list[Line]:
    """The edit as a small diff: what stays unmarked, what goes, what comes. Long edits and long lines are cut."""
    old, new = _split(edit.was), _split(edit.text)
    if edit.keeps:
        found = [Line(" ", edit.start + n, text) for n, text in enumerate(old, 1)]
    elif len(old) * len(new) > MATCHED or old == new:  # equal: only the end of the last line differs
        found = [*_removed(edit, old, 0, len(old)), *_added(new)]
    else:
        found = list(_matched(edit, old, new))
    cut = [Line(sign, number, _short(text)) for sign, number, text in found[:LINES]]
    if len(found) > LINES:
        cut.append(Line("@", 0, f"… {len(found) - LINES} more lines"))
    return cut


def runs(lines: Sequence[tuple[Sign, str]]) -> Iterator[tuple[Sign, list[str]]]:
    """Neighbouring lines of one sign together."""
    for sign, group in groupby(lines, key=lambda line: line[0]):
        yield sign, [text for _, text in group]


def files_of(patch: str) -> list[FilePatch]:
    """A unified diff, file by file; the lines keep their own signs."""
    found: list[tuple[str, list[tuple[Sign, str]]]] = []
    lines = _split(patch)
    for n, line in enumerate(lines):
        if line.startswith("--- ") and lines[n + 1 : n + 2] and lines[n + 1].startswith("+++ "):
            found.append((_path(line, lines[n + 1]), []))
        if found:
            found[-1][1].append((_sign(line), _short(line)))
    return [FilePatch(path, tuple(each)) for path, each in found]


def _matched(edit: Edit, old: list[str], new: list[str]) -> Iterator[Line]:
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for number, hunk in enumerate(matcher.get_grouped_opcodes(CONTEXT)):
        if number:
            yield Line("@", 0, "…")
        for word, start, end, first, last in hunk:
            if word == "equal":
                yield from (Line(" ", edit.start + n + 1, old[n]) for n in range(start, end))
            else:
                yield from _removed(edit, old, start, end)
                yield from _added(new[first:last])


def _removed(edit: Edit, old: list[str], start: int, end: int) -> Iterator[Line]:
    yield from (Line("-", edit.start + n + 1, old[n]) for n in range(start, end))


def _added(new: Sequence[str]) -> Iterator[Line]:
    yield from (Line("+", 0, text) for text in new)


def _sign(line: str) -> Sign:
    if line.startswith(("--- ", "+++ ", "@@", "\\")):
        return "@"
    return "-" if line.startswith("-") else "+" if line.startswith("+") else " "


def _path(old: str, new: str) -> str:
    name = old[4:] if new[4:].strip() == "/dev/null" else new[4:]
    return name.split("\t")[0].removeprefix("a/").removeprefix("b/").strip()


def _split(text: str) -> list[str]:
    """The lines as an edit counts them; str.splitlines would also end one at a form feed."""
    return text.removesuffix("\n").split("\n") if text else []


def _short(text: str) -> str:
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"
