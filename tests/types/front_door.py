"""What an author writes, as a type checker sees it: nothing here is run. An ignore that is not needed is an error."""

from typing import assert_type

from hustings import (
    Blob,
    Budget,
    Claim,
    Goal,
    Message,
    Outcome,
    Specialist,
    TaskContext,
    Team,
    Testimony,
    Verdict,
    __version__,
    connect,
    independent,
    majority,
    tool,
    unopposed,
)
from hustings.agents import Client, RunReport


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


@clerk.skill
def count(line: Line) -> Testimony:
    return Testimony(claims=(Claim(about=f"line {line.number}", value=len(line.text.split())),))


def longest(lines: list[str]) -> str:
    """The longest of these."""
    return max(lines, key=len)


team = Team("hello", Count, Counted, specialists=[clerk], arbiters=[unopposed, independent, majority])
Team("hello", Line, Counted)  # type: ignore
Team("hello", Count, Counted, budget=Budget(calls="many"))  # type: ignore
Team("hello", Count, Counted, attempts=3, open=False, exhausted="stop", attempt_timeout=60)
Team("hello", Count, Counted, attempts="3")  # type: ignore
Team("hello", Count, Counted, attemps=3)  # type: ignore
assert_type(team.attempts, int)
assert_type(team.attempt_timeout, float)
Line(number="one", text="a")  # type: ignore
Line(number=1)  # type: ignore

assert_type(split(Text.of({}), None), object)  # type: ignore


async def ask(client: Client) -> None:
    run = await client.ask(Count(text=Text.of({})))
    assert_type(run, str)
    assert_type(await client.outcome(run), RunReport)
    await client.ask("count")  # type: ignore


async def main() -> None:
    async with connect("nats://127.0.0.1", team.name) as client:
        assert_type(client, Client)
        await ask(client)
