"""The client without await: in a script, and inside a running event loop, as in a notebook."""

from collections.abc import Iterator
from dataclasses import replace
from typing import assert_type

import pytest
from anyio.from_thread import start_blocking_portal

from hustings import Team
from hustings.agents.testing import running
from hustings.protocols import BrokerUnavailable, Concluded, GoalAsked, NotFound, RunCancelled, RunFailed
from hustings.sync import Run, connect

from .labour import TEAM, Done, Work, Worked


@pytest.fixture
def at_work(broker: str, team: str) -> Iterator[Team[Work, Worked]]:
    """The team, at work in a thread of its own, because this one blocks."""
    named = replace(TEAM, name=team)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(running(named, broker)):
        yield named


def pursued(team: Team[Work, Worked], url: str) -> None:
    """Ask, follow, wait, cancel, and the errors."""
    with connect(team, url) as client:
        run = client.ask(Work(way="plain"))
        assert_type(run, Run[Worked])
        first, *_, last = [entry.event for entry in run.follow()]
        assert isinstance(first, GoalAsked)
        assert isinstance(last, Concluded)
        assert run.outcome().done == Done(way="plain")
        assert client.run(run.id).wait() == run.report()
        with pytest.raises(RunFailed, match="cannot be done"):
            client.ask(Work(way="fails")).outcome()
        waiting = client.ask(Work(way="waits"))
        assert waiting.status() == "running"
        waiting.cancel("not wanted")
        with pytest.raises(RunCancelled, match="not wanted"):
            waiting.outcome()
        with pytest.raises(NotFound):
            client.run("nowhere").wait()


def test_a_script_needs_no_await(at_work: Team[Work, Worked], broker: str) -> None:
    pursued(at_work, broker)


async def test_a_notebook_may_have_a_running_loop(at_work: Team[Work, Worked], broker: str) -> None:
    """The loop of this test runs, and is blocked meanwhile; the client has one of its own."""
    pursued(at_work, broker)


def test_whoever_stops_following_leaves_nothing_behind(at_work: Team[Work, Worked], broker: str) -> None:
    """A loop that is left early ends the task that reads; the client goes on."""
    with connect(at_work, broker) as client:
        run = client.ask(Work(way="plain"))
        for entry in run.follow():
            assert isinstance(entry.event, GoalAsked)
            break
        assert run.outcome().shown.holds


def test_a_broker_that_is_not_there_is_an_error_at_once() -> None:
    with pytest.raises(BrokerUnavailable), connect(TEAM, "nats://127.0.0.1:1"):
        pytest.fail("there is nobody")
