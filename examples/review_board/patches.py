"""Patches: unified diffs, written and applied exactly as `patch -p1` does, but never by guessing.

Format: https://www.gnu.org/software/diffutils/manual/html_node/Detailed-Unified.html
"""

import re
from collections.abc import Mapping
from difflib import unified_diff

from .edits import split_lines

NO_NEWLINE = "\\ No newline at end of file\n"
RANGE = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


class BadPatch(ValueError):
    """The patch does not fit the files. It applies only to a pristine copy of what it was made from."""


def unified(resource: str, before: str, after: str) -> str:
    """The diff of one file; empty if nothing changed."""
    name = f"{resource}{_tab(resource)}"
    lines = unified_diff(split_lines(before), split_lines(after), f"a/{name}", f"b/{name}")
    return "".join(line if line.endswith("\n") else f"{line}\n{NO_NEWLINE}" for line in lines)


def moved_into(diff: str, folder: str) -> str:
    """The diff for the folder around this one, in which it is called so. Raises BadPatch."""
    out: list[str] = []
    lines = split_lines(diff) if folder else []
    while lines:
        name, lines = _header(lines)
        out += [f"{mark}/{folder}/{name}{_tab(folder + name)}\n" for mark in ("--- a", "+++ b")]
        while lines and (found := RANGE.match(lines[0])):
            rest = _hunk(lines[1:], int(found[2] or 1), int(found[4] or 1))[2]
            out += lines[: len(lines) - len(rest)]
            lines = rest
    return "".join(out) or diff


def _tab(name: str) -> str:
    """What ends a name with spaces, for GNU patch."""
    return "\t" if " " in name else ""


def apply_patch(diff: str, files: Mapping[str, str]) -> dict[str, str]:
    """The new text of each file the patch changes.

    Raises BadPatch if a line of context differs, a file is missing, or the patch is malformed. No fuzz, no offsets.
    """
    changed: dict[str, str] = {}
    lines = split_lines(diff)
    while lines:
        name, lines = _header(lines)
        if name not in files or name in changed:
            raise BadPatch(f"{name}: not a file of this repository, or patched twice")
        changed[name], lines = _patched(name, split_lines(files[name]), lines)
    return changed


def _header(lines: list[str]) -> tuple[str, list[str]]:
    if len(lines) < 2 or not lines[0].startswith("--- a/") or not lines[1].startswith("+++ b/"):
        raise BadPatch(f"expected the header of a file, found {lines[0]!r}")
    return lines[1].removeprefix("+++ b/").rstrip("\n").partition("\t")[0], lines[2:]


def _patched(name: str, old: list[str], lines: list[str]) -> tuple[str, list[str]]:
    out: list[str] = []
    at = 0
    while lines and (found := RANGE.match(lines[0])):
        start, count = int(found[1]), int(found[2] or 1)
        start -= count > 0  # an empty range names the line before it
        was, now, lines = _hunk(lines[1:], count, int(found[4] or 1))
        if start < at or old[start : start + count] != was:
            raise BadPatch(f"{name}: line {start + 1} does not read as the patch says")
        out += [*old[at:start], *now]
        at = start + count
    return "".join([*out, *old[at:]]), lines


def _hunk(lines: list[str], old_count: int, new_count: int) -> tuple[list[str], list[str], list[str]]:
    """The old and the new lines of a hunk, and the lines behind it."""
    was: list[str] = []
    now: list[str] = []
    at = 0
    while (len(was), len(now)) != (old_count, new_count):
        if at >= len(lines) or lines[at][0] not in " +-":
            raise BadPatch("a hunk is shorter than its header says")
        sign, text = lines[at][0], lines[at][1:]
        at += 1
        if lines[at : at + 1] == [NO_NEWLINE]:
            text, at = text.removesuffix("\n"), at + 1
        was += [text] if sign in " -" else []
        now += [text] if sign in " +" else []
        if len(was) > old_count or len(now) > new_count:
            raise BadPatch("a hunk is longer than its header says")
    return was, now, lines[at:]
