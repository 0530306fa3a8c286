"""`hustings backup FILE`, `restore FILE`, `move`: all that teams have on a broker, in a file or on another one."""

import tempfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from hustings.bus import Manifest, back_up, connect, find_embedded, restore_backup
from hustings.bus.client.contact import redact
from hustings.protocols import NotFound, UsageError

from ...history.run_report import iso
from ...views.text import plain, size, some
from ..frame.options import common, durability
from ..frame.output import emit, say
from ..frame.session import NAME, broker, chosen, go
from ..frame.settings import Settings
from ..frame.table import table

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("file", type=FILE)
@click.option("--team", help="Only this team.  [default: all on the broker]")
@common
def backup(settings: Settings, file: Path, team: str | None) -> None:
    """Write all that teams have on the broker into FILE: logs, blobs, work queues. The teams may be at work.

    FILE appears when it is whole. Note down the digest that is printed: `hustings restore --digest` compares it.
    """
    emit(settings, _plain(go(_backup, settings, file, team)), _text)


async def _backup(settings: Settings, file: Path, team: str | None) -> Manifest:
    async with broker(settings, start="if-stored") as url, connect(url, name=NAME) as connection:
        if not (teams := await chosen(connection, team)):
            raise NotFound("there is nothing to back up", "no team has a log on this broker")
        return await back_up(connection, teams, file)


@click.command()
@click.argument("file", type=FILE)
@click.option("--team", help="Only this team.  [default: all in the file]")
@click.option("--digest", default="", metavar="sha256:...", help="The digest that `hustings backup` printed.")
@durability
@common
def restore(settings: Settings, file: Path, team: str | None, digest: str) -> None:
    """Bring back what `hustings backup` wrote, to a broker that has nothing of these teams, and compare the two.

    With --url the broker may be another one, a cluster too. Runs that were under way go on as soon as their team is up.
    """
    emit(settings, _plain(go(_restore, settings, file, team, digest), team), _text)


async def _restore(settings: Settings, file: Path, team: str | None, digest: str) -> Manifest:
    async with broker(settings, start="always") as url, connect(url, name=NAME) as connection:
        return await restore_backup(connection, file, [team] if team else [], digest=digest)


@click.command()
@common
def move(settings: Settings) -> None:
    """Move all that this folder's embedded broker has to the broker of --url, a cluster for example.

    What arrives is compared with what was here. Then the folder's store is renamed, so that nothing goes on in both
    places; remove it when you no longer want it.
    """
    manifest, left = go(_move, settings)
    emit(settings, _plain(manifest), _text)
    say(f"the store of this folder is now {left}")


async def _move(settings: Settings) -> tuple[Manifest, Path]:
    home, url = settings.home, settings.url
    if not url:
        why, hint = "neither --url nor HUSTINGS_URL names a broker", "hustings move --url nats://HOST:4222"
        raise UsageError("it is not said where to move to", why, hint)
    if not (home / "store").is_dir():
        raise NotFound(f"there is nothing to move in {home}", "no embedded broker has stored anything there")
    if find_embedded(home):
        why = "what is still said on it would not be moved"
        raise UsageError(f"a broker runs in {home}", why, "Stop what uses it: `hustings ps` lists it, `hustings down`.")
    with tempfile.TemporaryDirectory(prefix="move-", dir=home) as folder:
        file = Path(folder) / "backup"
        await _backup(replace(settings, url=None), file, None)
        async with connect(url, name=NAME) as connection:
            manifest = await restore_backup(connection, file)
    left = home / f"store.moved-{datetime.now():%Y%m%d-%H%M%S}"
    (home / "store").rename(left)
    say(f"moved to {redact(url)}; set HUSTINGS_URL, or `url` in hustings.toml")
    return manifest, left


def _plain(manifest: Manifest, only: str | None = None) -> dict[str, Any]:
    streams = [
        {"team": team, "stream": part.stream, "messages": part.messages, "bytes": part.bytes, "content": part.content}
        for team, parts in manifest.teams.items()
        if only in (None, team)
        for part in parts
    ]
    return {"time": iso(manifest.made.timestamp()), "digest": manifest.digest, "streams": streams}


def _text(data: dict[str, Any]) -> str:
    rows = [
        (row["team"], row["stream"], row["messages"], size(row["bytes"]), row["content"][:12])
        for row in data["streams"]
    ]
    messages = sum(row["messages"] for row in data["streams"])
    lines = [table(("team", "stream", "messages", "bytes", "content"), rows)]
    return "\n".join([*lines, f"{some(messages, 'message')}, made {plain(data['time'])}", f"digest {data['digest']}"])
