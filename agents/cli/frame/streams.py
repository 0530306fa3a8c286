"""Streams: the three standard descriptors of a command. Stdout carries data only, whatever other code prints."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from typing import IO

_kept: list[IO[str]] = []  # the stream for data while a verb runs


@contextmanager
def own_descriptors() -> Iterator[None]:
    """Put the descriptors of this process in order. Call it first.

    Closed ones are opened on the null device: else the next file opened would be taken for stdin, stdout or stderr,
    here and in children. Descriptor 1 becomes stderr, because a library, a child or the interpreter at exit may write
    to it; what is written to `sys.stdout` inside the block goes to the original stdout.
    """
    _open_closed()
    encoding, errors = sys.stdout.encoding, sys.stdout.errors
    sys.stdout.flush()
    with open(os.dup(1), "w", encoding=encoding, errors=errors) as data:
        os.dup2(2, 1)
        sys.stdout = data
        try:
            yield
        finally:
            sys.stdout = sys.stderr
            with suppress(OSError):
                data.flush()


@contextmanager
def reserved() -> Iterator[None]:
    """Inside the block only what is written to `stdout()` goes to stdout; whatever else is printed goes to stderr."""
    _kept.append(stdout())
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        _kept.pop()


def stdout() -> IO[str]:
    """The stream for data."""
    return _kept[-1] if _kept else sys.stdout


def _open_closed() -> None:
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # open() gives the lowest free number, which is this one
            os.set_inheritable(number, True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115 - for as long as the process lives


__all__ = ["own_descriptors", "reserved", "stdout"]
