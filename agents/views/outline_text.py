"""Outline text: an outline as lines for a terminal, none wider than asked for, except for a long word."""

from collections.abc import Iterator

from ..observe.width import cells, wrapped
from .outline import Fields, Items, Outline, Table, Text, Word, as_items

LABEL = 24  # columns for the names of fields; a longer name has its value below it


def shown(value: Outline, width: int, whole: str = "") -> list[str]:
    """The lines of a value, each at most `width` columns wide, but a word of ASCII is never broken. `whole` says where
    to see what is left out."""
    return list(_lines(value, max(width, 1), f"; {whole}" if whole else ""))


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
        yield from wrapped(value.left + whole, width)


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
            yield from wrapped(name, width)
            yield from ("  " + line for line in _lines(each, max(width - 2, 1), whole))
