"""What is accepted ends: whatever a goal, a result, a planner or an arbiter has in it, and whatever keeps a decision
from counting."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import anyio
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from hustings.agents import Brief, Client, Docket, RunReport, RunState, Specialist, Team, unopposed
from hustings.agents.decider import folding
from hustings.agents.testing import running
from hustings.protocols import (
    Assigned,
    Claim,
    Entry,
    Goal,
    Inquiry,
    Message,
    Opened,
    Outcome,
    Planned,
    Settled,
    Testimony,
    Unsendable,
    UsageError,
    Verdict,
)

TEXT = st.text(st.characters(codec=None), max_size=5)  # lone surrogates too
JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def nested(levels: int, *, objects: bool = False) -> JsonValue:
    inner: JsonValue = 1
    for _ in range(levels):
        inner = {"child": inner} if objects else [inner]
    return inner


class Work(Goal):
    document: JsonValue = None
    depth: int = 0


class Note(Message):
    document: JsonValue
    seen: int


class Noted(Outcome):
    note: Note
    verdicts: list[Verdict]


witness = Specialist("witness", spends=False)
scribe = Specialist("scribe", spends=False)


@witness.skill
async def looks(work: Work) -> Testimony:
    value = nested(work.depth) if work.depth else work.document
    return Testimony(claims=[Claim(about="document", value=value)])  # type: ignore[arg-type]


@scribe.skill
async def write(work: Work, verdicts: list[Verdict]) -> Note:
    return Note(document=work.document, seen=len(verdicts))


TEAM = Team("notes", goal=Work, outcome=Noted, specialists=[witness, scribe])


async def end(client: Client[Work, Noted], goal: Work) -> RunReport:
    """How the run of a goal ends, which it does in time."""
    run = await client.ask(goal)
    with anyio.fail_after(300):
        return await run.wait()


async def test_a_hundred_goals_arrive_as_they_were_or_are_refused_at_the_client(broker: str, team: str) -> None:
    """Every run that was accepted is decided, and its document went through goal, task, result, claim and verdict."""
    goals: list[Work] = []

    @settings(derandomize=True, max_examples=100, deadline=None, phases=[Phase.generate])
    @given(JSON)
    def collect(document: JsonValue) -> None:
        goals.append(Work.model_construct(document=document, depth=0))

    collect()
    goals += [Work(document=nested(depth, objects=True)) for depth in (140, 148, 149, 150, 190, 197, 198, 250)]
    goals += [Work(document=10**5000), Work(document=10**4299)]
    refused = 0
    async with running(replace(TEAM, name=team), broker) as client:
        for goal in goals:
            try:
                ended = await end(client, goal)
            except Unsendable:
                refused += 1
                continue
            assert ended.status in ("decided", "partial"), ended.because
            assert ended.outcome["note"] == {"document": goal.document, "seen": int(ended.status == "decided")}
    assert 5 < refused < len(goals) - 50


async def test_a_result_of_any_depth_ends_its_run(broker: str, team: str) -> None:
    """Said as deeply as may be, it passes through every event; deeper, it is the failure of whoever said it."""
    async with running(replace(TEAM, name=team), broker) as client:
        for depth in (100, 147, 148, 180, 196, 250):
            ended = await end(client, Work(depth=depth))
            assert ended.status == ("decided" if depth <= 147 else "partial"), (depth, ended.because)
            assert ended.status == "decided" or "witness" in ended.because


@pytest.mark.parametrize(
    "wish",
    [{"execution_timeout": math.inf}, {"execution_timeout": -1.0}, {"only": ["\ud800"]}, {"execution_timeout": 1e12}],
)
async def test_wishes_that_cannot_be_are_refused_at_the_client(broker: str, team: str, wish: dict[str, Any]) -> None:
    """Not only the goal's own fields are checked there."""
    async with running(replace(TEAM, name=team), broker) as client:
        with pytest.raises(UsageError):
            await client.ask(Work(), **wish)
        assert not await client.runs()


# what planners and arbiters make


def no_plan(brief: Brief) -> Any:
    return {"steps": []}


def raises_odd_text(brief: Brief) -> Any:
    raise ValueError("\ud800" + "x" * 10_000)


def asks_too_deeply(brief: Brief) -> Any:
    return Inquiry(skill="looks", given={"work": nested(230)})


def asks_for_ever(brief: Brief) -> Any:
    return Inquiry(skill="looks", given={})


def hears_nothing(docket: Docket) -> Iterator[Inquiry]:
    yield Inquiry(skill="looks", given={})


def odd(**changes: object) -> Callable[[Docket], Iterator[Any]]:
    """An arbiter whose verdicts nobody checked."""

    def arbiter(docket: Docket) -> Iterator[Any]:
        for verdict in unopposed(docket):
            yield verdict.model_copy(update=changes)

    return arbiter


def says_a_word(docket: Docket) -> Iterator[Any]:
    yield "stands"


MADE: dict[str, tuple[dict[str, Any], str]] = {
    "no plan": ({"planner": no_plan}, "the planner gave a dict"),
    "odd text": ({"planner": raises_odd_text}, "ValueError: \ufffdxxx"),
    "deep inquiry": ({"planner": asks_too_deeply}, "cannot be written"),
    "asked again": ({"planner": asks_for_ever}, "asked looks again"),
    "settled never": ({"arbiters": (hears_nothing,)}, "asked looks again"),
    "no verdict": ({"arbiters": (says_a_word,)}, "gave a str"),
    "infinite": ({"arbiters": (odd(margin=math.inf),)}, "margin must be a finite number"),
    "deep verdict": ({"arbiters": (odd(value=nested(230)),)}, "cannot be written"),
    "digits": ({"arbiters": (odd(value=10**5000),)}, "cannot be written"),
    "surrogate": ({"arbiters": (odd(because="\ud800"),)}, "cannot be written"),
    "wrong type": ({"arbiters": (odd(evidence=(1,)),)}, "evidence.0 must be an object"),
}


@pytest.mark.parametrize("case", MADE)
async def test_what_a_policy_makes_ends_the_run_with_the_reason(broker: str, team: str, case: str) -> None:
    """A fault of a planner or an arbiter ends its run, and no other."""
    policy, why = MADE[case]
    async with running(replace(TEAM, name=team, **policy), broker) as client:
        ended = await end(client, Work())
        assert ended.status == "failed"
        assert why in ended.because
        assert len([entry async for entry in client.bus.log.read((await client.runs())[0].run)]) < 20


# decisions that do not count


@pytest.mark.parametrize("deaf", [Planned, Assigned, Opened, Settled])
async def test_a_decision_that_does_not_count_is_not_made_for_ever(
    broker: str, team: str, deaf: type[Message], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: the fold passes over an event of the coordinator's own. Its run ends failed, and says what it was."""

    def evolve(state: RunState, entry: Entry) -> None:
        folding.evolve(state, entry._replace(envelope=None) if isinstance(entry.event, deaf) else entry)

    monkeypatch.setattr("hustings.agents.runtime.coordinator.evolve", evolve)
    async with running(replace(TEAM, name=team), broker) as client:
        ended = await end(client, Work())
        assert ended.status == "failed"
        assert deaf.__name__ in ended.because
        events = [entry async for entry in client.bus.log.read((await client.runs())[0].run)]
        assert sum(isinstance(entry.event, deaf) for entry in events) <= 4
