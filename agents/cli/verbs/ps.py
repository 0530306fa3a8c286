"""`hustings ps`: the processes that run here, and the other agents of their teams on the bus."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from hustings.bus import connect
from hustings.protocols import BrokerUnavailable

from ...deploy.records import Supervised, supervised
from ...deploy.replicas import part_of
from ...views.text import some
from ..frame.options import common
from ..frame.output import emit, say
from ..frame.session import NAME, REMOVE, broker, filling, go
from ..frame.settings import Settings
from ..frame.table import table
from .agents import present


@click.command()
@common
def ps(settings: Settings) -> None:
    """List the processes that run here, and the agents elsewhere that answer on the bus."""
    emit(settings, go(_ps, settings), partial(_text, settings.home))


async def _ps(settings: Settings) -> list[dict[str, Any]]:
    local = list(supervised(settings.home))
    rows = [row for one in local for row in _children(one)]
    return rows + await _elsewhere(settings, {(row["team"], row["agent"]) for row in rows})


def _children(one: Supervised) -> list[dict[str, Any]]:
    return [
        {
            "team": one.team,
            "agent": part_of(child.name),
            "process": child.name,
            "status": "starting" if child.state == "running" and not child.ready else child.state,
            "pid": child.pid,
            "restarts": child.restarts,
            "supervisor": one.pid,
            "instances": 1,
        }
        for child in one.children
    ]


async def _elsewhere(settings: Settings, here: set[tuple[str, str]]) -> list[dict[str, Any]]:
    """The agents that answer on the bus and are not our children; [] where no embedded broker runs.

    Raises BrokerUnavailable: nobody answers at the URL.
    """
    try:
        async with broker(settings, start="never") as url, connect(url, name=NAME) as connection:
            seen = await present(connection)
            for line in await filling(connection):
                say(f"{line}; {REMOVE} removes old runs")
    except BrokerUnavailable:
        if settings.url:
            raise
        return []
    unknown = dict.fromkeys(("pid", "restarts", "supervisor"))
    return [
        {
            "team": one.team,
            "agent": one.name,
            "process": None,
            "status": "present",
            **unknown,
            "instances": one.instances,
        }
        for one in seen
        if (one.team, one.name) not in here
    ]


def _text(home: Path, rows: list[dict[str, Any]]) -> str:
    heads = ("team", "process", "status", "pid", "restarts", "where")
    return table(heads, [_cells(row) for row in rows], shade=2) or f"nothing is running in {home}"


def _cells(row: dict[str, Any]) -> tuple[object, ...]:
    if row["process"] is None:
        return row["team"], row["agent"], row["status"], "-", "-", f"elsewhere, {some(row['instances'], 'instance')}"
    pid = row["pid"] or "-"
    return row["team"], row["process"], row["status"], pid, row["restarts"], f"here, under pid {row['supervisor']}"
