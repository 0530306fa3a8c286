"""What authors test with: a specialist or a team on a real broker, in this process or as processes."""

import os
from typing import assert_type

import anyio
import pytest

from hustings.bus.broker.server import process_running
from hustings.protocols import Goal, UsageError
from hustings.testing import SkillFailed, bench, running

from . import pids
from .pids import Again, Here, There, Where, clerk, lost, team

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
