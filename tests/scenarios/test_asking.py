"""Asking: another agent's skill is had through the coordinator; nothing is done twice, and no circle is endless."""

import sys
from collections import Counter
from pathlib import Path

import anyio
import pytest

from moot.agents import Client, Supervisor, connect
from moot.agents.supervisor import Child
from moot.agents.testing import running
from moot.bus import embedded
from moot.protocols import Answered, Asked, Assigned, Entry, Result

from .asker import Errand, team

ROOT = Path(__file__).parent.parent.parent


async def heard(client: Client, errand: Errand) -> tuple[list[str], list[Entry]]:
    """What the chief heard, and the log."""
    with anyio.fail_after(60):
        report = await client.outcome(await client.ask(errand, run="r1"))
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


@pytest.mark.parametrize(
    ("skill", "why"),
    [("juggle", "nobody offers it"), ("parrot_left", "wait for each other")],
)
async def test_what_nobody_can_do_is_said_to_who_asked(skill: str, why: str) -> None:
    """Nobody offers it, or they would ask each other for ever: the bound on the depth ends the circle."""
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
    program = (sys.executable, "-m", "moot.agents.cli")
    target = "tests.scenarios.asker:team"
    async with embedded(tmp_path / "moot", durability="process") as url, connect(url, "asker") as client:
        env = {"MOOT_URL": url, "PYTHONPATH": str(ROOT)}
        doomed = env | {"MOOT_FAILPOINT": point, "MOOT_FAILPOINT_TOKENS": str(tokens)}
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
