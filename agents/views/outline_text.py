"""Outline text: an outline as lines for a terminal, none wider than asked for."""

from collections.abc import Iterator
from textwrap import wrap
from unicodedata import combining, east_asian_width

from .outline import Fields, Items, Outline, Table, Text, Word, as_items

LABEL = 24  # columns for the names of fields; a longer name has its value below it


def shown(value: Outline, width: int, whole: str = "") -> list[str]:
    """The lines of a value, each at most `width` columns wide. `whole` says where to see what is left out."""
    return [cut(line, width) for line in _lines(value, max(width, 1), f"; {whole}" if whole else "")]


def cells(said: str) -> int:
    """How many columns of a terminal the text takes."""
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in said)


def cut(said: str, width: int) -> str:
    """The text, cut to `width` columns."""
    if cells(said) <= width:
        return said
    while said and cells(said) >= width:
        said = said[: min(len(said) - 1, width)]
    return said + "…" * (width > 0)


def wrapped(said: str, width: int, hang: str = "") -> list[str]:
    """One line of text in as many lines as it needs; those after the first begin with `hang`."""
    if cells(said) <= width:
        return [said]
    room = width if cells(said) == len(said) else width // 2  # no character takes more than two columns
    if room <= len(hang):
        return [cut(said, width)]
    return wrap(said, room, subsequent_indent=hang, break_on_hyphens=False)


def _lines(value: Outline, width: int, whole: str) -> Iterator[str]:
    if isinstance(value, Word):
        yield from wrapped(value.said, width)
        return
    if isinstance(value, Text):
        for line in value.lines:
            yield from wrapped(line, width)
    elif isinstance(value, Table):
        yield from _table(value, width, whole)
    elif isinstance(value, Items):
        for item in value.items:
            yield from _item(item, width, whole)
    else:
        yield from _fields(value, width, whole)
    if value.left:
        yield value.left + whole


def _table(table: Table, width: int, whole: str) -> Iterator[str]:
    rows = [tuple(head.upper() for head in table.heads), *table.rows]
    widths = [max(map(cells, column)) for column in zip(*rows, strict=True)]
    if sum(widths) + 2 * (len(widths) - 1) > width:
        yield from _lines(as_items(table)._replace(left=""), width, whole)
        return
    for row in rows:
        yield "  ".join(cell + " " * (room - cells(cell)) for cell, room in zip(row, widths, strict=True)).rstrip()


def _item(item: Outline, width: int, whole: str) -> Iterator[str]:
    for n, line in enumerate(_lines(item, max(width - 2, 1), whole)):
        yield ("  " if n else "- ") + line


def _fields(value: Fields, width: int, whole: str) -> Iterator[str]:
    names = [cells(name) for name, each in value.fields if isinstance(each, Word) and cells(name) <= LABEL]
    room = max(names, default=0)
    for name, each in value.fields:
        if isinstance(each, Word) and cells(name) <= LABEL and width > room + 2:
            first, *rest = _lines(each, width - room - 2, whole)
            yield f"{name}{' ' * (room - cells(name))}  {first}"
            yield from (" " * (room + 2) + line for line in rest)
        else:
            yield name
            yield from ("  " + line for line in _lines(each, max(width - 2, 1), whole))
