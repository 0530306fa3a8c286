"""Streams: what the three descriptors of a command are for. Stdout is data only, whatever anybody prints."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from typing import IO

_kept: list[IO[str]] = []  # where data goes while a verb is at work


@contextmanager
def own_descriptors() -> Iterator[None]:
    """Put the descriptors of this process in order, first thing and for good.

    What is closed is opened on the null device: else the next file to be opened would be taken for stdin, stdout or
    stderr, here and in children. Descriptor 1 becomes stderr, for a library, a child or the exit of the interpreter may
    write there; what is told on `sys.stdout` while the block runs goes to where it had pointed.
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
    """While the block runs only what is written to `stdout()` goes there; what anybody else prints goes to stderr."""
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
            os.open(os.devnull, os.O_RDWR)  # gives the lowest number that is free, which is this one
            os.set_inheritable(number, True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115 - for as long as the process lives


__all__ = ["own_descriptors", "reserved", "stdout"]
