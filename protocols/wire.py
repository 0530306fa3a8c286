"""Wire: checks that a message can be sent, and that a reader will get exactly what was sent."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, SchemaValidator, core_schema, from_json

from .errors import Unreadable, Unsendable
from .message import Data, Message
from .validation import first_error

DEEPEST = 150  # levels of nesting in what a client or agent sends: a goal, a result, an ask
ROOM = 25  # levels that an event may add around it when it is passed on
READABLE = 200  # levels that a JSON reader accepts (jiter's own bound)
LARGEST = 64 * 2**20  # bytes in one message; more goes into a Blob

_NESTED = SchemaValidator(core_schema.typed_dict_schema({}))  # parses everything and builds nothing
_ALIKE = bytes.maketrans(b"123456789e", b"000000000E")
_END = rb"(?![^\s,\]}])"  # behind a number; in a digest or another string, something else follows
_ODD = {  # JSON with an infinite number in it has one of these, by its fixed part, which is found faster
    b"NaN": re.compile(rb"NaN" + _END),
    b"Infinity": re.compile(rb"Infinity" + _END),
    b"0E000": re.compile(rb"0E0{3,}" + _END),
    b"0E+000": re.compile(rb"0E\+0{3,}" + _END),
    b"0" * 200: re.compile(rb"0{200}"),
}
_FINITE: TypeAdapter[JsonValue] = TypeAdapter(JsonValue, config=ConfigDict(allow_inf_nan=False))


def check_legible(raw: bytes, deepest: int = DEEPEST) -> None:
    """Raises Unreadable if the JSON has a number that is not finite, or more than `deepest` levels of nesting.

    READABLE levels are not counted: whoever reads the JSON finds out.
    """
    try:
        if deepest < READABLE and raw.count(b"[") + raw.count(b"{") > deepest:
            spare = READABLE - deepest  # that many objects around it leave the reader `deepest` levels
            _NESTED.validate_json(b'{"":' * spare + raw + b"}" * spare)
        alike = raw.translate(_ALIKE)
        if any(fixed in alike and odd.search(alike) for fixed, odd in _ODD.items()):
            _FINITE.validate_python(from_json(raw, allow_inf_nan=False))  # 1e400 is read as infinity
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise Unreadable(_why(str(first.get("ctx", {}).get("error", "")), deepest)) from None
    except ValueError as error:
        raise Unreadable(_why(str(error), deepest)) from None


def sent(message: Message, as_what: type[Message] | None = None) -> Data:
    """The message as plain JSON values, checked as by `written`."""
    return cast("Data", from_json(written(message, as_what)))


def written(message: Message, as_what: type[Message] | None = None) -> bytes:
    """The message as JSON, checked: it reads as exactly this message again.

    `as_what` is the class that readers use, if not the message's own. Raises Unsendable if something in it would be
    lost or changed on the way, or could not be read.
    """
    known_as = as_what or type(message)
    name = type(message).__name__
    try:
        raw = message.__pydantic_serializer__.to_json(message, by_alias=False, round_trip=True, warnings=False)
    except (PydanticSerializationError, UnicodeError, RecursionError, ValueError) as error:
        raise Unsendable(f"{name} cannot be sent", _why(str(error), DEEPEST)) from None
    if len(raw) > LARGEST:
        raise Unsendable(f"{name} cannot be sent", f"it has {len(raw)} bytes, the limit is {LARGEST}")
    try:
        check_legible(raw)
        back = known_as.model_validate_json(raw)
    except Unreadable as error:
        raise Unsendable(f"{name} cannot be sent", str(error)) from None
    except ValidationError as error:
        raise Unsendable(f"{name} cannot be sent", f"a reader would reject it: {first_error(error)}") from None
    if back != message and (different := next(_differences(message, back, top=True), "")):
        raise Unsendable(f"{name} cannot be sent", f"it would arrive changed: {different}")
    return raw


def plain(message: Message) -> Data:
    """The message as plain JSON values, unchecked. Works also if a field is called `plain`."""
    return Message.plain(message)


def _why(error: str, deepest: int) -> str:
    if "depth exceeded" in error or error.startswith("recursion limit"):
        return f"it is nested more than {deepest} levels deep"
    if error.startswith("number out of range"):
        return "a number in it has too many digits"
    if not error or error.startswith("expected value"):
        return "a number in it is not finite"
    return f"it cannot be written as JSON: {error.removeprefix('Error serializing to JSON: ').partition(' at line')[0]}"


def _differences(said: object, read: object, place: str = "", *, top: bool = False) -> Iterator[str]:
    """How the message that was read differs from the one sent. At the `top` a subclass without new fields passes."""
    if isinstance(said, BaseModel) and isinstance(read, BaseModel):
        if type(said) is not type(read) and not (top and isinstance(said, type(read))):
            yield f"{place} is {type(said).__name__}, and would arrive as {type(read).__name__}"
        else:
            yield from _within(_fields(said), _fields(read), place)
    elif isinstance(said, Mapping) and isinstance(read, Mapping):
        yield from _within(said, read, place)
    elif isinstance(said, list | tuple) and type(said) is type(read):
        yield from _within(dict(enumerate(said)), dict(enumerate(cast("Sequence[object]", read))), place)
    elif said != read:
        yield f"{place} would have another value"


def _within(said: Mapping[Any, object], read: Mapping[Any, object], place: str) -> Iterator[str]:
    for name in (*said, *read.keys() - said.keys()):
        inner = f"{place}.{name}" if place else str(name)
        if name in said and name in read:
            yield from _differences(said[name], read[name], inner)
        else:
            yield f"{inner} would be lost" if name in said else f"{inner} would be there as well"


def _fields(message: BaseModel) -> dict[str, object]:
    fields = {name: message.__dict__.get(name) for name in type(message).model_fields}
    return fields | (message.__pydantic_extra__ or {})
