"""Edits: the difference of two texts as line spans, and back again, exact to the byte.

Lines end at "\\n" only: a form feed, a lone carriage return or U+2028 is part of its line, so that edits apply to
exactly the text that was read.
"""

import hashlib
from collections.abc import Iterable
from difflib import SequenceMatcher

from hustings import Edit


class BadEdit(ValueError):
    """The edit does not fit: its base is stale, or it overlaps another one. Make it again from the current text."""


def digest(data: bytes) -> str:
    """The name of these bytes, in the form of `Blob.digest`."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def split_lines(text: str) -> list[str]:
    """The lines with their ends; joined they are the text again."""
    lines = text.split("\n")
    tail = [lines[-1]] if lines[-1] else []
    return [line + "\n" for line in lines[:-1]] + tail


def hunks(resource: str, base: str, new: str) -> list[Edit]:
    """The smallest line spans in which `new` differs from `base`, in order; no two of them touch."""
    before, after, name = split_lines(base), split_lines(new), digest(base.encode())
    return [
        Edit(
            resource=resource,
            base=name,
            start=start,
            end=end,
            was="".join(before[start:end]),
            text="".join(after[first:last]),
        )
        for tag, start, end, first, last in SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
        if tag != "equal"
    ]


def apply(base: str, edits: Iterable[Edit]) -> str:
    """The text after the edits; equal edits count once, and edits that keep change nothing.

    Raises BadEdit if an edit was made for another text or overlaps another edit. An insertion at the border of a span
    is not an overlap: it comes before the span that starts there.
    """
    lines, name = split_lines(base), digest(base.encode())
    wanted = sorted({(edit.start, edit.end, edit.was, edit.text, edit.base) for edit in edits if edit.text != edit.was})
    out: list[str] = []
    done, last = 0, None
    for start, end, was, text, edit_base in wanted:
        _check(lines, (start, end), was, edit_base == name)
        if start < done or last == (start, end):
            raise BadEdit(f"two edits overlap at line {start + 1}")
        out += [*lines[done:start], text]
        done, last = end, (start, end)
    return "".join([*out, *lines[done:]])


def _check(lines: list[str], span: tuple[int, int], was: str, fresh: bool) -> None:
    start, end = span
    if not fresh:
        raise BadEdit("the edit was made for another version of the file")
    if not start <= end <= len(lines) or "".join(lines[start:end]) != was:
        raise BadEdit(f"lines {start + 1} to {end} do not read as the edit says")
