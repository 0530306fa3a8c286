"""Recorded logs of every version replay to the state they were concluded with, whatever has changed since."""

import json
from pathlib import Path

import pytest

from hustings.agents import RunState, evolve
from hustings.protocols import Concluded, Entry, Subject, open_envelope

GOLDEN = sorted((Path(__file__).parent.parent.parent / "golden").glob("*.jsonl"))


def recorded(file: Path) -> list[Entry]:
    """The entries of a log as they were read when it was recorded."""
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    return [
        Entry(
            seq=row["seq"],
            subject=Subject(row["said"]["runid"], row["author"], row["kind"], tuple(row["rest"])),
            time=row["time"],
            envelope=open_envelope(json.dumps(row["said"]).encode()),
        )
        for row in rows
    ]


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_a_recorded_log_replays_to_the_recorded_state(file: Path) -> None:
    """Old logs must replay: nothing that came later may change what they come to."""
    entries = recorded(file)
    (end,) = [entry.event for entry in entries if isinstance(entry.event, Concluded)]
    state = RunState(entries[0].subject.run)
    for entry in entries:
        if entry.seq <= end.at:
            evolve(state, entry)
    assert state.hash() == end.state_hash


def test_there_are_golden_logs() -> None:
    """A run that was decided, and one in which a task was lost."""
    assert {file.stem for file in GOLDEN} >= {"court-decided", "court-partial", "hello-decided"}
