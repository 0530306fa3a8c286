"""Malformed messages, made of good ones: none of them may be accepted by anybody."""

from collections.abc import Callable, Iterator
from random import Random

from pydantic import JsonValue
from pydantic_core import from_json, to_json

Fields = dict[str, JsonValue]
LARGE = 400_000  # bytes


def mutants(good: bytes, chance: Random) -> Iterator[bytes]:
    """Messages that are almost this one, which is an object in JSON, without an end. One in two hundred is large."""
    while True:
        yield b"x" * LARGE if chance.random() < 0.005 else chance.choice(_WAYS)(good, chance)


def _truncated(good: bytes, chance: Random) -> bytes:
    return good[: chance.randrange(len(good))]


def _wrong_type(good: bytes, chance: Random) -> bytes:
    """One field, of the message or of its data, is of another type: 1 is "1", a text a number."""
    message, fields = _read(good)
    name = chance.choice([name for name, value in fields.items() if value is not None])
    fields[name] = _other(fields[name])
    return to_json(message)


def _missing(good: bytes, chance: Random) -> bytes:
    message = _plain(good)
    for name in ("type", "data", "runid", "agent", "run"):  # what an envelope, a heartbeat, a progress cannot lack
        message.pop(name, None)
    return to_json(message)


def _deep(good: bytes, chance: Random) -> bytes:
    return b'{"data":' + b"[" * 5_000 + b"]" * chance.choice((0, 5_000)) + b"}"


def _number(good: bytes, chance: Random) -> bytes:
    """A number in the place of the first text: huge, or none at all."""
    return _first_text(good, chance.choice((b"1" + b"0" * 5000, b"NaN", b"-Infinity", b"1e999999", b"0x10", b"01")))


def _text(good: bytes, chance: Random) -> bytes:
    """The first text is none: half of a surrogate pair, bytes that are no UTF-8, a line break as it is."""
    return _first_text(good, chance.choice((rb'"\ud800"', b'"\xff\xfe"', b'"\xed\xa0\x80"', b'"a\nb"', rb'"\x"')))


def _another_kind(good: bytes, chance: Random) -> bytes:
    """A type that nobody knows, a newer major version, another run; of what has no envelope, another agent."""
    message = _plain(good)
    if "type" not in message:
        return to_json({**message, "agent": chance.choice(("", "a b", "*", ">", "a.b", "x" * 5000, "somebody"))})
    kind = str(message["type"])
    changes = {"type": "hustings.surprise.v1"}, {"type": kind.removesuffix("1") + "2"}, {"runid": "another"}
    return to_json({**message, **chance.choice(changes)})


def _bytes(good: bytes, chance: Random) -> bytes:
    return chance.choice((b"", b"\0", b"null", b"[]", b"{}", b"\xef\xbb\xbf" + good, chance.randbytes(300)))


_WAYS: tuple[Callable[[bytes, Random], bytes], ...] = (
    _truncated,
    _wrong_type,
    _missing,
    _deep,
    _number,
    _text,
    _another_kind,
    _bytes,
)


def _plain(good: bytes) -> Fields:
    message: Fields = from_json(good)
    return message


def _read(good: bytes) -> tuple[Fields, Fields]:
    """The message, and the part of it to be changed."""
    message = _plain(good)
    data = message.get("data")
    return message, data if isinstance(data, dict) and data else message


def _other(value: JsonValue) -> JsonValue:
    match value:
        case str():
            return 1
        case dict():
            return []
        case list():
            return {"0": value}
        case _:
            return str(value)


def _first_text(good: bytes, instead: bytes) -> bytes:
    name, text = next((name, text) for name, text in _plain(good).items() if isinstance(text, str))
    return good.replace(to_json(name) + b":" + to_json(text), to_json(name) + b":" + instead, 1)
