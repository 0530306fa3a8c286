"""Width: how much room a text takes in a terminal, and lines that are too long, wrapped at words."""

import re
from collections.abc import Iterator
from unicodedata import combining, east_asian_width

from .sanitize import inert


def cells(text: str) -> int:
    """How many columns of a terminal the text takes."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def wrapped(line: str, width: int, hang: int = 0) -> Iterator[str]:
    """The line in as many lines as it needs; those after the first are indented by `hang`, or by less for a word that
    has no room there. It may have colours.

    A word of ASCII is never broken, so that ids, paths and URLs can be copied; it may be wider than `width`.
    """
    row, used, first = "", 0, True
    for part in _parts(line, max(width - hang, 1)):
        room = cells(inert(part))
        if used + room > width and row.strip():
            yield row.rstrip()
            row, first = "", False
        if not row.strip() and not first:
            used = max(0, min(hang, width - room))
            row = " " * used
        if part.strip() or row.strip() or first:
            row, used = row + part, used + room
    yield row.rstrip()


def _parts(line: str, room: int) -> Iterator[str]:
    """The words and the gaps between them. A text in a script without gaps may be broken anywhere."""
    for part in re.split("( +)", line):
        while not part.isascii() and cells(inert(part)) > room:
            most = next(n for n in range(1, len(part) + 1) if n == len(part) or cells(part[: n + 1]) > room)
            yield part[:most]
            part = part[most:]
        yield part
