"""Locks: in one folder only one process runs a part of a team. A lock ends with its process, however that ends."""

import fcntl
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from hashlib import sha256
from pathlib import Path

from hustings.bus import make_home
from hustings.protocols import UsageError


@asynccontextmanager
async def locked(home: Path, broker: str, team: str, parts: Sequence[str]) -> AsyncIterator[None]:
    """Hold these parts of a team on this broker while the block runs.

    Raises UsageError, which names the process: another one holds some of them.
    """
    mark = sha256(broker.encode()).hexdigest()[:8]
    with ExitStack() as stack:
        holders = {
            part: stack.enter_context(_lock(make_home(home) / "locks" / f"{team}.{part}.{mark}")) for part in parts
        }
        if taken := {part: pid for part, pid in holders.items() if pid}:
            raise _refused(team, parts, taken)
        yield


@contextmanager
def _lock(path: Path) -> Iterator[str]:
    """The pid of the process that has locked this file; "" if this one has now."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            yield file.read() or "unknown"
        else:
            file.truncate(0)
            print(os.getpid(), end="", file=file, flush=True)
            yield ""


def _refused(team: str, parts: Sequence[str], taken: dict[str, str]) -> UsageError:
    whole = len(taken) == len(parts) > 1
    return UsageError(
        f"team {team} is up here already" if whole else f"{', '.join(taken)} of team {team} runs here already",
        f"process {' and '.join(dict.fromkeys(taken.values()))} runs {'it' if whole else 'that'}",
        "`hustings ps` shows it, `hustings restart` and `hustings scale` change it, `hustings down` stops it.",
    )
