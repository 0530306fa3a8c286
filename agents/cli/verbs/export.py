"""`hustings export RUN`: a run as an HTML page, as the lines of its log, or as a diagram."""

import json
from dataclasses import replace
from pathlib import Path

import anyio
import click

from hustings.bus import Bus
from hustings.protocols import Data, Entry, HustingsError, UsageError

from ...history.model_calls import filled
from ...history.run_report import iso
from ...history.timeline import Timeline, timeline_of
from ..frame.options import common
from ..frame.output import echo, say
from ..frame.session import go, reading
from ..frame.settings import Settings

PAGE = "report.html"
_STDOUT = "-"


class Unwritten(HustingsError):
    """The file cannot be written."""

    try_this = "Name a file in a folder that exists and can be written to, or `-` for stdout."


@click.command()
@click.argument("run", default="@last")
@click.option("--html", is_flag=False, flag_value=PAGE, metavar="[FILE]", help=f"An HTML page.  [default: {PAGE}]")
@click.option("--jsonl", is_flag=False, flag_value=_STDOUT, metavar="[FILE]", help="The log.  [default: stdout]")
@click.option("--mermaid", is_flag=False, flag_value=_STDOUT, metavar="[FILE]", help="A diagram.  [default: stdout]")
@click.option("--team", help="The team of the run, if the id fits runs of several teams.")
@common
def export(
    settings: Settings, run: str, html: str | None, jsonl: str | None, mermaid: str | None, team: str | None
) -> None:
    """Write a run as one HTML file that needs no network, as JSON lines, or as a Mermaid sequence diagram.

    RUN is an id, the beginning of one, @prev, or @last, the default. `-` is stdout. --jsonl writes every message of the
    log, one CloudEvent a line, with its position in the log; what lies in the object store is filled in.
    """
    wanted = [(render, file) for render, file in ((_page, html), (lines, jsonl), (_diagram, mermaid)) if file]
    if not wanted:
        raise UsageError("nothing to write", "none of --html, --jsonl and --mermaid is given", "Add one of them.")
    for _, file in wanted:
        if file.startswith("@"):
            raise UsageError(f"{file} is a run, not a file", hint=f"Put it first: hustings export {file} --html")
    if sum(file == _STDOUT for _, file in wanted) > 1:
        raise UsageError("only one of them can go to stdout", hint="Name a file for the other.")
    timeline = go(_recorded, settings, run, team)
    for render, file in wanted:
        _write(file, render(timeline))


async def keep(bus: Bus, timeline: Timeline, folder: Path) -> None:
    """Write the HTML page of a run into a folder. Raises OSError."""
    timeline = replace(timeline, log=tuple(await filled(bus, timeline.log)))
    await anyio.Path(folder / PAGE).write_text(_page(timeline), encoding="utf-8")


def lines(timeline: Timeline) -> str:
    """The log as JSON lines: each envelope with its position in the log as CloudEvents extensions.

    `sequence` is the position; the broker vouches for `logsubject` and `logtime`. An unreadable entry becomes an object
    with the reason.
    """
    return "".join(f"{json.dumps(line_of(entry, timeline.report.team))}\n" for entry in timeline.log)


def line_of(entry: Entry, team: str) -> Data:
    """An entry of the log as JSON: its envelope, and its place as CloudEvents extensions."""
    tokens = ("hustings", team, "run", entry.subject.run, entry.subject.author, entry.subject.kind, *entry.subject.rest)
    said: Data = json.loads(entry.envelope.encode()) if entry.envelope else {"unreadable": entry.why}
    place = {"sequence": str(entry.seq), "logsubject": ".".join(filter(None, tokens)), "logtime": iso(entry.time)}
    return {**said, **place}


def _page(timeline: Timeline) -> str:
    from ...views.html.page import page  # imported here: the log alone does not need it

    return page(timeline)


def _diagram(timeline: Timeline) -> str:
    from ...views.mermaid import sequence

    return sequence(timeline)


async def _recorded(settings: Settings, run: str, team: str | None) -> Timeline:
    async with reading(settings, run, team) as (bus, found):
        return await _told(bus, found)


async def _told(bus: Bus, run: str) -> Timeline:
    return timeline_of(bus.team, run, await filled(bus, [entry async for entry in bus.log.read(run)]))


def _write(file: str, content: str) -> None:
    if file == _STDOUT:
        echo(content, nl=False)
        return
    try:
        Path(file).write_text(content, encoding="utf-8")
    except OSError as error:
        raise Unwritten(f"{file} cannot be written", error.strerror or str(error)) from None
    say(f"wrote {file}")
