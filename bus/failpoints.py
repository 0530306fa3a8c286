"""Failpoints: named points at which a process can be watched or crashed from outside. Without the variables: no effect.

HUSTINGS_HISTORY names a folder: each process appends the points that it reaches to its own file there, one JSON line
each, which survives its death. HUSTINGS_FAILPOINT names a point, HUSTINGS_FAILPOINT_TOKENS a folder: a process that
reaches the point and can take a file from the folder kills itself, so there are as many crashes as files.
"""

import os
import signal
import sys
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue
from pydantic_core import to_json

HISTORY, FAILPOINT, TOKENS = "HUSTINGS_HISTORY", "HUSTINGS_FAILPOINT", "HUSTINGS_FAILPOINT_TOKENS"  # in the environment

FAILPOINTS = (
    # a client asks for a run, or withdraws it
    "ask.before", "ask.after", "cancel.before", "cancel.after",
    # a coordinator folds the log, appends its decisions (an Assigned is the dispatch)
    "fold.before", "fold.after", "append.before", "append.between", "append.after",
    # an agent takes a task, answers, acks, naks; a coordinator does the same with goals
    "take.before", "take.after", "answer.before", "answer.after", "spend.before", "spend.after",
    "ack.before", "ack.after", "back.before", "back.after",
    # an agent records a call of a model or a tool
    "call.before", "call.after",
    # an agent asks for another agent's skill, within its task
    "query.before", "query.after",
    # a skill works and has an effect outside; skills in tests report these
    "work.before", "work.after", "effect.before", "effect.after",
    # a blob is stored
    "blob.before", "blob.after",
    # a live message is sent
    "publish.before", "publish.after",
)  # fmt: skip


class _Watch(NamedTuple):
    """What the environment asks this process to do at its failpoints."""

    history: int | None
    failpoint: str
    tokens: Path


def failpoint(point: str, **detail: JsonValue) -> None:
    """This process reaches the point. `detail` gives run, task, attempt, seq and the like."""
    if (watch := _asked()) is not None:
        _failpoint(watch, point, detail)


def _failpoint(watch: _Watch, point: str, detail: dict[str, JsonValue]) -> None:
    if watch.history is not None:
        record = {"t": time.monotonic_ns(), "pid": os.getpid(), "point": point, **detail}
        os.write(watch.history, to_json(record) + b"\n")
    if watch.failpoint == point and _token(watch.tokens):
        os.kill(os.getpid(), signal.SIGKILL)


def _token(folder: Path) -> bool:
    """Take one of the files in the folder; False if there is none left."""
    for token in sorted(folder.iterdir()):
        with suppress(FileNotFoundError):  # another process was quicker
            token.unlink()
            return True
    return False


@cache
def _asked() -> _Watch | None:
    """Read at the first failpoint, not on import. Ends the process if there is no such failpoint."""
    history, failpoint = os.environ.get(HISTORY), os.environ.get(FAILPOINT, "")
    if not history and not failpoint:
        return None
    if failpoint and failpoint not in FAILPOINTS:
        sys.exit(
            f"{FAILPOINT} is {failpoint!r}: there is no such failpoint. The failpoints are {', '.join(FAILPOINTS)}"
        )
    file = None
    if history:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        file = os.open(Path(history) / f"{os.getpid()}.jsonl", flags, 0o600)
    return _Watch(file, failpoint, Path(os.environ.get(TOKENS, ".")))
