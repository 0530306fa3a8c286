"""Tracebacks: an exception of a skill as text for the log: the team's own frames, bounded and without secrets.

Frames of the framework and of libraries are folded. Values are shown only if they are plain data: their text is made
here, so no code of the team runs, and an object that guards a secret shows only its type.
"""

import inspect
import linecache
import os
import re
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from itertools import groupby, islice
from reprlib import Repr
from traceback import walk_tb
from types import FrameType, TracebackType
from typing import Any, NamedTuple

from pydantic import ValidationError

from hustings.protocols import Message, ModelFailure, UsageError
from hustings.protocols.validation import first_error

from ..observe.sanitize import inert, masked, tells_secret

MOST = 8 * 1024  # bytes of a traceback, at most
FRAMES = 20  # the innermost frames that are shown of each exception
CHAIN = 4  # exceptions shown of a chain or a group
VALUES = 6  # of a frame
LONG = 200  # characters of a value that is shown alone
_LIBRARIES = tuple({sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")})
_WRITTEN = re.compile(r"""(\w*(?:token|passw(?:or)?d|secret|api_?key)\w*["']?\]?\s*[:=]\s*)(["']).*?\2""", re.I)
_KEY = re.compile(r"\b(?:sk|pk|ghp|gho|xox[abp])[-_][\w-]{12,}|\bBearer\s+\S+")
_SECRET = "***"  # noqa: S105 - what is shown in place of one
_CUT = "… the outer frames are left out\n"
_BETWEEN = {
    True: "The exception above is the cause of this one:",
    False: "While the exception above was handled, this one was raised:",
}


class _Frame(NamedTuple):
    """A frame of a traceback. `package`: what it is folded under; "" for the team's own."""

    frame: FrameType
    line: int
    package: str


def place_of(error: BaseException, skill: Callable[..., object] | None = None) -> str:
    """FILE:LINE of the innermost own frame of an exception, or of its members; else where the skill is defined."""
    code = getattr(inspect.unwrap(skill), "__code__", None) if skill else None
    defined = f"{short(code.co_filename)}:{code.co_firstlineno}" if code else ""
    frame = next(_innermost(error, _package_of(skill) if skill else ""), None)
    return f"{short(frame.frame.f_code.co_filename)}:{frame.line}" if frame else defined


def values_of(error: BaseException, skill: Callable[..., object]) -> dict[str, str]:
    """The values of the frame that `place_of` names, as a traceback shows them: at most VALUES, each of one line."""
    frame = next(_innermost(error, _package_of(skill)), None)
    return {name: _safe(value)[:LONG] for name, value in _values_in(frame)} if frame else {}


def traceback_of(error: BaseException, skill: Callable[..., object]) -> str:
    """The traceback of an exception, with those of its causes or its members, in at most MOST bytes.

    The team's own frames (in the package of the skill, or in no installed one) have file, line, source and values; all
    others are counted. Secrets are masked; if it is too long, the outermost frames are left out.
    """
    text = _safe("\n".join(_told(error, _package_of(skill))))
    if len(text.encode()) <= MOST:
        return text
    kept = text.encode()[-MOST + len(_CUT.encode()) :].decode(errors="ignore")
    return _CUT + kept.partition("\n")[2]


def _package_of(skill: Callable[..., object]) -> str:
    return str(getattr(skill, "__module__", "")).partition(".")[0]


def _safe(text: str) -> str:
    return masked(_KEY.sub(_SECRET, _WRITTEN.sub(rf"\1\2{_SECRET}\2", inert(text))))


def _innermost(error: BaseException, own: str) -> Iterator[_Frame]:
    """The innermost own frame of an exception, then those of its members."""
    frames = [frame for frame in _frames(error.__traceback__, own) if not frame.package]
    yield from frames[-1:]
    for member in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        yield from _innermost(member, own)


def described(error: BaseException) -> str:
    """The type and text of an exception, even if its text raises; of a group also those of its first members."""
    return "; ".join(part for _, part in zip(range(5), _described(error), strict=False))


def _described(error: BaseException) -> Iterator[str]:
    yield _named(error)
    for member in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        yield from _described(member)


def _named(error: BaseException) -> str:
    try:
        text = first_error(error) if isinstance(error, ValidationError) else str(error)
    except Exception as worse:  # noqa: BLE001 - the exception's own code may raise too
        text = f"its text cannot be had: {type(worse).__name__}"
    cure = f". {error.hint}" if isinstance(error, ModelFailure) or type(error) is UsageError else ""
    return f"{type(error).__name__}: {text}{cure}"


def _told(error: BaseException, own: str) -> Iterator[str]:
    for before, because in reversed(_causes(error)):
        yield from _one(before, own)
        yield _BETWEEN[because]
    yield from _one(error, own)
    for member in error.exceptions[:CHAIN] if isinstance(error, BaseExceptionGroup) else ():
        yield "One of its exceptions:"
        yield from _one(member, own)


def _causes(error: BaseException) -> list[tuple[BaseException, bool]]:
    """What was raised before, the latest first; True for a cause, False for what was being handled."""
    found: list[tuple[BaseException, bool]] = []
    while len(found) < CHAIN:
        because = error.__cause__ is not None
        before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if before is None:
            break
        found.append((before, because))
        error = before
    return found


def _one(error: BaseException, own: str) -> Iterator[str]:
    frames = list(_frames(error.__traceback__, own))
    if len(frames) > FRAMES:
        yield f"  … {len(frames) - FRAMES} outer frames"
    for package, group in groupby(frames[-FRAMES:], lambda frame: frame.package):
        if not package:
            for frame in group:
                yield from _shown(frame)
        else:
            count = sum(1 for _ in group)
            yield f"  … {count} {'frame' if count == 1 else 'frames'} of {package}"
    yield _named(error)[:2000]


def _frames(trace: TracebackType | None, own: str) -> Iterator[_Frame]:
    for frame, line in walk_tb(trace):
        yield _Frame(frame, line, _package(frame, own))


def _package(frame: FrameType, own: str) -> str:
    """The package that a frame is folded under; "" for the team's own code, which is shown."""
    name, file = str(frame.f_globals.get("__name__", "")), frame.f_code.co_filename
    package = name.partition(".")[0]
    if package == "hustings":
        return "" if name.startswith("hustings.examples.") else package
    return package if package != own and file.startswith((*_LIBRARIES, "<")) else ""


def _shown(frame: _Frame) -> Iterator[str]:
    code = frame.frame.f_code
    yield f'  File "{short(code.co_filename)}", line {frame.line}, in {code.co_name}'
    if source := linecache.getline(code.co_filename, frame.line, frame.frame.f_globals).strip():
        yield f"    {source[:200]}"
    yield from (f"      {name} = {value}" for name, value in _values_in(frame))


def _values_in(frame: _Frame) -> Iterator[tuple[str, str]]:
    shown = ((name, _value(name, value)) for name, value in [*frame.frame.f_locals.items()] if name.isidentifier())
    return islice(((name, value) for name, value in shown if value), VALUES)


def short(file: str) -> str:
    """The path from the current folder, if the file is in it."""
    return file.removeprefix(os.getcwd() + os.sep)


def _value(name: str, value: object) -> str:
    """A value as text; "" if only its type could be shown."""
    text = _SECRET if tells_secret(name) else _values.repr(value)
    return "" if text.startswith("<") else text


class _Values(Repr):
    """Values of Python's own types for data, and messages; of anything else the type, without a call of its code."""

    def repr1(self, value: Any, level: int) -> str:
        kind = type(value)
        if issubclass(kind, Message):
            return f"{kind.__name__}({self._fields(object.__getattribute__(value, '__dict__'), level)})"
        if kind is dict:
            return f"{{{self._fields(value, level)}}}"
        if kind in _DATA and not (kind is int and value.bit_length() > 200):
            return super().repr1(value, level)
        return f"<{kind.__name__}>"

    def _fields(self, fields: Mapping[object, object], level: int) -> str:
        if level <= 0:
            return "…"
        first = [(name, value) for name, value in islice(fields.items(), VALUES) if type(name) in (str, int)]
        parts = [f"{name}={_SECRET if tells_secret(str(name)) else self.repr1(v, level - 1)}" for name, v in first]
        return ", ".join([*parts, *(["…"] if len(fields) > len(parts) else [])])


_DATA = (type(None), bool, int, float, str, list, tuple, set, frozenset)
_values = _Values()
_values.maxlevel, _values.maxstring, _values.maxother = 3, 120, 60
