"""Records: what each supervisor writes down of its processes, for the other commands of the same folder."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ValidationError

from hustings.bus.broker.server import process_running
from hustings.bus.client.contact import redact

from .supervisor import Status


class Child(BaseModel):
    """A process of a supervisor, with the fields of its Status."""

    name: str
    pid: int | None
    state: str
    restarts: int
    exit_code: int | None
    ready: bool = False


class Supervised(BaseModel):
    """`<home>/up-<team>.<pid>.json`, which a team's supervisor keeps while it lives."""

    team: str
    pid: int
    url: str
    children: list[Child]


def record_of(home: Path, team: str) -> Path:
    """Where this process records the children that it supervises."""
    return home / f"up-{team}.{os.getpid()}.json"


def write_record(record: Path, team: str, url: str, statuses: Sequence[Status]) -> None:
    """Replace the record, without the URL's credentials."""
    rows = [vars(status) for status in statuses]
    fresh = record.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps({"team": team, "pid": os.getpid(), "url": redact(url), "children": rows}))
    fresh.rename(record)


def supervised(home: Path) -> Iterator[Supervised]:
    """The teams whose supervisors live; a file left behind by a killed supervisor is skipped."""
    return (one for _, one in records(home) if process_running(one.pid))


def records(home: Path) -> Iterator[tuple[Path, Supervised]]:
    """What supervisors recorded under `home`, also those that were killed; what cannot be read is skipped."""
    for path in sorted(home.glob("up-*.json")):
        with suppress(OSError, ValidationError):
            yield path, Supervised.model_validate_json(path.read_bytes())
