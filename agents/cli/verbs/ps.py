"""`hustings ps`: the processes that run here, and the other agents of their teams on the bus."""

import re
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel, ValidationError

from hustings.bus import connect
from hustings.bus.broker.server import process_running
from hustings.protocols import BrokerUnavailable

from ..frame.options import common
from ..frame.output import emit, say
from ..frame.session import NAME, REMOVE, broker, filling, go
from ..frame.settings import Settings
from ..frame.table import table
from .agents import present

_REPLICA = re.compile(r"\.\d+$")  # `hustings up` adds this to the name of a second process


class Child(BaseModel):
    """A process of a supervisor, with the fields of its Status."""

    name: str
    pid: int | None
    state: str
    restarts: int
    exit_code: int | None


class Supervised(BaseModel):
    """`<home>/up-<team>.<pid>.json`, which a team's supervisor keeps while it lives."""

    team: str
    pid: int
    url: str
    children: list[Child]


@click.command()
@common
def ps(settings: Settings) -> None:
    """List the processes that run here, and the agents elsewhere that answer on the bus."""
    emit(settings, go(_ps, settings), partial(_text, settings.home))


async def _ps(settings: Settings) -> list[dict[str, Any]]:
    local = list(supervised(settings.home))
    rows = [row for one in local for row in _children(one)]
    here = {(one.team, _REPLICA.sub("", child.name)) for one in local for child in one.children}
    return rows + await _elsewhere(settings, here)


def supervised(home: Path) -> Iterator[Supervised]:
    """The teams whose supervisors live; a file left behind by a killed supervisor is skipped."""
    return (one for _, one in records(home) if process_running(one.pid))


def records(home: Path) -> Iterator[tuple[Path, Supervised]]:
    """What supervisors recorded under `home`, also those that were killed; what cannot be read is skipped."""
    for path in sorted(home.glob("up-*.json")):
        with suppress(OSError, ValidationError):
            yield path, Supervised.model_validate_json(path.read_bytes())


def _children(one: Supervised) -> list[dict[str, Any]]:
    return [
        {
            "id": f"{one.team}/{child.name}",
            "pid": child.pid,
            "state": child.state,
            "restarts": child.restarts,
            "where": f"up, pid {one.pid}",
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
    return [
        {"id": one.id, "pid": None, "state": "present", "restarts": None, "where": f"bus, {one.instances} there"}
        for one in seen
        if (one.team, one.name) not in here
    ]


def _text(home: Path, rows: list[dict[str, Any]]) -> str:
    cells = [[("-" if value is None else value) for value in row.values()] for row in rows]
    return table(("id", "pid", "state", "restarts", "where"), cells, shade=2) or f"nothing is running in {home}"
