"""Pages of the documentation: their blocks of code, and a page as a session that is played from top to bottom."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

import anyio

from .processes import PATIENCE, Place, Running

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\w*) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
VARIES = r"…|\br[0-9a-f]{8,12}\b|\b\d+(?:\.\d+)? s\b|\d\d:\d\d:\d\d"  # anything; ids of runs; times


class Block(NamedTuple):
    """A block of code. `file`: the name behind the language, under which it is saved."""

    language: str
    file: str
    text: str


def blocks(page: Path) -> list[Block]:
    """All blocks of a page, in order."""
    return [Block(*found) for found in BLOCK.findall(page.read_text())]


def like(printed: str, line: str) -> bool:
    """True if a line is the printed one. Ids of runs, times and the width of columns differ; "…" is anything."""
    return re.fullmatch(_pattern(printed), line.strip()) is not None


def _pattern(printed: str) -> str:
    parts = re.split(rf"({VARIES}|\s+)", printed.strip())
    return "".join(
        r"\s+" if part.isspace() else ".*" if re.fullmatch(VARIES, part) else re.escape(part) for part in parts
    )


def user(folder: Path) -> Place:
    """A folder in which `hustings` and `python` are those of this environment."""
    place = Place(folder)
    place.env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{place.env['PATH']}"
    return place


async def play(page: Path, place: Place) -> None:
    """Save each file of the page, run each command, and compare what it prints.

    A command whose comment names a terminal stays there until the page ends; a block without a command is what the last
    of them prints then.
    """
    async with AsyncExitStack() as terminals:
        last: Running | None = None
        for block in blocks(page):
            if block.file:
                (place.folder / block.file).parent.mkdir(parents=True, exist_ok=True)
                (place.folder / block.file).write_text(block.text)
                continue
            for command, printed in _commands(block.text):
                line, _, comment = command.partition("#")
                if "terminal" in comment:
                    last = await terminals.enter_async_context(place.hustings(*line.split()[1:]))
                if last and ("terminal" in comment or not command):
                    await _seen(last, printed)
                else:
                    assert command, f"{page.name} has a block that nothing prints:\n{block.text}"
                    _compare(command, printed, await _said(command, place))


def _commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each command with what it prints; first, what stands before any command."""
    before, *parts = re.split(r"^\$ ", text, flags=re.MULTILINE)
    if before:
        yield "", before.splitlines()
    for part in parts:
        command, *printed = part.splitlines()
        yield command, printed


async def _said(command: str, place: Place) -> list[str]:
    done = await anyio.run_process(
        ["sh", "-c", command], cwd=place.folder, env=place.env, stderr=subprocess.STDOUT, check=False
    )
    return done.stdout.decode().splitlines()


def _compare(command: str, printed: list[str], said: list[str]) -> None:
    """All lines, in order; a line "…" stands for any number of them."""
    wanted = "".join(r"(?:.*\n)*" if line.strip() == "…" else rf"\s*{_pattern(line)}\s*\n" for line in printed)
    text = "".join(f"{line}\n" for line in said)
    assert re.fullmatch(wanted, text), f"`{command}` prints\n{text}and not\n" + "\n".join(printed)


async def _seen(terminal: Running, printed: list[str]) -> None:
    """Wait until each of these lines is in a terminal."""
    for line in printed:
        with anyio.move_on_after(PATIENCE) as scope:
            while not any(like(line, row) for row in _rows(terminal)):
                assert not terminal.ended, f"{line!r} is not in\n" + "\n".join(_rows(terminal))
                await terminal.news.wait()
        assert not scope.cancelled_caught, f"{line!r} is not in\n" + "\n".join(_rows(terminal))


def _rows(terminal: Running) -> list[str]:
    return [*terminal.rows, *terminal.said.decode(errors="replace").splitlines()]
