"""Asking: another agent's skill is had through the coordinator; nothing is done twice, and no circle is endless."""

import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from hustings.agents import Client, Specialist, Supervisor, Team, connect, fold
from hustings.agents.deploy.supervisor import Child
from hustings.agents.skills.ask import heard as read
from hustings.agents.skills.ask import wanted
from hustings.agents.skills.journal import Journal
from hustings.agents.testing import broker, running
from hustings.bus import Bus, embedded, open_bus
from hustings.protocols import (
    Amount,
    Answered,
    Asked,
    AskFailed,
    Assigned,
    Budget,
    BudgetShare,
    Entry,
    ReplayMismatch,
    Result,
    RetryPolicy,
    UsageError,
)

from .asker import Errand, Told, Word, chief, scholar, team

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parent.parent.parent


async def heard(client: Client[Errand, Told], errand: Errand) -> tuple[list[str], list[Entry]]:
    """What the chief heard, and the log."""
    with anyio.fail_after(300):
        report = await (await client.ask(errand, run="r1")).wait()
    assert report.status == "decided", report.because
    said = report.outcome["heard"]
    assert isinstance(said, dict)
    return [str(word) for word in said["words"]], [entry async for entry in client.bus.log.read("r1")]  # type: ignore[union-attr]


async def test_the_coordinator_has_it_done_and_passes_on_what_is_said() -> None:
    """Equal questions are two; nobody but the coordinator assigns, and it is a task like any other."""
    async with running(team) as client:
        words, log = await heard(client, Errand(words=("a", "a", "b")))
        assert words == ["A", "A", "B"]
        asked = [entry.event for entry in log if isinstance(entry.event, Asked)]
        children = [
            entry.event for entry in log if isinstance(entry.event, Assigned) and entry.event.agent == "scholar"
        ]
        assert [each.task for each in children] == [each.child for each in asked]
        assert {each.depth for each in children} == {1}
        assert len({each.task for each in children}) == 3


async def test_a_skill_that_returns_a_list_is_asked_for_a_list() -> None:
    async with running(team) as client:
        words, _ = await heard(client, Errand(words=("ab", "c"), skill="spell"))
        assert words == ["a", "b", "c"]


def test_an_answer_that_does_not_fit_is_refused_where_it_enters() -> None:
    """An agent of another version may answer with anything under the contract's name."""
    message, contract = wanted(Word)
    with pytest.raises(AskFailed, match=r"the answer of look is no Word: word is missing"):
        read(message, contract, "look", {"letters": "a"})
    with pytest.raises(UsageError, match="a skill returns a Message"):
        wanted(str)  # type: ignore[type-var]


@pytest.mark.parametrize(
    ("skill", "why"),
    [
        ("juggle", "nobody offers it"),
        ("parrot_left", "wait for each other"),
        ("scrawl", "one asker.Word.v1 is wanted, and scholar returns one asker.Letter.v1"),
    ],
)
async def test_what_nobody_can_do_is_said_to_who_asked(skill: str, why: str) -> None:
    """Nobody offers it; or they would ask each other for ever: the bound on the depth ends the circle; or who offers it
    returns another type than the one that was asked for."""
    async with running(team) as client:
        (word,), log = await heard(client, Errand(words=("a",), skill=skill))
        assert why in word
        assert max(entry.event.depth for entry in log if isinstance(entry.event, Assigned)) <= 4


@pytest.mark.parametrize("point", ["query.before", "query.after"])
async def test_who_dies_while_asking_hears_the_same_and_nobody_does_it_twice(point: str, tmp_path: Path) -> None:
    """Before the question is on the log, and after: the chief dies, comes back, and the scholar works once a word."""
    tokens = tmp_path / "tokens"
    tokens.mkdir()
    (tokens / "1").touch()
    program = (sys.executable, "-m", "hustings.agents.cli")
    target = "tests.scenarios.asker:team"
    async with embedded(tmp_path / "hustings", durability="process") as url, connect(team, url) as client:
        env = {"HUSTINGS_URL": url, "PYTHONPATH": str(ROOT)}
        doomed = env | {"HUSTINGS_FAILPOINT": point, "HUSTINGS_FAILPOINT_TOKENS": str(tokens)}
        children = [
            Child("coordinator", (*program, "coordinator", target), env),
            Child("chief", (*program, "agent", target, "--only", "chief"), doomed),
            Child("others", (*program, "agent", target, "--only", "scholar", "--only", "left", "--only", "right"), env),
        ]
        supervisor = Supervisor(children, on_change=lambda _: None, on_line=lambda *_: None, backoff=(0.05, 0.05))
        async with anyio.create_task_group() as group:
            await group.start(supervisor.run)
            words, log = await heard(client, Errand(words=("a", "b")))
            group.cancel_scope.cancel()
    assert words == ["A", "B"]
    assert not list(tokens.iterdir()), "nobody was killed"
    done = Counter(
        entry.event.task for entry in log if isinstance(entry.event, Result) and entry.event.agent == "scholar"
    )
    assert sorted(done.values()) == [1, 1]
    assert len([entry for entry in log if isinstance(entry.event, Answered)]) == 2


async def test_who_is_asked_has_half_of_what_the_asker_had_left() -> None:
    """The first one four of eight calls, the next two of four; and what nobody spent is the run's again."""
    thrifty = Team("thrifty", Errand, Told, [chief, scholar], budget=Budget(calls=8))
    async with running(thrifty) as client:
        words, log = await heard(client, Errand(words=("a", "b")))
        assert words == ["A", "B"]
        shares = [
            entry.event.share for entry in log if isinstance(entry.event, Assigned) and entry.event.agent == "scholar"
        ]
        assert shares == [BudgetShare(calls=4), BudgetShare(calls=2)]
        assert fold("r1", log).committed == Amount()


@asynccontextmanager
async def alone() -> AsyncIterator[Bus]:
    async with broker() as url, open_bus(url, "test", name="chief") as bus:
        yield bus


QUESTION = Asked(task="t", attempt=1, agent="chief", ask="d-1", skill="look", input={})
ANSWERED = Answered(child=QUESTION.child, output={"word": "A"})


def record(bus: Bus) -> Journal:
    return Journal(bus, run="r", agent="chief", task="t", attempt=1, share=BudgetShare(calls=8))


async def test_what_is_asked_again_is_paid_once() -> None:
    """Another delivery of the same attempt finds the question and the answer, and gives back what it reserved."""
    async with alone() as bus:
        await bus.log.append("r", [ANSWERED], after=0, source="coordinator")
        with anyio.fail_after(300):
            assert [await record(bus).reply(QUESTION) for _ in range(3)] == [ANSWERED] * 3
            assert await record(bus).left() == BudgetShare(calls=4)
        asked = [entry.event async for entry in bus.log.read("r") if isinstance(entry.event, Asked)]
    assert asked == [QUESTION.model_copy(update={"share": BudgetShare(calls=4)})]


async def test_a_replay_asks_nobody() -> None:
    """What was answered is answered again, and what was not is a miss; nothing is added to the log."""
    async with alone() as bus:
        await bus.log.append("r", [ANSWERED], after=0, source="coordinator")
        entries = [entry async for entry in bus.log.read("r")]
        recorded = Journal.of(bus, entries, agent="chief", task="t", attempt=1)
        assert await recorded.reply(QUESTION) == ANSWERED
        with pytest.raises(ReplayMismatch, match="look"):
            await recorded.reply(QUESTION.model_copy(update={"ask": "d-2"}))
        assert [entry async for entry in bus.log.read("r")] == entries


async def test_the_time_of_an_asker_bounds_its_waiting() -> None:
    """Whoever is asked never answers: at its deadline the asker's attempt is over, and the run ends."""
    deaf = Specialist("scholar", "thinks for ever")

    @deaf.skill
    async def look(word: Word) -> Word:
        await anyio.sleep_forever()
        return word

    slow = Team("slow", Errand, Told, [chief, deaf], attempt_timeout=1.0, retry=RetryPolicy(max_attempts=1))
    with anyio.fail_after(300):
        async with running(slow) as client:
            report = await (await client.ask(Errand(words=("a",)))).wait()
    assert (report.status, report.missing) == ("failed", ("chief",))
