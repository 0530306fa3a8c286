"""What authors test with: a specialist or a team on a real broker, in this process or as processes."""

import os
from typing import assert_type

import anyio
import pytest

from hustings import Message, Specialist, TaskContext
from hustings.bus.broker.server import process_running
from hustings.protocols import Goal, UsageError
from hustings.testing import FakeEndpoint, SkillFailed, bench, running, says

from . import pids
from .pids import Again, Here, There, Where, clerk, lost, team

poet = Specialist("poet")


class Line(Message):
    text: str


@poet.skill
async def write(line: Line, context: TaskContext) -> Line:
    return Line(text=await context.model(str, instructions="Write the next line.", material=line))


TARGET = f"{pids.__name__}:team"


async def test_a_team_runs_in_this_process(broker: str) -> None:
    async with running(team, broker) as client:
        with anyio.fail_after(300):
            there = await (await client.ask(Where())).outcome()
    assert_type(there, There)
    assert there.here.pid == os.getpid()


@pytest.mark.processes
async def test_a_team_runs_as_processes_which_end_with_the_block() -> None:
    """By one argument: its members are processes of their own, up when the block begins, and gone after it."""
    async with running(team, processes=TARGET) as client:
        assert {each.name for each in await client.bus.live.roll_call()} == {"coordinator", "clerk"}
        with anyio.fail_after(300):
            there = await (await client.ask(Where())).outcome()
        assert there.here.pid != os.getpid()
        assert process_running(there.here.pid)
    assert not process_running(there.here.pid)


async def test_another_team_than_the_one_that_is_named_is_not_started(broker: str) -> None:
    with pytest.raises(UsageError, match=f"{TARGET} is not the team lost"):
        async with running(lost, broker, processes=TARGET):
            pytest.fail("it is another team")


async def test_a_bench_gives_what_was_wanted_or_says_what_there_is(broker: str) -> None:
    """One message or a list of them, in their own type; a skill that returns another type has failed."""
    async with bench(clerk, broker) as call:
        one = await call(Here, "where", asked=Where())
        assert_type(one, Here)
        assert await call(list[Again], "often", asked=Where()) == [Again(pid=one.pid)] * 2
        with pytest.raises(SkillFailed, match=r"often returns a list of pids.Again.v1, not one pids.Again.v1"):
            await call(Again, "often", asked=Where())
        with pytest.raises(SkillFailed, match=r"where returns one pids.Here.v1, not one Goal.v1"):
            await call(Goal, "where", asked=Where())


async def test_models_are_those_that_the_environment_names_when_the_block_begins(
    broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not those of an earlier test in the same process: else a test would call a real endpoint, unseen."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "none")
    for words in ("one", "two"):
        with FakeEndpoint(script=[says(words)]) as fake:
            monkeypatch.setenv("ANTHROPIC_BASE_URL", fake.url)
            async with bench(poet, broker) as call:
                assert await call(Line, "write", line=Line(text="zero")) == Line(text=words)


async def test_a_fake_endpoint_serves_the_models_of_both_providers(
    broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its `endpoints`, without a key, whatever the environment says."""
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:1")
    for model in ("anthropic:any", "openai:any"):
        monkeypatch.setenv("HUSTINGS_MODEL", model)
        with FakeEndpoint(script=[says("one")]) as fake:
            async with bench(poet, broker, endpoints=fake.endpoints) as call:
                assert await call(Line, "write", line=Line(text="zero")) == Line(text="one")


@pytest.mark.parametrize("processes", [None, pytest.param(TARGET, marks=pytest.mark.processes)])
async def test_an_error_in_the_block_of_a_team_comes_out_as_it_is(broker: str, processes: str | None) -> None:
    """Not in groups, so pytest.raises around the block finds it."""
    with pytest.raises(LookupError, match="of the block"):
        async with running(team, broker, processes=processes):
            raise LookupError("of the block")


async def test_an_error_in_the_block_of_a_bench_comes_out_as_it_is(broker: str) -> None:
    with pytest.raises(LookupError, match="of the block"):
        async with bench(clerk, broker):
            raise LookupError("of the block")
