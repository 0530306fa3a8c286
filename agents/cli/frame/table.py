"""Table: rows in columns, for people."""

import shutil
import sys
from collections.abc import Callable, Sequence

import click

from ...views.text import plain
from .streams import stdout

SHADES = {
    "decided": "green", "decided in part": "yellow",
    "ok": "green", "partial": "yellow", "warn": "yellow", "undecided": "yellow", "lost": "red",
    "running": "cyan", "failed": "red", "fail": "red", "cancelled": "magenta", "gave up": "red",
}  # fmt: skip


def shaded(word: str) -> str:
    """The word in the colour of its meaning: green for good, red for bad."""
    return click.style(word, fg=SHADES[word]) if word in SHADES else word


def table(heads: Sequence[str], rows: Sequence[Sequence[object]], *, shade: int = -1) -> str:
    """The rows in columns below their heads, each cell one line; a terminal's width cuts the last column.

    The words in the column `shade` are coloured. Gives "" without rows.
    """
    if not rows:
        return ""
    cells = [[plain(str(cell)) for cell in row] for row in rows]
    widths = [max(len(row[n]) for row in (heads, *cells)) for n in range(len(heads))]
    room = columns(sys.maxsize) - sum(widths[:-1]) - 2 * (len(heads) - 1)
    lines = [_line([head.upper() for head in heads], widths, room, lambda _, cell: cell)]
    lines += [_line(row, widths, room, lambda n, cell: _paint(cell) if n == shade else cell) for row in cells]
    return "\n".join(lines)


def cut(text: str, room: int) -> str:
    """The text, cut to `room` characters."""
    return text if len(text) <= room else text[: max(room - 1, 0)] + "…"


def _line(row: Sequence[str], widths: Sequence[int], room: int, paint: Callable[[int, str], str]) -> str:
    padded = [paint(n, cell.ljust(width)) for n, (cell, width) in enumerate(zip(row[:-1], widths, strict=False))]
    return "  ".join([*padded, paint(len(row) - 1, cut(row[-1], max(room, 20)))]).rstrip()


def _paint(padded: str) -> str:
    word = padded.rstrip()
    return shaded(word) + padded[len(word) :]


def columns(otherwise: int) -> int:
    """The width of the terminal; `otherwise` if stdout is not a terminal."""
    return shutil.get_terminal_size().columns if stdout().isatty() else otherwise
