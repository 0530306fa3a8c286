"""A command at a terminal: a process on a pseudo-terminal, and what is to be read there when it has ended."""

import fcntl
import os
import re
import struct
import sys
import termios
from collections.abc import Sequence
from contextlib import suppress
from subprocess import DEVNULL
from typing import NamedTuple

import anyio

from .processes import PATIENCE, Place

COLUMNS, ROWS = 80, 24
_PIECE = re.compile(r"\x1b\[(?P<number>[0-9;?]*)(?P<verb>[A-Za-z])|(?P<said>.)", re.DOTALL)


class Shown(NamedTuple):
    """How a command ended, and the rows that it left on the terminal."""

    code: int
    rows: list[str]


async def at_terminal(place: Place, *args: str, before: Sequence[str] = (), **env: str) -> Shown:
    """Run `hustings ARGS` to its end at a terminal of 24 rows with 80 columns; `before` are the words before it."""
    ours, its = os.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    command = [*before, sys.executable, "-m", "hustings.agents.cli", *args]
    env = place.env | {"TERM": "xterm-256color"} | env
    said = bytearray()
    try:
        async with await anyio.open_process(
            command, stdin=DEVNULL, stdout=its, stderr=its, cwd=place.folder, env=env
        ) as process:
            os.close(its)
            with anyio.fail_after(PATIENCE), suppress(OSError):  # EIO: nobody has the other end open any more
                while True:
                    await anyio.wait_readable(ours)
                    said += os.read(ours, 2**16)
            return Shown(await process.wait(), rows(said.decode()))
    finally:
        os.close(ours)


def rows(said: str) -> list[str]:
    """The rows that a terminal shows after these characters, the last one that is not empty at the end."""
    screen, row, column = [[" "] * COLUMNS], 0, 0
    for piece in _PIECE.finditer(said):
        if piece["said"] == "\r":
            column = 0
        elif piece["said"] == "\n":
            row += 1
        elif piece["verb"] == "A":  # up
            row = max(row - int(piece["number"] or 1), 0)
        elif piece["verb"] == "K":  # erase the row; what else there is changes colours, or shows and hides the cursor
            assert piece["number"] == "2"
            screen[row] = [" "] * COLUMNS
        elif piece["said"]:
            row, column = (row + 1, 0) if column == COLUMNS else (row, column)
            screen += [[" "] * COLUMNS for _ in range(row + 1 - len(screen))]
            screen[row][column] = piece["said"]
            column += 1
        screen += [[" "] * COLUMNS for _ in range(row + 1 - len(screen))]
    return "\n".join("".join(each).rstrip() for each in screen).rstrip("\n").split("\n")
