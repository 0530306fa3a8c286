"""Neighbours: where else this user runs `hustings up`, so that an agent of any folder finds the one that is up."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hustings.bus import alive, find_embedded


def _folder() -> Path:
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return Path(runtime) / "hustings" if runtime else Path.home() / ".cache" / "hustings" / "up"


@contextmanager
def announced(home: Path) -> Iterator[None]:
    """Let other folders of this user know that a team is up on the broker of `home`. No secret is written."""
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    note = folder / str(os.getpid())
    note.write_text(str(home.absolute()))
    try:
        yield
    finally:
        note.unlink(missing_ok=True)


def homes() -> list[Path]:
    """The homes that were announced and have a broker that answers."""
    notes = sorted(_folder().glob("*")) if _folder().is_dir() else []
    found = {Path(note.read_text()) for note in notes if note.name.isdigit() and alive(int(note.name))}
    return [home for home in sorted(found) if find_embedded(home)]
