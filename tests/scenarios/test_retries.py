"""Retries on a real broker: a skill that fails and then does not, one that hangs, and what people are shown of it."""

from collections.abc import Iterator

import anyio
import pytest

from hustings import Goal, Message, Outcome, RetryPolicy, Specialist, Team
from hustings.agents.history.timeline import timeline_of
from hustings.agents.views.html.page import page
from hustings.agents.views.retries import told
from hustings.protocols import Assigned, Entry, Failure
from hustings.testing import running

QUICK = RetryPolicy(max_attempts=3, initial_interval=0.1, jitter=0.0)


class Fetch(Goal, contract="retries.Fetch.v1"): ...


class Page(Message, contract="retries.Page.v1"):
    attempts: int


class Fetched(Outcome, contract="retries.Fetched.v1"):
    page: Page


def team_of(name: str, fetcher: Specialist) -> Team[Fetch, Fetched]:
    return Team(name, Fetch, Fetched, [fetcher])


async def ran(team: Team[Fetch, Fetched], broker: str) -> tuple[str, list[Entry]]:
    """How the run ended, and its log."""
    with anyio.fail_after(300):
        async with running(team, broker) as client:
            run = await client.ask(Fetch())
            report = await run.wait()
            return report.status, [entry async for entry in client.bus.log.read(run.id)]


def times(entries: list[Entry], kind: type[Assigned | Failure]) -> list[float]:
    return [entry.time for entry in entries if isinstance(entry.event, kind)]


async def test_a_skill_that_fails_twice_is_tried_a_third_time_and_waits_before_each(broker: str, team: str) -> None:
    """In the log, 0.1 s and 0.2 s lie between a failure and the next attempt; the report page says so."""
    fetcher, outages = Specialist("fetcher"), iter([True, True, False])

    @fetcher.skill(retry=QUICK)
    async def fetch(goal: Fetch) -> Page:
        if next(outages):
            raise ConnectionError("the server is away")
        return Page(attempts=3)

    status, entries = await ran(team_of(team, fetcher), broker)
    assert status == "decided"
    first, second = (
        start - end for end, start in zip(times(entries, Failure), times(entries, Assigned)[1:], strict=True)
    )
    assert first >= 0.1
    assert second >= 0.2
    told_of = timeline_of(team, entries[0].subject.run, entries)
    assert [bar.again.wait if bar.again else None for bar in told_of.bars] == [0.1, 0.2, None]
    html = page(told_of)
    assert "fetcher-fetch, attempt 1; attempt 2 of 3 in 0.10 s" in html
    assert "attempt 3 of 3 in 0.20 s" in html


async def test_an_attempt_that_hangs_times_out_and_the_next_one_may_do_better(broker: str, team: str) -> None:
    """Cancelled after its own timeout, not the team's five minutes; a line says what comes next."""
    fetcher, hangs = Specialist("fetcher"), iter([True, False])

    @fetcher.skill(retry=QUICK, timeout=0.2)
    async def fetch(goal: Fetch) -> Page:
        if next(hangs):
            await anyio.sleep_forever()
        return Page(attempts=2)

    status, entries = await ran(team_of(team, fetcher), broker)
    assert status == "decided"
    lines = list(lines_of(team, entries))
    assert any(
        line.startswith("fetcher-fetch failed (timed_out): it took longer than 0.2 s")
        and line.endswith("; attempt 2 of 3 in 0.10 s")
        for line in lines
    ), lines
    assert "gives fetcher-fetch to fetcher, attempt 2 of 3, timeout 0.2 s" in lines


def lines_of(team: str, entries: list[Entry]) -> Iterator[str]:
    """What `hustings run` says of each entry, told as it comes."""
    for count, entry in enumerate(entries, 1):
        yield told(entry, timeline_of(team, entry.subject.run, entries[:count]).state)


@pytest.mark.parametrize("error", [ValueError("no"), UnicodeError("no")])
async def test_an_exception_that_the_team_names_ends_the_task(broker: str, team: str, error: Exception) -> None:
    """At once, and so does one of a subclass; the reason is the exception."""
    fetcher = Specialist("fetcher")

    @fetcher.skill
    async def fetch(goal: Fetch) -> Page:
        raise error

    stern = Team(team, Fetch, Fetched, [fetcher], retry=RetryPolicy(non_retryable=(ValueError,)))
    status, entries = await ran(stern, broker)
    assert (status, len(times(entries, Assigned))) == ("failed", 1)
