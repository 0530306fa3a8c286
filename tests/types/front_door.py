"""What an author writes, as a type checker sees it: nothing here is run. An ignore that is not needed is an error."""

from typing import Literal, assert_type

from hustings import (
    Blob,
    Budget,
    Claim,
    Client,
    Goal,
    Message,
    Outcome,
    RetryPolicy,
    Run,
    RunError,
    Specialist,
    TaskContext,
    Team,
    Testimony,
    Verdict,
    __version__,
    connect,
    independent,
    majority,
    sync,
    tool,
    unopposed,
)
from hustings.testing import bench, running


class Text(Blob): ...


class Line(Message):
    number: int
    text: str


class Count(Goal):
    text: Text


class Counted(Outcome):
    verdicts: list[Verdict]


assert_type(__version__, str)
clerk = Specialist("clerk", "counts words")


@clerk.skill
async def split(text: Text, context: TaskContext) -> list[Line]:
    content = await context.read(text)
    assert_type(content, bytes)
    assert_type(context.run, str)
    summary = await context.model(Line, instructions="Give the longest line.", tools=[tool(longest)])
    assert_type(summary, Line)
    assert_type(await context.ask(Line, "longest", lines=[summary]), Line)
    assert_type(await context.ask(list[Line], "split", text=text), list[Line])
    await context.ask(int, "longest")  # type: ignore[type-var]
    await context.ask("longest", lines=[summary])  # type: ignore[call-overload]
    await context.ask(Line, "longest", lines=2)  # type: ignore[call-overload]
    return [Line(number=1, text=content.decode()), summary]


@clerk.skill()
def count(line: Line) -> Testimony:
    return Testimony(claims=(Claim(about=f"line {line.number}", value=len(line.text.split())),))


def longest(lines: list[str]) -> str:
    """The longest of these."""
    return max(lines, key=len)


class Rename(Goal):
    text: str


class Renamed(Outcome):
    text: Line


team = Team("hello", Count, Counted, specialists=[clerk], arbiters=[unopposed, independent, majority])
assert_type(team, Team[Count, Counted])
assert_type(team.outcome, type[Counted])
Team("hello", Line, Counted)  # type: ignore[type-var]
Team("hello", Count, Counted, budget=Budget(calls="many"))  # type: ignore[arg-type]
Team("hello", Count, Counted, retry=RetryPolicy(max_attempts=3), open=False, exhausted="stop", attempt_timeout=60)
Team("hello", Count, Counted, retry=3)  # type: ignore[arg-type]
Team("hello", Count, Counted, retri=RetryPolicy())  # type: ignore[call-arg]
assert_type(team.retry, RetryPolicy)
assert_type(team.attempt_timeout, float)
Line(number="one", text="a")  # type: ignore[arg-type]
Line(number=1)  # type: ignore[call-arg]

split(Text.of({}), None)  # type: ignore[arg-type, unused-coroutine]


async def ask(client: Client[Count, Counted]) -> None:
    run = await client.ask(Count(text=Text.of({})))
    assert_type(run, Run[Counted])
    assert_type(run.id, str)
    assert_type(await run.outcome(), Counted)
    assert_type((await run.outcome()).verdicts, list[Verdict])
    assert_type((await run.wait()).because, str)
    assert_type(await run.status(), Literal["decided", "partial", "undecided", "failed", "cancelled", "running"])
    async for entry in run.follow():
        assert_type(entry.seq, int)
    await run.cancel("not wanted")
    assert_type(client.run("r1"), Run[Counted])
    await client.ask("count")  # type: ignore[arg-type]
    await client.ask(Rename(text="x"))  # type: ignore[arg-type]


async def main() -> None:
    async with connect(team, "nats://127.0.0.1") as client:
        assert_type(client, Client[Count, Counted])
        await ask(client)
    async with connect(Team("other", Rename, Renamed), "nats://127.0.0.1") as other:
        await ask(other)  # type: ignore[arg-type]
        assert_type(await (await other.ask(Rename(text="x"))).outcome(), Renamed)
    connect("hello", "nats://127.0.0.1")  # type: ignore[arg-type]


def anybody(team: Team) -> type[Goal]:
    """A function that takes any team."""
    return team.goal


anybody(team)


def failed(error: RunError) -> str:
    return error.why


def script() -> None:
    with sync.connect(team, "nats://127.0.0.1") as client:
        assert_type(client, sync.Client[Count, Counted])
        run = client.ask(Count(text=Text.of({})))
        assert_type(run, sync.Run[Counted])
        assert_type(run.outcome(), Counted)
        assert_type([entry.seq for entry in run.follow()], list[int])
        assert_type(run.outcome(partial=True).verdicts, list[Verdict])
        client.ask(Rename(text="x"))  # type: ignore[arg-type]
        run.outcome(whole=True)  # type: ignore[call-arg]


async def tested() -> None:
    async with bench(clerk) as call:
        assert_type(await call(Testimony, "count", line=Line(number=1, text="a")), Testimony)
        assert_type(await call(list[Line], "split", text=Text.of({})), list[Line])
        await call("count", line=Line(number=1, text="a"))  # type: ignore[call-overload]
        await call(Testimony, "count", line="a")  # type: ignore[arg-type]
    async with running(team, processes="hello:team") as client:
        assert_type(client, Client[Count, Counted])
        assert_type(await (await client.ask(Count(text=Text.of({})))).outcome(), Counted)
    running(team, processes=True)  # type: ignore[arg-type]
