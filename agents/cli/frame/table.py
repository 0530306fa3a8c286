"""Table: rows in columns, for people. Nothing is wider than the terminal; cells are wrapped at words."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest

import click

from ...observe.width import cells, wrapped
from ...views.text import plain
from .streams import stdout
from .width import WIDE, width_of

SHADES = {
    "decided": "green", "decided in part": "yellow",
    "ok": "green", "partial": "yellow", "warn": "yellow", "undecided": "yellow", "lost": "red",
    "running": "cyan", "failed": "red", "fail": "red", "cancelled": "magenta", "gave up": "red",
}  # fmt: skip
APART = 2  # spaces between columns
ROOM, LAST = 16, 24  # columns that wrapped text needs to be read; and in the last column
TALL = 4  # lines of a cell
NONE = "-"  # in a cell: there is nothing to say


def shaded(word: str) -> str:
    """The word in the colour of its meaning: green for good, red for bad."""
    return click.style(word, fg=SHADES[word]) if word in SHADES else word


def table(heads: Sequence[str], rows: Sequence[Sequence[object]], *, shade: int = -1) -> str:
    """The rows in columns below their heads, each row one line if the terminal is wide enough.

    Else text is wrapped at words, to TALL lines at most, and the last column stands below its row if there is no
    room for it. The words in the column `shade` are coloured. Gives "" without rows.
    """
    if not rows:
        return ""
    width = width_of(stdout())
    told = [[head.upper() for head in heads], *([plain(str(cell)) for cell in row] for row in rows)]
    widths = _fitted(told, width)
    lines = [line for n, row in enumerate(told) for line in _lines(row, widths, width, shade if n else -1)]
    return "\n".join(lines)


def cut(text: str, room: int) -> str:
    """The text, cut to `room` characters, at a word if there is one to cut at."""
    if len(text) <= room:
        return text
    short = text[: max(room - 1, 0)]
    words = short if text[len(short)].isspace() else short.rpartition(" ")[0]
    return (words.rstrip() if len(words) > room // 2 else short) + "…"


def columns(otherwise: int) -> int:
    """The width of the terminal; `otherwise` if stdout is not a terminal."""
    width = width_of(stdout())
    return otherwise if width == WIDE else width


def _fitted(rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """The widths of the columns that stand beside each other, all of them unless they cannot be made narrow enough."""
    columns = list(zip(*rows, strict=True))
    widths = [max(map(cells, column)) for column in columns]
    least = [min(own, max(ROOM, *map(_longest, column))) for own, column in zip(widths, columns, strict=True)]
    least[-1] = min(widths[-1], LAST)  # there a long word is in nobody's way
    while len(widths) > 1 and sum(least) + APART * (len(least) - 1) > width:
        widths.pop(), least.pop()
    while sum(widths) + APART * (len(widths) - 1) > width and widths != least:
        widest = max((n for n in range(len(widths)) if widths[n] > least[n]), key=lambda n: widths[n])
        widths[widest] -= 1
    return widths


def _longest(cell: str) -> int:
    return max(map(cells, cell.split()), default=0)


def _lines(row: Sequence[str], widths: Sequence[int], width: int, shade: int) -> Iterator[str]:
    stacks = [_wrapped(cell, room) for cell, room in zip(row, widths, strict=False)]
    for parts in zip_longest(*stacks, fillvalue=""):
        padded = [part + " " * (room - cells(part)) for part, room in zip(parts, widths, strict=True)]
        yield (" " * APART).join(_paint(cell) if n == shade else cell for n, cell in enumerate(padded)).rstrip()
    if rest := (" " * APART).join(cell for cell in row[len(widths) :] if cell not in ("", NONE)):
        yield from (f"    {line}" for line in _wrapped(rest, width - 4))


def _wrapped(cell: str, room: int) -> list[str]:
    lines = list(wrapped(cell, room))
    return lines if len(lines) <= TALL else [*lines[: TALL - 1], cut(f"{lines[TALL - 1]} {lines[TALL]}", room)]


def _paint(padded: str) -> str:
    word = padded.rstrip()
    return shaded(word) + padded[len(word) :]


__all__: Sequence[str] = ["columns", "cut", "shaded", "table"]
