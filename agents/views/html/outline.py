"""Outline: an outline as HTML; whatever agents wrote is escaped text in it."""

from ..outline import Fields, Items, Outline, Table, Text, Word
from .tags import Html, join, table, tag, text


def shown(value: Outline) -> Html:
    """The value as HTML, with what was left out named at the end of each part."""
    if isinstance(value, Word):
        return text(value.said)
    left = [tag("div", value.left, class_="dim")] if value.left else []
    return join([_body(value), *left])


def _body(value: Text | Table | Items | Fields) -> Html:
    if isinstance(value, Text):
        return tag("pre", "\n".join(value.lines), class_="plain")
    if isinstance(value, Table):
        return tag("div", table(value.heads, value.rows), class_="fit")
    if isinstance(value, Items):
        return tag("ul", *(tag("li", shown(item)) for item in value.items))
    return tag("dl", *(part for name, each in value.fields for part in (tag("dt", name), tag("dd", shown(each)))),
               class_="facts")  # fmt: skip
