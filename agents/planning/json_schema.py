"""JSON Schema: checks a value against the subset of JSON Schema that messages use."""

from collections.abc import Iterator

from pydantic import JsonValue

from hustings.protocols import Data

DEEP, MOST = 50, 20_000  # levels and places that are checked; an agent's schema is untrusted, and may refer to itself
_KINDS: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}
_BOUNDS = (("minLength", "minItems", "minimum"), ("maxLength", "maxItems", "maximum"))


def unlike(value: JsonValue, schema: Data) -> Iterator[str]:
    """Where and why a value does not fit the schema. Fields that the schema does not name do not fit.

    Checks types, fields, choices and bounds. The rest, such as patterns, is checked when the message is read. Raises
    nothing, whatever the schema is.
    """
    named = schema.get("$defs")
    yield from _Look(named if isinstance(named, dict) else {}).at("", value, schema)


class _Look:
    """One check of a value. Whatever lies beyond DEEP and MOST counts as fitting."""

    def __init__(self, named: Data) -> None:
        self.named = named
        self.left = MOST

    def at(self, place: str, value: JsonValue, schema: JsonValue, deep: int = DEEP) -> Iterator[str]:
        self.left -= 1
        if not isinstance(schema, dict) or deep == 0 or self.left < 0:
            return
        if isinstance(name := schema.get("$ref"), str):
            yield from self.at(place, value, self.named.get(name.rpartition("/")[2]), deep - 1)
        elif isinstance(choices := schema.get("anyOf", schema.get("oneOf")), list):
            tried = (list(self.at(place, value, choice, deep - 1)) for choice in choices)
            yield from min(tried, key=len, default=[])
        else:
            yield from _at_once(place, value, schema) or self._within(place, value, schema, deep - 1)

    def _within(self, place: str, value: JsonValue, schema: Data, deep: int) -> Iterator[str]:
        if isinstance(value, list):
            for number, element in enumerate(value):
                yield from self.at(f"{place}[{number}]", element, schema.get("items"), deep)
        elif isinstance(value, dict):
            yield from _names(place, value, schema)
            fields = schema.get("properties")
            for name, field in fields.items() if isinstance(fields, dict) else ():
                if name in value:
                    yield from self.at(_at(place, name), value[name], field, deep)


def _at_once(place: str, value: JsonValue, schema: Data) -> list[str]:
    """What is wrong with the value itself, without its elements."""
    kind, choices = schema.get("type"), schema.get("enum", [schema["const"]] if "const" in schema else None)
    if isinstance(kind, str) and not _is(value, kind):
        return [f"{place or 'it'} must be of the type {kind}"]
    if isinstance(choices, list) and value not in choices:
        return [f"{place or 'it'} must be one of {', '.join(str(choice) for choice in choices)}"]
    return list(_beyond(place, value, schema))


def _is(value: JsonValue, kind: str) -> bool:
    expected = _KINDS.get(kind)
    return expected is None or (isinstance(value, expected) and (kind == "boolean" or not isinstance(value, bool)))


def _beyond(place: str, value: JsonValue, schema: Data) -> Iterator[str]:
    if isinstance(value, bool | dict) or value is None:
        return
    size = value if isinstance(value, int | float) else len(value)
    for bounds, sign in zip(_BOUNDS, (1, -1), strict=True):
        for bound in (schema.get(name) for name in bounds):
            if isinstance(bound, int | float) and sign * size < sign * bound:
                yield f"{place or 'it'} must be {'at least' if sign > 0 else 'at most'} {bound}{_unit(value)}"


def _unit(value: JsonValue) -> str:
    return " characters long" if isinstance(value, str) else " elements long" if isinstance(value, list) else ""


def _names(place: str, value: Data, schema: Data) -> Iterator[str]:
    fields, needed = schema.get("properties"), schema.get("required")
    if isinstance(needed, list):
        yield from (f"{_at(place, name)} is missing" for name in needed if isinstance(name, str) and name not in value)
    if isinstance(fields, dict):
        yield from (f"there is no field {_at(place, name)}" for name in value if name not in fields)


def _at(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
