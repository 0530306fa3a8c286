"""What a coordinator does about the log of its team: on a real broker, with a log that is small."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from hustings.agents.decider.policy import TeamSettings
from hustings.agents.runtime.housekeeping import Housekeeper
from hustings.bus import Bus, open_bus
from hustings.protocols import BusFull, Concluded, GoalAsked, Heartbeat, RunAcquired

LIMIT = 200_000  # bytes of the log


@pytest.fixture
async def bus(broker: str, team: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bus]:
    """The bus of a team whose log is small."""
    monkeypatch.setattr("hustings.bus.team.layout.SIZES", (LIMIT,))
    monkeypatch.setattr("hustings.protocols.timing.ENDED_KEPT", 0.0)
    async with open_bus(broker, team, name="test") as bus:
        yield bus
        await bus.connection.request(f"$JS.API.STREAM.DELETE.LOG_{team}")
        await bus.connection.request(f"$JS.API.STREAM.DELETE.OBJ_BLOBS_{team}")


def housekeeper(bus: Bus, **settings: Any) -> Housekeeper:
    return Housekeeper(bus, TeamSettings(**settings), "c1")


async def ended(bus: Bus, *runs: str, size: int = 10) -> None:
    for run in runs:
        await asked(bus, run, size)
        end = Concluded(status="decided", because="", state_hash="", at=1)
        await bus.log.append(run, [RunAcquired(instance="one"), end], after=0, source="one")


async def asked(bus: Bus, run: str, size: int = 10) -> None:
    await bus.log.ask(run, GoalAsked(type="Goal.v1", goal={"text": "x" * size}, by="me"), client="me")


async def runs(bus: Bus) -> list[str]:
    return [head.run for head in await bus.log.runs()]


async def test_without_a_setting_nothing_is_ever_removed(bus: Bus) -> None:
    """Not even from a log that is nearly full."""
    await ended(bus, "a", "b", size=90_000)
    await housekeeper(bus).look()
    assert await runs(bus) == ["b", "a"]


async def test_the_last_ended_runs_are_kept(bus: Bus) -> None:
    """A run under way does not count, and stays."""
    await asked(bus, "under-way")
    await ended(bus, "a", "b", "c", "d")
    await housekeeper(bus, max_runs=2).look()
    assert await runs(bus) == ["d", "c", "under-way"]


async def test_runs_are_kept_for_as_long_as_laid_down(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    await ended(bus, "a", "b")
    keeper = housekeeper(bus, retention=3600.0)
    await keeper.look()
    assert await runs(bus) == ["b", "a"]
    late = (await bus.log.runs())[0].asked.time + 3601
    monkeypatch.setattr("hustings.agents.runtime.housekeeping.time.time", lambda: late)
    await keeper.look()
    assert await runs(bus) == ["b", "a"], "it has looked a moment ago"
    monkeypatch.setattr("hustings.agents.runtime.housekeeping.time.monotonic", lambda: float("inf"))
    await keeper.look()
    assert await runs(bus) == []


async def test_a_run_that_has_just_ended_is_left_to_those_who_follow_it(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hustings.protocols.timing.ENDED_KEPT", 60.0)
    await ended(bus, "a", "b", "c")
    await housekeeper(bus, max_runs=1).look()
    assert await runs(bus) == ["c", "b", "a"]


async def test_a_log_that_fills_up_discards_the_runs_that_ended_first(bus: Bus) -> None:
    """As few as it takes to have 40 % of it free; those under way stay, and goals are accepted again."""
    await asked(bus, "under-way", size=10_000)
    await ended(bus, "a", "b", "c", "d", "e", size=34_000)
    with pytest.raises(BusFull):
        await asked(bus, "f")
    await housekeeper(bus, discard="old").look()
    assert await runs(bus) == ["e", "d", "c", "under-way"]
    assert (await bus.log.usage()).share < 0.6
    await asked(bus, "f")


async def test_below_the_first_level_nothing_is_discarded(bus: Bus) -> None:
    await ended(bus, "a", "b", size=70_000)
    await housekeeper(bus, discard="old").look()
    assert await runs(bus) == ["b", "a"]


async def test_each_level_is_told_once(bus: Bus) -> None:
    """With what to do, and again only after the log had room."""
    keeper = housekeeper(bus)
    with capture_logs() as told:
        await ended(bus, "a", size=100_000)
        await keeper.look()
        assert told == []
        await ended(bus, "b", size=54_000)
        await keeper.look()
        await keeper.look()
        assert [re.sub("7.%", "7x%", each["event"]) for each in told] == ["the log is 7x% full"]
        assert (told[0]["log_level"], told[0]["try"]) == ("warning", "hustings rm --older 30d")
        await asked(bus, "c", size=28_000)
        await keeper.look()
        await keeper.look()
        assert [re.sub("9.%", "9x%", each["event"]) for each in told[1:]] == [
            "the log is 9x% full and takes no new goals"
        ]
        await bus.log.delete("a")
        await keeper.look()
        await asked(bus, "d", size=90_000)
        await keeper.look()
        assert len(told) == 3


def test_one_of_several_coordinators_does_it(bus: Bus) -> None:
    """The first by name of those that are heard; each for itself if it hears none."""
    heard: list[Heartbeat] = []
    second = Housekeeper(bus, TeamSettings(), "c2", lambda: heard)
    assert second.acting()
    heard += [beat("clerk", "a1"), beat("coordinator", "c2"), beat("coordinator", "c3")]
    assert second.acting()
    heard.append(beat("coordinator", "c1"))
    assert not second.acting()


def beat(agent: str, instance: str) -> Heartbeat:
    return Heartbeat(agent=agent, instance=instance, version="1", card="", pid=1, host="h")
