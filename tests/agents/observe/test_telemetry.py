"""Telemetry: one trace from the goal to the answer, without a word of what was said; nothing at all where it is off."""

import subprocess
import sys
from collections.abc import Iterator, Mapping

import anyio
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from hustings.agents import Client, Specialist, TaskContext, Team, coordinate, majority, tool, unopposed
from hustings.agents.models import Endpoints, Provider
from hustings.agents.observe import telemetry
from hustings.agents.planning.planner import Brief
from hustings.agents.runtime.isolation import SuspectedTask
from hustings.agents.testing import FakeEndpoint, Reply, broker, calls, running, says, serving
from hustings.bus import Bus, open_bus
from hustings.protocols import (
    Assigned,
    Claim,
    Failure,
    Goal,
    GoalAsked,
    Message,
    NonRetryableError,
    Outcome,
    Plan,
    RetryPolicy,
    RunAcquired,
    UsageError,
    Verdict,
)
from hustings.protocols import Testimony as Heard  # pytest would collect it under its own name
from hustings.protocols.envelope import seal

pytestmark = pytest.mark.processes

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SECRET = "a secret"


class Question(Goal, contract="traced.Question.v1"):
    words: str


class Word(Message, contract="traced.Word.v1"):
    word: str


class Answer(Outcome, contract="traced.Answer.v1"):
    word: Word


class Settled(Outcome, contract="traced.Settled.v1"):
    verdicts: list[Verdict]


def clerk() -> Specialist:
    clerk = Specialist("clerk", "asks a model")

    @clerk.skill
    async def answer(question: Question, context: TaskContext) -> Word:
        def look(where: str) -> str:
            if where == "nowhere":
                raise NonRetryableError(f"{SECRET} of the tool")
            return f"{SECRET} of the tool"

        said = await context.model(str, instructions=f"{SECRET} of the clerk", material=question, tools=[tool(look)])
        return Word(word=said)

    return clerk


def traced(*specialists: Specialist) -> Team:
    once = RetryPolicy(max_attempts=1)
    return Team(name="traced", goal=Question, outcome=Answer, specialists=specialists, retry=once)


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """All spans of this process, as where an application has set a provider: those of other libraries as well."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    monkeypatch.setattr(telemetry, "_tracer", provider.get_tracer("test"))
    yield exporter
    provider.shutdown()


def made(spans: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in spans.get_finished_spans() if span.name == name]


def one(spans: InMemorySpanExporter, name: str) -> ReadableSpan:
    (span,) = made(spans, name)
    return span


def said(span: ReadableSpan) -> Mapping[str, object]:
    return span.attributes or {}


def below(child: ReadableSpan, parent: ReadableSpan) -> bool:
    return child.parent is not None and ids(child.parent) == ids(parent.context)


def ids(context: trace.SpanContext | None) -> tuple[int, int]:
    assert context
    return context.trace_id, context.span_id


def endpoints(fake: FakeEndpoint) -> Endpoints:
    return Endpoints({"anthropic": Provider(kind="anthropic", base_url=fake.url)})


async def test_a_run_is_one_trace_and_says_nothing_of_its_content(spans: InMemorySpanExporter) -> None:
    """Ask, workflow, plan, attempt, chat, tool: each below the one that caused it, across the bus; the log carries it.

    There is one chat span a call, with its usage; neither a tool that there is not nor one that fails tells a word.
    """
    script = [
        calls("look", {"where": f"{SECRET} of the model"}),
        calls("look", {"where": "nowhere"}),
        calls(SECRET, {}),
        says(f"{SECRET} of the model"),
    ]
    with FakeEndpoint(script=script) as fake:
        async with running(traced(clerk()), endpoints=endpoints(fake)) as client:
            run = await client.ask(Question(words=f"{SECRET} of the user"))
            assert (await run.wait()).status == "decided"
            recorded = [entry.envelope async for entry in client.bus.log.read(run.id)]
    model = "chat claude-sonnet-5-5"
    tree = {
        "invoke_workflow traced": "ask traced",
        "plan traced": "invoke_workflow traced",
        "invoke_agent clerk": "invoke_workflow traced",
        model: "invoke_agent clerk",
        "execute_tool look": "invoke_agent clerk",
    }
    assert {span.name for span in spans.get_finished_spans()} == {"ask traced", *tree}
    for name, parent in tree.items():
        assert all(below(child, one(spans, parent)) for child in made(spans, name)), name
    assert len(made(spans, model)) == len(script)
    assert SECRET not in "".join(span.to_json() for span in spans.get_finished_spans())
    assert {e.traceparent.split("-")[1] for e in recorded if e and e.traceparent} == {
        f"{ids(span.context)[0]:032x}" for span in spans.get_finished_spans()
    }
    attempt, chat, (well, badly) = (
        said(one(spans, "invoke_agent clerk")),
        said(made(spans, model)[0]),
        made(spans, "execute_tool look"),
    )
    assert (attempt["gen_ai.operation.name"], attempt["gen_ai.agent.name"]) == ("invoke_agent", "clerk")
    assert (attempt["gen_ai.conversation.id"], attempt["hustings.attempt"], attempt["hustings.skill"]) == (
        run.id,
        1,
        "answer",
    )
    assert (chat["gen_ai.usage.input_tokens"], chat["gen_ai.usage.output_tokens"]) == (10, 5)
    assert (chat["gen_ai.provider.name"], chat["gen_ai.response.finish_reasons"]) == ("anthropic", ("tools",))
    assert "error.type" not in said(well)
    assert said(badly)["error.type"] == "NonRetryableError"


async def test_what_fails_tells_its_kind_and_not_its_words(spans: InMemorySpanExporter) -> None:
    """A model that fails with somebody's words in its mouth, and the attempt and the run that fail with it."""
    with FakeEndpoint(script=[Reply(status=400, message=SECRET)]) as fake:
        async with running(traced(clerk()), endpoints=endpoints(fake)) as client:
            assert (await (await client.ask(Question(words=SECRET))).wait()).status == "failed"
    kinds = {"chat claude-sonnet-5-5": "rejected", "invoke_agent clerk": "raised", "invoke_workflow traced": "failed"}
    for name, kind in kinds.items():
        assert said(one(spans, name))["error.type"] == kind
        assert not one(spans, name).status.is_ok
    with pytest.raises(ValueError, match=SECRET), telemetry.using("look", "c1"):
        raise ValueError(SECRET)
    assert said(one(spans, "execute_tool look"))["error.type"] == "ValueError"
    assert SECRET not in "".join(span.to_json() for span in spans.get_finished_spans())


async def test_a_plan_that_cannot_be_made_is_a_span_that_failed(spans: InMemorySpanExporter) -> None:
    def confused(brief: Brief) -> Plan:
        raise ValueError(SECRET)

    lost = Team(name="lost", goal=Question, outcome=Answer, specialists=[clerk()], planner=confused)
    async with running(lost) as client:
        assert (await (await client.ask(Question(words=""))).wait()).status == "failed"
    assert said(one(spans, "plan lost"))["error.type"] == "failed"
    assert below(one(spans, "plan lost"), one(spans, "invoke_workflow lost"))
    assert SECRET not in one(spans, "plan lost").to_json()


async def test_settling_is_the_arbiters_work(spans: InMemorySpanExporter) -> None:
    def witness(name: str, value: int) -> Specialist:
        specialist = Specialist(name, "testifies")

        @specialist.skill
        def testify(question: Question) -> Heard:
            return Heard(claims=(Claim(about="it", value=value),))

        return specialist

    witnesses = [witness("ann", 1), witness("bob", 2), witness("cid", 2)]
    court = Team(name="court", goal=Question, outcome=Settled, specialists=witnesses, arbiters=[unopposed, majority])
    async with running(court) as client:
        assert (await (await client.ask(Question(words=""))).wait()).status == "decided"
    arbiter = one(spans, "invoke_agent arbiter")
    assert below(arbiter, one(spans, "invoke_workflow court"))
    assert said(arbiter)["gen_ai.agent.name"] == "arbiter"


async def test_a_task_that_comes_again_stays_in_its_trace(spans: InMemorySpanExporter) -> None:
    """Two spans of the attempt under the same parent; the model's answer is on record, so there is one chat."""
    held, twice = anyio.Event(), Specialist("twice", "is interrupted the first time")

    @twice.skill
    async def answer(question: Question, context: TaskContext) -> Word:
        word = await context.model(str, instructions="Answer.", material=question)
        if not held.is_set():
            held.set()
            await anyio.sleep_forever()
        return Word(word=word)

    team = traced(twice)
    with FakeEndpoint(script=[says("yes")]) as fake:
        async with broker() as url, anyio.create_task_group() as group:
            bus = await enter(group, url, team)
            client = Client(bus)
            run = await client.ask(Question(words=""))
            with anyio.CancelScope() as first:
                async with serving(twice, url, team.name, endpoints=endpoints(fake)):
                    await held.wait()
                    first.cancel()
                    await anyio.sleep_forever()
            async with serving(twice, url, team.name, endpoints=endpoints(fake)):
                assert (await run.wait()).status == "decided"
            group.cancel_scope.cancel()
    workflow = one(spans, "invoke_workflow traced")
    attempts = made(spans, "invoke_agent twice")
    assert [(below(each, workflow), said(each)["hustings.attempt"]) for each in attempts] == [(True, 1), (True, 1)]
    assert below(one(spans, "chat claude-sonnet-5-5"), attempts[0])


async def enter(group: anyio.abc.TaskGroup, url: str, team: Team, instance: str = "first") -> Bus:
    """A coordinator at work in this group, and its bus, until the group is cancelled."""

    async def work(*, task_status: anyio.abc.TaskStatus[Bus]) -> None:
        async with open_bus(url, team.name, name="coordinator") as bus, anyio.create_task_group() as inner:
            await inner.start(
                lambda task_status: coordinate(bus, team.policy(), instance=instance, task_status=task_status)
            )
            task_status.started(bus)

    bus: Bus = await group.start(work)
    return bus


async def test_a_coordinator_that_takes_over_continues_the_trace(spans: InMemorySpanExporter) -> None:
    """Also where whoever asked was not traced: then the first one's trace is that of the run."""
    quick = Specialist("quick", "answers")

    @quick.skill
    def answer(question: Question) -> Word:
        return Word(word="yes")

    team = traced(quick)
    async with broker() as url, open_bus(url, team.name, name="client") as bus:
        await bus.log.ask("r", GoalAsked(type=Question.__contract__, goal={"words": ""}, by="x"), client="x")
        async with anyio.create_task_group() as group:
            await enter(group, url, team)
            async for entry in bus.log.follow("r"):
                if isinstance(entry.event, RunAcquired):
                    break
            group.cancel_scope.cancel()
        async with anyio.create_task_group() as group, serving(quick, url, team.name):
            await enter(group, url, team, "second")
            assert (await Client(bus).run("r").wait()).status == "decided"
            group.cancel_scope.cancel()
    first, second = made(spans, "invoke_workflow traced")
    assert first.parent is None
    assert below(second, first)
    assert below(one(spans, "invoke_agent quick"), second)


def test_the_applications_own_span_is_the_root(spans: InMemorySpanExporter) -> None:
    """Whoever asks within a span of its own has the run below it."""
    provider = TracerProvider()
    started = provider.get_tracer("application").start_as_current_span("request")
    with started as request, telemetry.asking("traced", "r"):
        pass
    assert one(spans, "ask traced").parent == request.get_span_context()


def test_a_replay_links_to_what_was_recorded_and_does_not_continue_it(spans: InMemorySpanExporter) -> None:
    with telemetry.replaying("traced", "r1") as span:
        span.link(PARENT)
    replay = one(spans, "replay traced")
    assert replay.parent is None
    assert [f"{link.context.trace_id:032x}" for link in replay.links] == [PARENT.split("-")[1]]
    assert ids(replay.context)[0] != replay.links[0].context.trace_id


def assigned() -> Assigned:
    return Assigned(task="t", step="t", agent="ann", attempt=1, skill="work", input={}, deadline=2**36)


def sealed() -> str | None:
    failure = Failure(task="t", attempt=1, agent="ann", kind="raised", because="")
    return seal(failure, source="x", run="r").traceparent


def test_a_cell_continues_the_attempt(spans: InMemorySpanExporter) -> None:
    """What is called there, and appended, belongs to the attempt in the worker."""
    with telemetry.attempting("r", assigned(), "1", PARENT):
        suspect = SuspectedTask(run="r", assigned=assigned(), trace=sealed() or "")
    with telemetry.continuing(suspect.trace):
        assert sealed() == suspect.trace
        with telemetry.using("look", "c1"):
            pass
    assert below(one(spans, "execute_tool look"), one(spans, "invoke_agent ann"))
    assert sealed() is None


def test_a_process_without_telemetry_hands_the_trace_on() -> None:
    """A coordinator without it does not cut the client's trace from the agents'; what is none is not multiplied."""
    with telemetry.workflow("traced", "r", PARENT):
        assert sealed() == PARENT
    for none in ("", PARENT * 1000):
        with telemetry.workflow("traced", "r", none):
            assert sealed() is None


@pytest.mark.parametrize(
    ("environ", "on"),
    [
        ({}, False),
        ({"HUSTINGS_OTEL": "1"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}, True),
        ({"HUSTINGS_OTEL": "0", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}, False),
    ],
)
def test_the_environment_switches_it_on(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], on: bool) -> None:
    """And where the application has set a provider, it is that one."""
    provider = TracerProvider()
    monkeypatch.setattr(telemetry, "_tracer", None)
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    telemetry.set_up("x", environ)
    with telemetry.asking("traced", "r"):
        span = trace.get_current_span()
        assert span.is_recording() is on
        assert not on or (isinstance(span, ReadableSpan) and span.resource is provider.resource)


def test_the_extra_that_is_missing_is_missed_only_by_who_asked_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The endpoint may be meant for others in the same environment."""
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(UsageError, match="not installed"):
        telemetry.set_up("x", {"HUSTINGS_OTEL": "1"})
    telemetry.set_up("x", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"})
    with telemetry.asking("traced", "r"):
        assert sealed() is None


OFF = """
import sys, anyio
import hustings.agents.cli.verbs.agent, hustings.agents.cli.verbs.coordinator, hustings.agents.cli.verbs.replay
from hustings.agents.observe import telemetry
from hustings.agents.testing import running
from hustings.examples.hello import team
from hustings.examples.hello.team import Count, Text

async def main():
    async with running(team) as client:
        digest = await client.bus.blobs.put(b"one two")
        await (await client.ask(Count(text=Text(**digest.model_dump())))).wait()

telemetry.set_up("x", {})
anyio.run(main)
print("loaded", [n for n in sys.modules if n.startswith(("opentelemetry", "anthropic", "openai", "httpx2", "mcp"))])
"""


def test_where_it_is_off_it_is_not_there() -> None:
    """Nobody pays for it who has not asked for it: a whole run imports nothing of it."""
    said = subprocess.run([sys.executable, "-c", OFF], capture_output=True, text=True, check=True)
    assert said.stdout.splitlines()[-1] == "loaded []"
