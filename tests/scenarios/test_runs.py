"""A run as its client has it: the outcome in the team's own type, or the error that says why there is none."""

from dataclasses import replace

import anyio
import pytest

from hustings.agents import Run, Team, connect
from hustings.agents.testing import running
from hustings.protocols import (
    Concluded,
    HustingsError,
    NotFound,
    RunCancelled,
    RunFailed,
    RunPartial,
    RunUndecided,
    Unproved,
    Unreadable,
)

from .labour import TEAM, Done, Other, Work, Worked


async def test_the_outcome_of_a_decided_run_has_the_type_of_the_team(broker: str, team: str) -> None:
    """Also for another client that has the id only, and one that has the messages only."""
    async with running(replace(TEAM, name=team), broker) as client:
        with anyio.fail_after(300):
            run = await client.ask(Work(way="plain"))
            worked = await run.outcome()
            assert (worked.done, worked.shown.holds) == (Done(way="plain"), True)
            assert [verdict.decided for verdict in worked.verdicts] == [True]
            assert await client.run(run.id).outcome() == worked
            async with connect(Team(team, Work, Worked), broker) as other:
                assert await other.run(str(run)).outcome() == worked
            assert await run.status() == (await run.wait()).status == "decided"
            *_, last = [entry.event async for entry in run.follow()]
            assert isinstance(last, Concluded)


@pytest.mark.parametrize(
    ("way", "error", "words"),
    [
        ("fails", RunFailed, "cannot be done"),
        ("undecided", RunUndecided, "1 matter is undecided"),
        ("partial", RunPartial, "without doubter"),
        ("unproved", Unproved, "it is unproved"),
    ],
)
async def test_a_run_without_its_outcome_says_why(
    broker: str, team: str, way: str, error: type[HustingsError], words: str
) -> None:
    """Each way to end is an error of its own, with the run's id and the reason; the report is there all the same."""
    async with running(replace(TEAM, name=team), broker) as client:
        with anyio.fail_after(300):
            run = await client.ask(Work(way=way))
            with pytest.raises(error, match=words) as raised:
                await run.outcome()
        assert run.id in raised.value.what
        assert words in (await run.report()).because + str(raised.value)


async def test_a_partial_outcome_is_had_by_who_accepts_it(broker: str, team: str) -> None:
    """It is whole but for what the missing agent would have said."""
    async with running(replace(TEAM, name=team), broker) as client:
        with anyio.fail_after(300):
            worked = await (await client.ask(Work(way="partial"))).outcome(partial=True)
    assert (worked.done.way, worked.verdicts) == ("partial", [])


async def test_a_cancelled_run_ends_with_the_reason(broker: str, team: str) -> None:
    """It is running until then; whoever waits for the outcome meanwhile gets the same error."""
    async with running(replace(TEAM, name=team), broker) as client, client.bus.live.watch() as live:
        with anyio.fail_after(300):
            run = await client.ask(Work(way="waits"))
            await anext(live)
            assert await run.status() == "running"
            async with anyio.create_task_group() as group:
                group.start_soon(withdrawn, run)
                await run.cancel("not wanted any more")
            assert await run.status() == "cancelled"


async def withdrawn(run: Run[Worked]) -> None:
    with pytest.raises(RunCancelled, match="not wanted any more"):
        await run.outcome()


async def test_what_is_no_run_or_no_such_outcome(broker: str, team: str) -> None:
    """A run that nobody asked for is not waited for; an outcome of another type is not taken for this one."""
    async with running(replace(TEAM, name=team), broker) as client:
        with anyio.fail_after(300):
            with pytest.raises(NotFound, match="there is no run nowhere"):
                await client.run("nowhere").outcome()
            run = await client.ask(Work(way="plain"))
            await run.wait()
            async with connect(Team(team, Work, Other), broker) as other:
                with pytest.raises(Unreadable, match=rf"the outcome of run {run} is no Other: undone"):
                    await other.run(run.id).outcome()
