"""Tags: HTML and SVG from Python calls. Everything else is escaped text, so agents cannot write markup."""

from collections.abc import Iterable, Sequence
from html import escape

from ...observe.sanitize import inert

Row = Sequence[object]

_VOID = frozenset({"meta", "br"})


class Html(str):
    """Markup. Only `tag`, `join` and `trusted` make it; any other string is escaped where it is inserted."""

    __slots__ = ()


def text(said: object) -> Html:
    """Anything as text: without control characters, and escaped."""
    return said if isinstance(said, Html) else Html(escape(inert(str(said))))


def tag(name: str, /, *parts: object, **attributes: object) -> Html:
    """An element. `class_` is class, `stroke_width` is stroke-width; None and False leave an attribute out.

    Parts that are not Html are escaped, attribute values always.
    """
    given = "".join(_attribute(key, value) for key, value in attributes.items() if value is not None)
    if name in _VOID:
        return Html(f"<{name}{given}>")
    return Html(f"<{name}{given}>{''.join(map(text, parts))}</{name}>")


def join(parts: list[Html], between: str = "") -> Html:
    """Several pieces as one."""
    return Html(text(between).join(parts))


def trusted(markup: str) -> Html:
    """Markup that we wrote ourselves, unchanged. Never use it for what an agent wrote."""
    return Html(markup)


def _attribute(key: str, value: object) -> str:
    if value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(inert(str(value)))}"'


def number(value: float) -> str:
    """A coordinate in its shortest form."""
    return f"{value:.1f}".rstrip("0").rstrip(".")


def table(heads: Sequence[str], rows: Sequence[Row], *, numbers: Iterable[int] = ()) -> Html:
    """A table in a box of its own; the columns `numbers` are right-aligned."""
    return tag("div", grid(heads, rows, numbers=numbers), class_="box", tabindex=0)


def grid(heads: Sequence[str], rows: Iterable[Row], *, numbers: Iterable[int] = ()) -> Html:
    """A table without a box."""
    right = set(numbers)
    kinds = ["n" if n in right else "tight" if n == 0 else None for n in range(len(heads))]
    top = tag("tr", *(tag("th", head, class_=kind) for head, kind in zip(heads, kinds, strict=True)))
    body = [tag("tr", *(tag("td", cell, class_=kind) for cell, kind in zip(row, kinds, strict=True))) for row in rows]
    return tag("table", tag("thead", top), tag("tbody", *body))


def cut(said: str, room: int) -> str:
    """The text, cut to `room` characters."""
    return said if len(said) <= room else said[: room - 1] + "…"
