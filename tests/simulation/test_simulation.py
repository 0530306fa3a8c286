"""Whole teams over the model of the broker, by seeds: nothing is lost, whatever dies, sleeps or breaks.

One seed by hand, with its log and what went wrong: `python -m tests.simulation SEED`. More of them:
`HUSTINGS_SIM_SEEDS=100000 pytest -n 2 tests/simulation/test_simulation.py` (each takes some 70 ms of CPU).
"""

import os
import subprocess
import sys
from contextlib import suppress
from typing import Any

import pytest

from hustings.agents import Policy, RunState, View

from . import planted as planting
from . import server, teams, world
from .checks import violations
from .planted import BUGS, planted
from .world import simulate

SEEDS = int(os.environ.get("HUSTINGS_SIM_SEEDS", "2000" if os.environ.get("CI") else "400"))
CHUNK = 50  # seeds of one test
SOON = 50  # seeds that are no long test
FOUND = 300  # seeds within which every planted bug must be found


def judged(seed: int) -> list[str]:
    return violations(simulate(seed))


@pytest.mark.parametrize(
    "first", [pytest.param(first, marks=[pytest.mark.long] * (first >= SOON)) for first in range(0, SEEDS, CHUNK)]
)
def test_nothing_is_lost_whatever_goes_wrong(first: int) -> None:
    """Every promise of `checks.CHECKS`, for each seed."""
    broken = {seed: found for seed in range(first, min(first + CHUNK, SEEDS)) if (found := judged(seed))}
    told = "\n".join(f"python -m tests.simulation {seed}   # {found[0]}" for seed, found in broken.items())
    assert not broken, f"{len(broken)} seeds break a promise:\n{told}"


LATE = (
    "judges_behind_the_end", "late_answer_replaces", "folds_behind_the_end", "reader_resumes_too_late",
    "old_answers_count",
)  # fmt: skip


@pytest.mark.parametrize("name", [pytest.param(bug, marks=[pytest.mark.long] * (bug in LATE)) for bug in BUGS])
def test_a_planted_bug_is_found(name: str) -> None:
    """The checks are worth something: each bug breaks one of them within 300 seeds."""
    with planted(name):
        assert any(judged(seed) for seed in range(FOUND)), f"{name} is not found in {FOUND} seeds"


class Slip(Exception):
    """A fault of the simulation itself."""


HARNESS = [
    (server.Server, "_api"),
    (server.Server, "_store"),
    (server.Server, "_deliver"),
    (server.Server, "_ack"),
    (server.Server, "_tick"),
    (server.Server, "_start"),
    (server.Server, "stop"),
    (server.Line, "publish"),
    (server.Line, "_handle"),
    (server.Line, "_turn"),
    (server.Stream, "find"),
    (world.World, "failpoint"),
    (world.World, "_audit"),
    (world.World, "_harm"),
    (teams.Sink, "work"),
]


@pytest.mark.parametrize(("part", "name"), HARNESS, ids=lambda each: getattr(each, "__name__", each))
def test_a_fault_of_the_simulation_itself_turns_the_seed_red(
    monkeypatch: pytest.MonkeyPatch, part: type, name: str
) -> None:
    """Wherever it is raised, and if only once: in a callback, where asyncio would log it; in a skill, whose failures
    are answers; or in what the processes call."""
    right, calls = getattr(part, name), 0

    def slips(*args: object, **more: object) -> object:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise Slip(name)
        return right(*args, **more)

    monkeypatch.setattr(part, name, slips)
    with suppress(Slip, ExceptionGroup):
        assert any(judged(seed) for seed in range(20) if calls < 3), "the seed is green"
    assert calls >= 3, "it was never called"


def test_a_request_that_the_model_does_not_know_turns_the_seed_red(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unanswered, it would be as good as lost, and what the processes do then would be tested instead."""
    begin = server.Server.__init__

    def knows_less(self: server.Server, *args: Any) -> None:
        begin(self, *args)
        del self._verbs["CONSUMER.CREATE"]

    monkeypatch.setattr(server.Server, "__init__", knows_less)
    with pytest.raises(ExceptionGroup, match="in seed 0") as raised:
        simulate(0)
    assert "CONSUMER.CREATE" in str(raised.value.exceptions[0])


@pytest.mark.processes
def test_a_seed_gives_the_same_history_byte_for_byte() -> None:
    """Otherwise a seed that fails could not be looked at: in this process, after others, and in another one."""
    here = [simulate(seed).digest() for seed in (11, 301, 11, 301)]
    command = [sys.executable, "-c", "from tests.simulation.world import simulate\nprint(simulate(301).digest())"]
    there = subprocess.run(
        command, env={**os.environ, "PYTHONHASHSEED": "7"}, capture_output=True, text=True, check=True
    )
    assert here[:2] == here[2:]
    assert here[0] != here[1]
    assert there.stdout.strip() == here[1]


def test_deciding_changes_nothing_of_the_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong: derived fields and their order stay as they are, too."""
    right, calls = planting.coordinator.decide, 0

    def watched(state: RunState, policy: Policy, view: View) -> Any:
        nonlocal calls
        calls += 1
        before = repr(vars(state))
        decisions = right(state, policy, view)
        assert repr(vars(state)) == before
        return decisions

    monkeypatch.setattr(planting.coordinator, "decide", watched)
    for seed in range(20):
        assert judged(seed) == []
    assert calls > 200
