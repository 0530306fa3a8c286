"""`hustings logs`: what the processes that `up` and `run` started here wrote."""

import json
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple

import anyio
import click

from hustings.protocols import NotFound

from ...deploy.replicas import part_of
from ...observe.logs import moment_of, render_line
from ..frame.options import common
from ..frame.output import echo
from ..frame.session import go
from ..frame.settings import Settings
from ..frame.streams import stdout
from ..frame.width import folded, width_of

LOOK = 0.1  # seconds between two looks at a file that may grow


@click.command()
@click.argument("name", required=False)
@click.option("--follow", "-f", is_flag=True, help="Go on with what is written from now on, until ^C.")
@click.option("--lines", "-n", type=click.IntRange(min=0), metavar="N", help="Only the last N.  [default: all]")
@click.option("--team", help="Only this team's processes.  [default: all of this folder]")
@common
def logs(settings: Settings, name: str | None, follow: bool, lines: int | None, team: str | None) -> None:
    """Print what the processes started here by `up` and `run` have written: all, or those of one part of a team.

    NAME is a specialist, coordinator, or one process, like NAME.2. With -o json or jsonl, one object a line.
    """
    folder = settings.home / "logs"
    if not (files := sorted(folder.glob(f"{team or '*'}.log"))):
        raise NotFound(f"there are no logs in {folder}", "no process of the team was started from this folder")
    go(_print, settings, files, name, follow, lines)


async def _print(settings: Settings, files: list[Path], name: str | None, follow: bool, most: int | None) -> None:
    known, rows = set[str](), _Rows(settings)
    with ExitStack() as stack:
        opened = [_LogFile(stack.enter_context(file.open("rb"))) for file in files]
        while True:
            wanted = _wanted(opened, name, known)
            shown = wanted if most is None else deque(wanted, most)
            for each in shown:
                echo(folded(rows.row(each), width_of(stdout())))
            if not follow:
                break
            most = None
            await anyio.sleep(LOOK)
    if name and name not in known | {part_of(process) for process in known}:
        raise NotFound(f"there is no log of {name}", f"there are those of {', '.join(sorted(known)) or 'none'}")


def _wanted(opened: Sequence["_LogFile"], name: str | None, known: set[str]) -> Iterator["_Line"]:
    """The lines of the processes that have this name or are a part of this name; `known` gets all that have written."""
    for line in (row for each in opened for row in each.rows()):
        known.add(line.process)
        if name in (None, line.process, part_of(line.process)):
            yield line


class _Line(NamedTuple):
    """What a process wrote, and when; a line without a time has that of the one before in its file."""

    process: str
    raw: str
    when: datetime


class _Rows:
    """The lines for people: names in a column, each day but today under its date."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._width = 0
        self._day = datetime.now().astimezone().date()

    def row(self, line: _Line) -> str:
        if self._settings.output != "text":
            return json.dumps({"process": line.process, "line": line.raw})
        self._width = max(self._width, len(line.process))
        before, self._day = self._day, line.when.date()
        day = [] if self._day == before else [f"{self._day}"]
        color = self._settings.colored(stdout())
        return "\n".join([*day, render_line(line.process, line.raw, width=self._width, color=color, when=line.when)])


class _LogFile:
    """Reads the whole lines of a log file that is being written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._last = datetime.now().astimezone()

    def rows(self) -> Iterator[_Line]:
        """What was written since the last call."""
        while (line := self._file.readline()).endswith(b"\n"):
            process, _, said = line.decode().rstrip("\n").partition("\t")
            self._last = moment_of(said) or self._last
            yield _Line(process, said, self._last)
        self._file.seek(-len(line), 1)
