"""Outline: any JSON value in the form in which text and HTML show it: words, texts, lists, tables, fields."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from pydantic import JsonValue

from ..observe.sanitize import inert

INLINE = 60  # characters of a list of short values that is shown in one line
COLUMNS = 8  # of a table at most
NAME = 40  # characters shown of a field's name
_BLOB = {"digest", "size", "name", "kind", "folder"}


class Limits(NamedTuple):
    """What is shown at most: the characters and lines of a text, the items of a list, the levels of nesting."""

    characters: int = 600
    lines: int = 12
    items: int = 20
    levels: int = 6


class Word(NamedTuple):
    """A value in one line."""

    said: str


class Text(NamedTuple):
    """A text of several lines; `left` says what was cut off."""

    lines: tuple[str, ...]
    left: str = ""


class Table(NamedTuple):
    """Messages without nesting, a row each."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: str = ""


class Items(NamedTuple):
    """A list."""

    items: tuple["Outline", ...]
    left: str = ""


class Fields(NamedTuple):
    """A message: its fields by name. A field that is a message of one field is shown as `outer.inner`."""

    fields: tuple[tuple[str, "Outline"], ...]
    left: str = ""


Outline: TypeAlias = Word | Text | Table | Items | Fields
TERMINAL, PAGE = Limits(), Limits(characters=200_000, lines=2000, items=500, levels=12)


def outline(value: JsonValue, limits: Limits = TERMINAL) -> Outline:
    """The value in the form in which it is shown. Its strings have no control characters; only a Text has lines."""
    if isinstance(value, dict):
        return _fields(value, limits)
    if isinstance(value, list):
        return _list(value, limits)
    return _text(value, limits) if isinstance(value, str) else Word(_scalar(value))


def as_items(table: Table) -> Items:
    """A table as a list, for where it is too wide."""
    rows = (Fields(tuple((h, Word(c)) for h, c in zip(table.heads, row, strict=True) if c)) for row in table.rows)
    return Items(tuple(rows), table.left)


def _fields(value: Mapping[str, JsonValue], limits: Limits) -> Outline:
    if blob := _blob(value):
        return Word(blob)
    if not value or not limits.levels:
        return Word(f"{len(value)} fields" if value else "nothing")
    inner = limits._replace(levels=limits.levels - 1)
    pairs = [_joined(_name(name), outline(each, inner)) for name, each in list(value.items())[: limits.items]]
    return Fields(tuple(pairs), _left(len(value) - limits.items, "fields"))


def _joined(name: str, shown: Outline) -> tuple[str, Outline]:
    if isinstance(shown, Fields) and len(shown.fields) == 1 and not shown.left:
        inner, shown = shown.fields[0]
        return f"{name}.{inner}", shown
    return name, shown


def _list(value: Sequence[JsonValue], limits: Limits) -> Outline:
    words = [_cell(each) for each in value[: INLINE + 1]]
    if not any(word is None or " " in word for word in words):
        line = ", ".join(filter(None, words))
        if len(line) <= INLINE and len(words) == len(value):
            return Word(line or "none")
    if not limits.levels:
        return Word(f"{len(value)} items")
    shown, left = value[: limits.items], _left(len(value) - limits.items, "items")
    inner = limits._replace(levels=limits.levels - 1)
    return _table(shown, left) or Items(tuple(outline(each, inner) for each in shown), left)


def _table(rows: Sequence[JsonValue], left: str) -> Table | None:
    """The messages as a table, if there are several and each value of each is one line."""
    messages = [row for row in rows if isinstance(row, dict)]
    heads = tuple(dict.fromkeys(name for row in messages for name in row))
    if len(messages) < max(len(rows), 2) or not 0 < len(heads) <= COLUMNS:
        return None
    cells = [tuple(_cell(row[name]) if name in row else "" for name in heads) for row in messages]
    flat = [tuple(cell for cell in row if cell is not None) for row in cells]
    return Table(tuple(map(_name, heads)), tuple(flat), left) if flat == cells else None


def _cell(value: JsonValue) -> str | None:
    """The value in one line; None if it has more, or parts."""
    if isinstance(value, dict):
        return _blob(value) or None
    if isinstance(value, list) or (isinstance(value, str) and len(value.splitlines()) > 1):
        return None
    return _line(value) if isinstance(value, str) else _scalar(value)


def _blob(value: Mapping[str, JsonValue]) -> str:
    """A blob by its name and size; "" if the value is not a blob."""
    size, digest = value.get("size"), value.get("digest")
    if not (isinstance(size, int) and isinstance(digest, str) and value.keys() <= _BLOB):
        return ""
    name = "/".join(str(part) for part in (value.get("name") or digest[:16], value.get("folder")) if part)
    return f"{_line(name)} ({value.get('kind') or 'file'}, {size:,} {'byte' if size == 1 else 'bytes'})"


def _text(value: str, limits: Limits) -> Outline:
    said = inert(value).expandtabs(4).strip("\n")
    lines = said[: limits.characters].splitlines()
    if len(lines) > limits.lines:
        return Text(tuple(lines[: limits.lines]), _left(len(said.splitlines()) - limits.lines, "lines"))
    if len(said) > limits.characters:
        return Text(tuple(lines), _left(len(said) - limits.characters, "characters"))
    return Text(tuple(lines)) if len(lines) > 1 else Word(said.strip() or '""')


def _scalar(value: JsonValue) -> str:
    return {None: "none", True: "yes", False: "no"}[value] if value is None or isinstance(value, bool) else str(value)


def _line(said: str) -> str:
    return " ".join(inert(said).split()) or '""'


def _name(said: str) -> str:
    name = _line(said)
    return name if len(name) <= NAME else name[: NAME - 1] + "…"


def _left(number: int, noun: str) -> str:
    return f"… {number:,} more {noun if number > 1 else noun[:-1]}" if number > 0 else ""
