"""kill -9 of a model specialist at each of its calls: what was paid for is not paid for again."""

import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import anyio
import pytest

from hustings.agents import Supervisor, connect
from hustings.agents.deploy.supervisor import Child
from hustings.agents.models.fake import FakeEndpoint, Reply, says
from hustings.bus import embedded
from hustings.protocols import Budget, Data

from .caller import Errand, team

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parent.parent.parent
CALLS = 10
When = Literal["during", "call.before", "call.after"]
WHENS: list[When] = ["during", "call.before", "call.after"]
LATER = ("call.before", "call.after")
EXTRA: dict[When, int] = {"during": 1, "call.before": 1, "call.after": 0}


@pytest.mark.parametrize(
    "first", [1, 5, *(pytest.param(first, marks=pytest.mark.long) for first in (2, 3, 4))]
)  # 1 and 5: each of WHENS
async def test_a_crash_at_any_call_costs_at_most_that_call(first: int, tmp_path: Path) -> None:
    """While the model thinks, after it has answered, after that is on the log: at every second call each."""
    async with anyio.create_task_group() as group:
        for number in (first, first + 5):
            when = WHENS[number % 3]
            group.start_soon(crash, tmp_path / f"{when}-{number}", number, when)


async def crash(folder: Path, number: int, when: When) -> None:
    """The run comes to what it would have, with at most one request more, the one that was under way."""
    asked, supervisor = await errand(folder, number, when)
    assert sorted(set(asked)) == [*range(1, CALLS + 1)]
    assert len(asked) == CALLS + EXTRA[when], f"{when} {number}: {asked}"
    assert supervisor.restarts >= 1, "nobody was killed"


class Crashes:
    """An endpoint that says word N when asked for it, and sees to it that the agent dies at one of them."""

    def __init__(self, number: int, when: When, tokens: Path) -> None:
        self.asked: list[int] = []
        self.restarts = 0
        self.pid = 0
        self._number, self._when, self._tokens = number, when, tokens

    def __call__(self, body: Data) -> Reply:
        (number,) = re.findall(r"Say word (\d+)\.", str(body["system"]))
        self.asked.append(int(number))
        if self._when == "during" and self.asked.count(self._number) == 1 and int(number) == self._number:
            os.kill(self.pid, signal.SIGKILL)
        elif self.asked.count(self._number) == 1 and int(number) == self._number:
            (self._tokens / "1").touch()
        return says(f"word {number}")


async def errand(folder: Path, number: int, when: When) -> tuple[list[int], Crashes]:
    """The numbers that were asked for in a run of CALLS calls, in which the agent dies at one of them."""
    tokens = folder / "tokens"
    tokens.mkdir(parents=True)
    crashes = Crashes(number, when, tokens)
    with FakeEndpoint(crashes) as fake:
        async with embedded(folder / "hustings", durability="process") as url, connect(team, url) as client:
            env = {"HUSTINGS_FAILPOINT": when, "HUSTINGS_FAILPOINT_TOKENS": str(tokens)} if when != "during" else {}
            async with processes(url, fake.url, env, crashes):
                with anyio.fail_after(300):
                    report = await (await client.ask(Errand(calls=CALLS))).wait()
    assert report.status == "decided", report.because
    assert report.outcome["heard"] == {"words": [f"word {each}" for each in range(1, CALLS + 1)]}
    return crashes.asked, crashes


@pytest.mark.parametrize("point", ["spend.after", *(pytest.param(each, marks=pytest.mark.long) for each in LATER), ""])
async def test_sixty_four_calls_at_once_never_pass_a_budget_of_ten(point: str, tmp_path: Path) -> None:
    """Killed up to three times meanwhile, or not at all: the endpoint sees ten requests at most. What was reserved when
    it was killed counts as spent, so the more it is killed the less it hears."""
    tokens = tmp_path / "tokens"
    tokens.mkdir()
    for number in range(3 if point else 2):
        (tokens / str(number)).touch()
    env = {"HUSTINGS_FAILPOINT": point, "HUSTINGS_FAILPOINT_TOKENS": str(tokens)} if point else {}
    with FakeEndpoint(lambda body: says("word")) as fake:
        async with (
            embedded(tmp_path / "hustings", durability="process") as url,
            connect(team, url) as client,
            processes(url, fake.url, env, Crashes(0, "during", tokens)),
        ):
            with anyio.fail_after(300):
                asked = Errand(calls=64, at_once=True)
                report = await (await client.ask(asked, budget=Budget(calls=10))).wait()
    assert report.status == "decided", report.because
    assert len(list(tokens.iterdir())) < 3, "nobody was killed"
    assert 1 <= len(fake.calls) <= 10
    assert len(fake.calls) == 10 or point
    assert report.spent["calls"] == 10
    heard = report.outcome["heard"]
    assert isinstance(heard, dict)
    assert isinstance(heard["words"], list)
    assert len(heard["words"]) <= len(fake.calls)


@asynccontextmanager
async def processes(url: str, endpoint: str, env: dict[str, str], crashes: Crashes) -> AsyncIterator[None]:
    """Coordinator and agent, started again whenever they end."""
    program = (sys.executable, "-m", "hustings.agents.cli")
    target = "tests.scenarios.caller:team"
    everywhere = {
        "HUSTINGS_URL": url,
        "PYTHONPATH": str(ROOT),
        "ANTHROPIC_BASE_URL": endpoint,
        "ANTHROPIC_API_KEY": "a-key-for-tests",
        **env,
    }
    children = [
        Child("coordinator", (*program, "coordinator", target), everywhere),
        Child("caller", (*program, "agent", target), everywhere),
    ]

    def watch(_: object) -> None:
        (agent,) = [each for each in supervisor.statuses if each.name == "caller"]
        if agent.pid and agent.pid != crashes.pid:
            crashes.restarts += bool(crashes.pid)
            crashes.pid = agent.pid

    supervisor = Supervisor(children, on_change=watch, on_line=lambda *_: None, backoff=(0.05, 0.05))
    async with anyio.create_task_group() as group:
        await group.start(supervisor.run)
        yield
        group.cancel_scope.cancel()
