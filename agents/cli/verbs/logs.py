"""`hustings logs`: what the processes that `up` and `run` started here wrote."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

import anyio
import click

from hustings.protocols import NotFound

from ...deploy.replicas import part_of
from ...observe.logs import render_line
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
@click.option("--team", help="Only this team's processes.  [default: all of this folder]")
@common
def logs(settings: Settings, name: str | None, follow: bool, team: str | None) -> None:
    """Print what the processes started here by `up` and `run` have written: all, or those of one part of a team.

    NAME is a specialist, coordinator, or one process, like NAME.2. With -o json or jsonl, one object a line.
    """
    folder = settings.home / "logs"
    if not (files := sorted(folder.glob(f"{team or '*'}.log"))):
        raise NotFound(f"there are no logs in {folder}", "no process of the team was started from this folder")
    go(_print, settings, files, name, follow)


async def _print(settings: Settings, files: list[Path], name: str | None, follow: bool) -> None:
    known: set[str] = set()
    with ExitStack() as stack:
        opened = [_LogFile(stack.enter_context(file.open("rb"))) for file in files]
        while True:
            for process, line in (row for each in opened for row in each.rows()):
                known.add(process)
                if name in (None, process, part_of(process)):
                    echo(folded(_row(settings, process, line), width_of(stdout())))
            if not follow:
                break
            await anyio.sleep(LOOK)
    if name and name not in known | {part_of(process) for process in known}:
        raise NotFound(f"there is no log of {name}", f"there are those of {', '.join(sorted(known)) or 'none'}")


def _row(settings: Settings, process: str, line: str) -> str:
    if settings.output == "text":
        return render_line(process, line, color=settings.colored(stdout()))
    return json.dumps({"process": process, "line": line})


class _LogFile:
    """Reads the whole lines of a log file that is being written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def rows(self) -> Iterator[tuple[str, str]]:
        """The processes and what they wrote, since the last call."""
        while (line := self._file.readline()).endswith(b"\n"):
            process, _, said = line.decode().rstrip("\n").partition("\t")
            yield process, said
        self._file.seek(-len(line), 1)
