"""A model that hangs is seen in seconds, and the work goes elsewhere: to another model, or to another agent."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from hustings.agents import Endpoints, ModelRule, Specialist, TaskContext, Team
from hustings.agents.models import Provider
from hustings.agents.testing import FakeEndpoint, Reply, broker, running, says, serving
from hustings.bus import Bus
from hustings.protocols import Failure, Goal, Message, Outcome, Progress, Result

from .speakers import Speaker, context

Within = Callable[[float], AbstractContextManager[None]]


class Question(Goal, contract="elsewhere.Question.v1"): ...


class Word(Message, contract="elsewhere.Word.v1"):
    word: str


class Told(Outcome, contract="elsewhere.Told.v1"):
    word: Word


def clerk(name: str) -> Specialist:
    made = Specialist(name, "asks a model")

    @made.skill
    async def answer(question: Question, context: TaskContext) -> Word:
        return Word(word=await context.model(str, instructions="Say a word."))

    return made


def team(*models: str) -> Team:
    return Team(
        name="elsewhere",
        goal=Question,
        outcome=Told,
        specialists=[clerk("ann")],
        models=[ModelRule("*", models=models)],
    )


def provider(fake: FakeEndpoint, patience: float = 60) -> Provider:
    return Provider(kind="anthropic", base_url=fake.url, first=patience, stall=patience)


HANGS = Reply(text="never", hang=30)


@pytest.mark.timing
@pytest.mark.processes
async def test_another_model_is_asked(within: Within) -> None:
    """Within seconds, in the same attempt."""
    with FakeEndpoint(lambda body: HANGS) as hung, FakeEndpoint(lambda body: says("here")) as well:
        endpoints = Endpoints({"one": provider(hung, 0.5), "two": provider(well)})
        async with running(team("one:m", "two:m"), endpoints=endpoints) as client:
            with within(8):
                report = await (await client.ask(Question())).wait()
    assert report.outcome["word"] == {"word": "here"}
    assert [(bill.model, bill.calls, bill.failed_calls) for bill in report.models] == [("one:m", 1, 1), ("two:m", 1, 0)]


@pytest.mark.processes
async def test_another_agent_is_asked() -> None:
    """Where the first has no model left: its attempt fails, and the next goes to who offers the same skill."""
    with FakeEndpoint(lambda body: HANGS) as hung, FakeEndpoint(lambda body: says("here")) as well:
        async with (
            broker() as url,
            serving(clerk("bob"), url, "elsewhere", endpoints=Endpoints({"one": provider(well)})),
            running(team("one:m"), url, endpoints=Endpoints({"one": provider(hung, 0.5)})) as client,
        ):
            run = await client.ask(Question())
            report = await run.wait()
            said = [entry.event async for entry in client.bus.log.read(run.id)]
    assert report.outcome["word"] == {"word": "here"}
    tried = [(each.agent, type(each)) for each in said if isinstance(each, Failure | Result)]
    assert tried in ([("ann", Failure), ("bob", Result)], [("bob", Result)])


async def test_what_a_model_says_is_heard_as_it_comes(bus: Bus) -> None:
    """As live progress, with the model's name; it is stored nowhere."""
    async with bus.live.watch() as live:
        await context(bus, Speaker("hello")).model(str, instructions="Greet.")
        async for each in live:
            if isinstance(each, Progress):
                break
    assert isinstance(each, Progress)
    assert (each.says, each.text, each.task) == ("anthropic:claude-sonnet-5-5", "hello", "t")
