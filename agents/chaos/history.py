"""History: what every process did, the log, and the effects outside, side by side; stored as JSON lines."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from hustings.protocols import Entry, Subject, open_envelope

Acceptance = Literal["accepted", "unknown"]


class Op(NamedTuple):
    """A process reached a failpoint. `t` in nanoseconds of the machine's monotonic clock, which all processes share."""

    t: int
    pid: int
    point: str
    about: dict[str, Any]


class Effect(NamedTuple):
    """A row of the effect sink."""

    key: str
    run: str
    task: str
    attempt: int
    pid: int
    t: int


class Injected(NamedTuple):
    """A fault that was injected into a process."""

    t: int
    kind: str
    victim: str
    name: str
    pid: int
    seconds: float


@dataclass
class History:
    """One storm. `asked`: the runs whose start was confirmed, `unknown` those without a reply; `tasks` of each run with
    an effect; `stuck`: runs without an end when the wait was over."""

    asked: dict[str, Acceptance] = field(default_factory=dict)
    tasks: dict[str, int] = field(default_factory=dict)
    stuck: list[str] = field(default_factory=list)
    ops: list[Op] = field(default_factory=list)
    entries: dict[str, list[Entry]] = field(default_factory=dict)
    effects: list[Effect] = field(default_factory=list)
    faults: list[Injected] = field(default_factory=list)


def operations(folder: Path) -> list[Op]:
    """What the processes wrote under HUSTINGS_HISTORY, in order of time, without a last line that a kill cut off."""
    found = []
    for file in folder.glob("*.jsonl"):
        for line in file.read_bytes().splitlines():
            if line.endswith(b"}") and b'"point":"publish.' not in line:  # heartbeats are not checked
                about = json.loads(line)
                found.append(Op(about.pop("t"), about.pop("pid"), about.pop("point"), about))
    return sorted(found, key=lambda op: op.t)


def new_effects(file: Path) -> None:
    """An empty sink. It survives the death of any process; it has no unique constraint."""
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE effects (key TEXT, run TEXT, task TEXT, attempt INT, pid INT, t INT)")
        database.execute("CREATE INDEX by_key ON effects (key)")


def effects(file: Path) -> list[Effect]:
    with closing(sqlite3.connect(file)) as database:
        return [Effect(*row) for row in database.execute("SELECT * FROM effects ORDER BY t")]


def dump(history: History, file: Path) -> None:
    """Write the history to a file, a JSON line for each item."""
    with file.open("w") as into:
        for kind, row in _rows(history):
            into.write(json.dumps({"line": kind, **row}, separators=(",", ":")) + "\n")


def load(file: Path) -> History:
    history = History()
    for line in file.read_text().splitlines():
        row = json.loads(line)
        match row.pop("line"):
            case "asked":
                history.asked[row["run"]] = row["answer"]
                history.tasks[row["run"]] = row["tasks"]
            case "stuck":
                history.stuck.append(row["run"])
            case "op":
                history.ops.append(Op(**row))
            case "entry":
                history.entries.setdefault(row["run"], []).append(_entry(row))
            case "effect":
                history.effects.append(Effect(**row))
            case "fault":
                history.faults.append(Injected(**row))
    return history


def _rows(history: History) -> Iterator[tuple[str, dict[str, Any]]]:
    for run, answer in history.asked.items():
        yield "asked", {"run": run, "answer": answer, "tasks": history.tasks[run]}
    yield from (("stuck", {"run": run}) for run in history.stuck)
    for kind, rows in (("op", history.ops), ("effect", history.effects), ("fault", history.faults)):
        yield from ((kind, row._asdict()) for row in rows)
    for entries in history.entries.values():
        yield from (("entry", _plain(entry)) for entry in entries)


def _plain(entry: Entry) -> dict[str, Any]:
    said = json.loads(entry.envelope.encode()) if entry.envelope else None
    subject = entry.subject
    place = {"run": subject.run, "author": subject.author, "is": subject.kind, "rest": subject.rest}
    return {"seq": entry.seq, "time": entry.time, "said": said, "why": entry.why, **place}


def _entry(row: dict[str, Any]) -> Entry:
    envelope = open_envelope(json.dumps(row["said"]).encode()) if row["said"] else None
    subject = Subject(row["run"], row["author"], row["is"], tuple(row["rest"]))
    return Entry(row["seq"], subject, row["time"], envelope, row["why"])
