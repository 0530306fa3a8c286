"""`hustings runs`: the runs on a broker, the newest first."""

from datetime import datetime
from time import time
from typing import Any

import click

from hustings.bus import RunHead, connect
from hustings.protocols import Concluded, GoalAsked

from ...history.run_report import iso
from ...views.text import ago, span
from ..frame.options import common
from ..frame.output import emit
from ..frame.session import (
    NAME,
    broker,
    go,
    heads,
)
from ..frame.settings import Settings
from ..frame.table import table


@click.command()
@click.option("--team", help="Only runs of this team.")
@click.option("--limit", type=click.IntRange(min=1), help="Only the newest N.")
@common
def runs(settings: Settings, team: str | None, limit: int | None) -> None:
    """List runs with their outcome, time and cost. Starts no agent."""
    now = time()
    emit(settings, go(_runs, settings, team, limit, now), lambda rows: _text(rows, now))


async def _runs(settings: Settings, team: str | None, limit: int | None, now: float) -> list[dict[str, Any]]:
    async with broker(settings, start="if-stored") as url, connect(url, name=NAME) as connection:
        return [_row(name, head, now) for name, head in (await heads(connection, team))[:limit]]


def _row(team: str, head: RunHead, now: float) -> dict[str, Any]:
    """One run; `time` is when it was asked for, `seconds` its duration, so far or in all."""
    end = head.concluded.event if head.concluded else None
    readable = isinstance(head.asked.event, GoalAsked)
    return {
        "run": head.run,
        "team": team,
        "status": end.status if isinstance(end, Concluded) else "running" if readable else "unreadable",
        "time": iso(head.asked.time),
        "seconds": round((head.concluded.time if head.concluded else now) - head.asked.time, 3),
        "because": end.because if isinstance(end, Concluded) else head.asked.why,
    }


def _text(rows: list[dict[str, Any]], now: float) -> str:
    lines = [
        (
            row["run"],
            row["team"],
            row["status"],
            ago(now - datetime.fromisoformat(row["time"]).timestamp()),
            span(row["seconds"]),
            row["because"],
        )
        for row in rows
    ]
    return table(("run", "team", "status", "asked", "took", "because"), lines, shade=2) or "no runs yet"
