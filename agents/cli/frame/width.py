"""Width: how wide a terminal is, and lines that are too long for it, wrapped at words. An id is never broken."""

import os
import re
import sys
from typing import IO

import click

from ...observe.width import wrapped

WIDE = sys.maxsize  # a pipe has no width, so nothing is wrapped for it
_GAP = re.compile(r"(?<=\S) {2,}(?=\S)| \| |^ *\S{1,10}: ")  # what follows is wrapped below its own begin


def width_of(stream: IO[str]) -> int:
    """The columns of the terminal; WIDE if the stream is not a terminal."""
    if not stream.isatty():
        return WIDE
    if os.environ.get("COLUMNS", "").isdigit():
        return int(os.environ["COLUMNS"]) or WIDE
    try:
        return os.get_terminal_size(stream.fileno()).columns or WIDE
    except (OSError, ValueError):
        return WIDE


def folded(text: str, width: int) -> str:
    """The text, with each line that is too long wrapped at words; a word that is too long stays whole."""
    if width == WIDE:
        return text
    return "\n".join(
        row for line in text.split("\n") for row in wrapped(line, width, _hang(click.unstyle(line), width))
    )


def _hang(line: str, width: int) -> int:
    """Where the rest of a line begins on the next ones: behind the last gap in its first half, else indented."""
    gaps = [gap.end() for gap in _GAP.finditer(line, 0, width // 2)]
    return gaps[-1] if gaps else len(line) - len(line.lstrip()) + 2
