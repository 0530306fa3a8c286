"""Structured: a model's answer as a message, with our own schema and our own parser.

A model's server enforces the shape of an answer, not its bounds (minimum, pattern, length), so the bounds are told in
words, and pydantic checks them afterwards.
"""

from typing import TypeVar, cast

from pydantic import JsonValue, ValidationError
from pydantic_core import to_json

from hustings.protocols import Data, Message
from hustings.protocols.validation import errors_in_words

M = TypeVar("M", bound=Message)

_KEPT = {"type", "enum", "const", "anyOf", "allOf", "$ref", "items", "properties", "required", "description", "$defs"}
_TOLD = (
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    *("minLength", "maxLength", "pattern", "minItems", "maxItems", "uniqueItems", "format"),
)
_ANYTHING: list[JsonValue] = [{"type": kind} for kind in ("string", "number", "boolean", "null")]


class Unfit(Exception):
    """The answer does not fit the wanted message; the text tells the model why."""


class Boundless(Exception):
    """A schema has an object with free names, which no server can enforce."""


def shape_of(answer: type[Message]) -> Data | None:
    """The closed JSON Schema of a message: every object has its own fields and no other.

    None if an object has free names, which cannot be closed; then the model must be told in words.
    """
    try:
        return cast("Data", _closed(answer.model_json_schema(by_alias=False)))
    except Boundless:
        return None


def in_words(answer: type[Message]) -> str:
    """The same, in words for the model."""
    schema = to_json(answer.model_json_schema(by_alias=False), indent=1).decode()
    return f"Answer with one JSON object and nothing else. It fits this JSON Schema:\n{schema}"


def read(text: str, answer: type[M]) -> M:
    """The message in a text: the whole text, or the object in it if the model has put words around. Raises Unfit."""
    start, end = text.find("{"), text.rfind("}")
    try:
        return answer.model_validate_json(text[start : end + 1] if 0 <= start < end else text)
    except ValidationError as error:
        raise Unfit("\n".join(errors_in_words(error, whole="the answer"))) from None


def _closed(schema: JsonValue) -> JsonValue:
    if not isinstance(schema, dict):
        return schema
    if not schema.keys() & {"type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref"}:
        return {**_told(schema), "anyOf": _ANYTHING}
    found: Data = {key: value for key, value in _told(schema).items() if key in _KEPT}
    if "oneOf" in schema:
        found["anyOf"] = schema["oneOf"]
    for key in ("anyOf", "allOf"):
        if isinstance(several := found.get(key), list):
            found[key] = [_closed(each) for each in several]
    for key in ("properties", "$defs"):
        if isinstance(named := found.get(key), dict):
            found[key] = {name: _closed(each) for name, each in named.items()}
    if "items" in found:
        found["items"] = _closed(found["items"])
    elif isinstance(pair := schema.get("prefixItems"), list):  # of a tuple: any of its elements
        found["items"] = {"anyOf": [_closed(each) for each in pair]}
    if found.get("type") == "object":
        if schema.get("additionalProperties", False) is not False:
            raise Boundless
        found["additionalProperties"] = False
    return found


def _told(schema: Data) -> Data:
    """Put the bounds that a server does not enforce into the description."""
    bounds = [f"{key} {schema[key]}" for key in _TOLD if key in schema]
    words = [str(schema[key]) for key in ("description",) if key in schema]
    return {**schema, "description": ". ".join([*words, ", ".join(bounds)])} if bounds else schema
