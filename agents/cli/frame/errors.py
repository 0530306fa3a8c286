"""Errors for people: one line says what failed, one why, one what to try. A traceback only with --debug."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, Self

import click

from ...observe.sanitize import inert
from .hints import did_you_mean, shadowing
from .output import say

INTERRUPTED = 130
BROKEN_PIPE = 141  # as shells report a program that SIGPIPE ended


class Shape(NamedTuple):
    """An error, ready to be shown."""

    what: str
    why: str
    hint: str
    code: int

    def lines(self) -> list[str]:
        """One line for each part that is not empty."""
        parts = (("error", self.what), ("  why", self.why), ("  try", self.hint))
        return [f"{word}: {' '.join(inert(text).split())}" for word, text in parts if text]


class NoSuchVerb(click.UsageError):
    """The verb does not exist; `possibilities` are the verbs that look like it."""

    def __init__(self, name: str, possibilities: Sequence[str], ctx: click.Context) -> None:
        super().__init__(f"there is no verb {name!r}", ctx)
        self.possibilities = possibilities


class Boundary:
    """Turn any exception raised inside the block into up to three lines on stderr and an exit code.

    It swallows nothing: every exception leaves the block as SystemExit.
    `debug` may be set later, when the options have been read.
    """

    def __init__(self, *, debug: bool) -> None:
        self.debug = debug

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None or isinstance(error, SystemExit):
            return
        found = first_of(error)
        if isinstance(found, SystemExit):
            raise found
        if self.debug:
            _say_traceback(error)
        sys.exit(_report(found, self.debug))


def first_of(error: BaseException) -> BaseException:
    """The error to show: of an exception group the first HustingsError in it, else its first leaf."""
    leaves = list(_leaves(error))
    return next((leaf for leaf in leaves if _is_ours(leaf)), leaves[0])


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from _leaves(part)
    else:
        yield error


def _is_ours(error: BaseException) -> bool:
    protocols = sys.modules.get(
        "hustings.protocols"
    )  # if it is not imported, the error is not ours; importing it would load pydantic
    return isinstance(error, getattr(protocols, "HustingsError", ()))


def _report(error: BaseException, debug: bool) -> int:
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):
        _mute_stdout()
        return BROKEN_PIPE
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        say(error.format_message())
        return error.exit_code
    shape = _shape(error, debug)
    say("\n".join(shape.lines()))
    return shape.code


def _shape(error: Any, debug: bool) -> Shape:
    if isinstance(error, click.UsageError):
        return _usage(error)
    if isinstance(error, click.ClickException):
        return Shape(error.format_message(), "", "", error.exit_code)
    if _is_ours(error):
        return Shape(error.what, error.why, error.hint, error.exit_code)
    hint = shadowing(error) or (
        "report this to the authors of hustings, with the traceback above"
        if debug
        else "run it again with --debug to see where the error comes from"
    )
    return Shape(f"internal: {type(error).__name__}: {error}".rstrip(": "), "", hint, 1)


def _usage(error: click.UsageError) -> Shape:
    message = error.message if hasattr(error, "possibilities") else error.format_message()
    path = error.ctx.command_path if error.ctx else "hustings"
    usage = " ".join(error.ctx.get_usage().split()).removeprefix("Usage: ") if error.ctx else ""
    hint = did_you_mean(getattr(error, "possibilities", None)) or f"`{path} --help` lists its arguments and options"
    return Shape(message.rstrip("."), f"the usage is: {usage}" if usage else "", hint, error.exit_code)


def _say_traceback(error: BaseException) -> None:
    import traceback

    say("".join(traceback.format_exception(error)).rstrip())


def _mute_stdout() -> None:
    """The reader is gone; without this the interpreter would print an error when it flushes at exit."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
