"""`hustings rm RUN... | --older 30d | --keep 100`: remove ended runs, and the blobs that nothing else names."""

import shutil
from collections.abc import Iterator, Sequence
from time import time
from typing import Any, NamedTuple

import click

from hustings.bus import Bus, Connection, Removal, RunHead, connect, remove, survey, under_way
from hustings.protocols import COORDINATOR, Concluded, UsageError, timing

from ...history.retention import expired
from ...views.text import size, some
from ..frame.duration import Duration
from ..frame.options import common
from ..frame.output import emit
from ..frame.session import NAME, broker, bus_of, chosen, go, heads, picked
from ..frame.settings import Settings
from ..frame.table import table


class Which(NamedTuple):
    """Which runs: those named, or those that ended longer ago than `older` seconds, or all but the last `keep`."""

    ids: tuple[str, ...]
    older: float | None
    keep: int | None
    team: str | None
    force: bool

    def check(self) -> None:
        """Raises UsageError unless exactly one of the three is given."""
        given = [bool(self.ids), self.older is not None, self.keep is not None]
        if sum(given) != 1:
            why = "RUN, --older and --keep exclude each other" if any(given) else "nothing is named"
            raise UsageError("it is not clear which runs are meant", why, "Name runs, or use --older or --keep.")


class Part(NamedTuple):
    """What goes of one team."""

    team: str
    heads: Sequence[RunHead]
    removal: Removal


@click.command()
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option("--older", type=Duration(), metavar="30d", help="All runs that ended longer ago than this.")
@click.option("--keep", type=click.IntRange(min=0), metavar="N", help="All ended runs of a team but the last N.")
@click.option("--team", help="Only runs of this team.")
@click.option("--force", is_flag=True, help="Also a run that has not ended, if no coordinator of its team is running.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@click.option("--yes", is_flag=True, help="Needed unless the runs are named, or --dry-run is given.")
@common
def rm(
    settings: Settings,
    runs: tuple[str, ...],
    older: float | None,
    keep: int | None,
    team: str | None,
    force: bool,
    dry_run: bool,
    yes: bool,
) -> None:
    """Remove ended runs: all that the log has of them, their dead letters, and the blobs that nothing else names.

    RUN is an id, the beginning of one, @last or @prev. A run under way is not removed: cancel it first. A blob that was
    stored within the last hour stays, as something may name it yet; a later `hustings rm` removes it.
    """
    which = Which(runs, older, keep, team, force)
    which.check()
    parts = go(_rm, settings, which, dry_run, yes)
    emit(settings, _plain(parts, dry_run), lambda _: _text(parts, dry_run))


async def _rm(settings: Settings, which: Which, dry_run: bool, yes: bool) -> list[Part]:
    async with broker(settings, start="if-stored") as url, connect(url, name=NAME) as connection:
        parts = [
            await _part(bus_of(connection, name), ids, which) for name, ids in (await _teams(connection, which)).items()
        ]
        if dry_run:
            return parts
        if (count := sum(len(part.heads) for part in parts)) and not which.ids and not yes:
            why = f"it would remove {some(count, 'run')}; --dry-run lists them"
            raise UsageError("nothing was removed", why, "Add --yes.")
        for part in parts:
            await remove(bus_of(connection, part.team), part.removal)
            for head in part.heads:
                shutil.rmtree(settings.home / "runs" / head.run, ignore_errors=True)
        return parts


async def _teams(connection: Connection, which: Which) -> dict[str, list[str]]:
    """The teams that are meant, each with the runs that are named. Raises NotFound."""
    if not which.ids:
        return {team: [] for team in await chosen(connection, which.team)}
    known, found = await heads(connection, which.team), dict[str, list[str]]()
    for run in which.ids:
        team, head = picked(run, known)
        found.setdefault(team, []).append(head.run)
    return found


async def _part(bus: Bus, ids: Sequence[str], which: Which) -> Part:
    found = await survey(bus)
    ended = {run: head.concluded.time for run, head in found.heads.items() if head.concluded}
    wanted = {*ids} or expired(ended, time(), older=which.older, keep=which.keep)
    if which.force and any(under_way(found.heads[run]) for run in wanted):
        await _undriven(bus)
    removal = await found.removal(wanted, force=which.force)
    return Part(bus.team, [head for head in found.heads.values() if head.run in wanted], removal)


async def _undriven(bus: Bus) -> None:
    """Raises UsageError: somebody drives the runs of this team."""
    if any(present.name == COORDINATOR for present in await bus.live.roll_call(timing.ROLL_CALL)):
        why = "it would go on with the run while it is removed"
        hint = "`hustings cancel RUN` ends it; or stop the team first, with `hustings down`."
        raise UsageError(f"a coordinator of team {bus.team} is running", why, hint)


def _plain(parts: Sequence[Part], dry_run: bool) -> dict[str, Any]:
    blobs, young = ([blob for part in parts for blob in getattr(part.removal, name)] for name in ("blobs", "young"))
    return {
        "removed": not dry_run,
        "runs": [_row(part, head) for part in parts for head in part.heads],
        "late": [run for part in parts for run in part.removal.late],
        "blobs": len(blobs),
        "blob_bytes": sum(blob.size for blob in blobs),
        "young": len(young),
        "young_bytes": sum(blob.size for blob in young),
    }


def _row(part: Part, head: RunHead) -> dict[str, Any]:
    end, taken = head.concluded.event if head.concluded else None, part.removal.runs[head.run]
    return {
        "run": head.run,
        "team": part.team,
        "status": end.status if isinstance(end, Concluded) else "running" if under_way(head) else "unreadable",
        "events": taken.messages,
        "bytes": taken.bytes,
    }


def _text(parts: Sequence[Part], dry_run: bool) -> str:
    return "\n".join(line for line in _lines(_plain(parts, dry_run), "would remove" if dry_run else "removed") if line)


def _lines(data: dict[str, Any], did: str) -> Iterator[str]:
    rows = [(row["run"], row["team"], row["status"], row["events"], size(row["bytes"])) for row in data["runs"]]
    yield table(("run", "team", "status", "events", "bytes"), rows, shade=2)
    events, taken = (sum(row[name] for row in data["runs"]) for name in ("events", "bytes"))
    blobs = f"; {some(data['blobs'], 'blob')} that nothing else names, {size(data['blob_bytes'])}"
    yield f"{did} {some(len(rows), 'run')}: {some(events, 'event')}, {size(taken)}{blobs if data['blobs'] else ''}"
    if data["late"]:
        yield f"{did} what came late for {some(len(data['late']), 'run')} removed before"
    if data["young"]:
        young = f"{some(data['young'], 'blob')} that nothing names, {size(data['young_bytes'])}"
        yield f"kept {young}: young, so it may be named yet; `hustings rm` takes it once it is an hour old"
