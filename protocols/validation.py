"""Validation: what pydantic found wrong with a value, in words. Everything that shows such an error says it so."""

import re
from collections.abc import Mapping

from pydantic import ValidationError
from pydantic_core import ErrorDetails, to_json

SHORT = 80  # characters shown of what was given
_SECRET = re.compile(r"token|passw(or)?d|secret|api[_-]?key|authorization|://", re.I)  # the last: a URL may hold one

_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "text",
    "list": "a list",
    "tuple": "a list",
    "set": "a list",
    "frozen_set": "a list",
    "dict": "an object",
    "mapping": "an object",
    "model": "an object",
    "model_attributes": "an object",
    "dataclass": "an object",
}
_WANTED = {
    **{f"{kind}_type": f"must be {words}" for kind, words in _KINDS.items()},
    **{f"{kind}_parsing": f"must be {_KINDS[kind]}" for kind in ("int", "float", "bool")},
    "int_from_float": "must be a whole number",
    "finite_number": "must be a finite number",
    "sequence_str": "must be a list",
    "none_required": "must be null",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "string_pattern_mismatch": "must match {pattern}",
}
_TOLD = {  # without what was given
    "missing": "is missing",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} items",
    "too_long": "must have at most {max_length} items",
    "json_invalid": "is not JSON: {error}",
    "union_tag_not_found": "must have the field {discriminator}",
    "union_tag_invalid": "has an unknown {discriminator}: {tag:.80}",
}


def errors_in_words(error: ValidationError, *, most: int = 10, whole: str = "it") -> tuple[str, ...]:
    """The first reasons why a value does not fit, as "steps.0.id must be text, not 7"; `whole` names the value itself.

    What was given is shown if it is short and no secret.
    """
    return tuple(error_in_words(each, whole=whole) for each in error.errors(include_url=False)[:most])


def first_error(error: ValidationError, *, whole: str = "it", given: bool = True) -> str:
    """The first reason alone. Unless `given`, the value itself is not shown, only a part of it that is wrong."""
    first = error.errors(include_url=False)[0]
    return error_in_words(first, whole=whole, given=given or bool(first["loc"]))


def first_error_of_others(error: ValidationError, *, whole: str, skip: int = 0) -> str:
    """As `first_error`, for a value of another process, which may be large: nothing of it is looked at or shown.

    The first `skip` parts of the place are left out.
    """
    first = error.errors(include_url=False, include_input=False)[0]
    return error_in_words(first, whole=whole, skip=skip, given=False)


def error_in_words(error: ErrorDetails, *, whole: str = "it", skip: int = 0, given: bool = True) -> str:
    """One reason; the first `skip` parts of its place, and unless `given` what was given, are left out."""
    place = ".".join(str(part) for part in error["loc"][skip:])
    kind, words = error["type"], dict(error.get("ctx", {}))
    if kind == "extra_forbidden":
        return f"there is no field {place}"
    if kind in ("value_error", "assertion_error"):
        return f"{place or whole}: {words['error']}"
    if kind in _TOLD:
        return f"{place or whole} {_TOLD[kind].format_map(words)}"
    wanted = _WANTED[kind].format_map(words) if kind in _WANTED else _must(error["msg"])
    return f"{place or whole} {wanted}{_given(error) if given else ''}"


def _must(message: str) -> str:
    """pydantic's own words, for the kinds of errors that have no others here."""
    wanted = message.removeprefix("Input should ")
    return f"does not fit: {message}" if wanted == message else f"must {wanted}"


def _given(error: ErrorDetails) -> str:
    value = error["input"]
    if isinstance(value, Mapping):
        return ", not an object"
    if isinstance(value, list | tuple | set | frozenset):
        return ", not a list"
    text = repr(value) if isinstance(value, str) else _plain(value)
    if any(_SECRET.search(str(part)) for part in (*error["loc"], text)):
        return ""
    return f", not {_short(text)}"


def _short(text: str) -> str:
    return text if len(text) <= SHORT else f"{text[:SHORT]}…"


def _plain(value: object) -> str:
    if value is None or isinstance(value, bool):
        return to_json(value).decode()
    return repr(value)
