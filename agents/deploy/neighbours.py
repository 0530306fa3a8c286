"""Neighbours: where else this user runs `hustings up`, so that an agent in any folder finds that team."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hustings.bus import find_embedded
from hustings.bus.broker.server import process_running

from ..variables import Variable

RUNTIME = Variable(
    "XDG_RUNTIME_DIR", "where it is noted which teams you have up, for agents in other folders", "~/.cache/hustings/up"
)


def _folder() -> Path:
    runtime = RUNTIME.read()
    return Path(runtime) / "hustings" if runtime else Path.home() / ".cache" / "hustings" / "up"


@contextmanager
def announced(home: Path) -> Iterator[None]:
    """Announce to this user's other folders that a team is up on the broker of `home`. Writes no secret."""
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    note = folder / str(os.getpid())
    note.write_text(str(home.absolute()))
    try:
        yield
    finally:
        note.unlink(missing_ok=True)


def homes() -> list[Path]:
    """The announced homes whose broker answers."""
    notes = sorted(_folder().glob("*")) if _folder().is_dir() else []
    found = {Path(note.read_text()) for note in notes if note.name.isdigit() and process_running(int(note.name))}
    return [home for home in sorted(found) if find_embedded(home)]
