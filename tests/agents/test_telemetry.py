"""Telemetry: one trace from the goal to the answer, without a word of what was said; nothing at all where it is off."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from moot.agents import Specialist, TaskContext, Team, telemetry, tool
from moot.agents.models import Endpoints, Provider
from moot.agents.testing import FakeEndpoint, calls, running, says
from moot.protocols import Goal, Message, Outcome


class Question(Goal, contract="traced.Question.v1"):
    words: str


class Word(Message, contract="traced.Word.v1"):
    word: str


class Reply(Outcome, contract="traced.Reply.v1"):
    word: Word


clerk = Specialist("clerk", "asks a model")


@clerk.skill
async def answer(question: Question, context: TaskContext) -> Word:
    def look() -> str:
        return "a secret of the tool"

    said = await context.model(str, instructions="Answer.", about=question, tools=[tool(look)])
    return Word(word=said)


team = Team(name="traced", goal=Question, outcome=Reply, specialists=[clerk])


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(telemetry, "_tracer", provider.get_tracer("test"))
    yield exporter
    provider.shutdown()


async def test_a_run_is_one_trace_and_says_nothing_of_its_content(spans: InMemorySpanExporter) -> None:
    """Workflow, plan, attempt, chat, tool: each below the one that caused it, across the bus; the log carries it."""
    with FakeEndpoint(script=[calls("look", {}), says("a secret of the model")]) as fake:
        endpoints = Endpoints({"anthropic": Provider(kind="anthropic", base_url=fake.url)})
        async with running(team, endpoints=endpoints) as client:
            run = await client.ask(Question(words="a secret of the user"))
            assert (await client.outcome(run)).status == "decided"
            recorded = [entry.envelope async for entry in client.bus.log.read(run)]
    made: dict[str, ReadableSpan] = {span.name: span for span in spans.get_finished_spans()}
    assert set(made) == {
        "invoke_workflow traced",
        "plan traced",
        "invoke_agent clerk",
        "chat claude-sonnet-5-5",
        "execute_tool look",
    }
    parents = {
        "plan traced": "invoke_workflow traced",
        "invoke_agent clerk": "invoke_workflow traced",
        "chat claude-sonnet-5-5": "invoke_agent clerk",
        "execute_tool look": "invoke_agent clerk",
    }
    for child, parent in parents.items():
        below, above = made[child].parent, made[parent].context
        assert below
        assert above
        assert (below.span_id, below.trace_id) == (above.span_id, above.trace_id), child
    chat = dict(made["chat claude-sonnet-5-5"].attributes or {})
    assert (chat["gen_ai.usage.input_tokens"], chat["gen_ai.usage.output_tokens"]) == (10, 5)
    assert "secret" not in "".join(span.to_json() for span in spans.get_finished_spans())
    traces = {envelope.traceparent for envelope in recorded if envelope and envelope.traceparent}
    assert {trace.split("-")[1] for trace in traces} == {f"{made['plan traced'].context.trace_id:032x}"}


def test_a_replay_links_to_what_was_recorded_and_does_not_continue_it(spans: InMemorySpanExporter) -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with telemetry.replaying("traced", "r1", [parent]):
        pass
    (span,) = spans.get_finished_spans()
    assert span.parent is None
    assert [f"{link.context.trace_id:032x}" for link in span.links] == ["0af7651916cd43dd8448eb211c80319c"]
    assert span.context
    assert span.context.trace_id != span.links[0].context.trace_id


def test_where_it_is_off_it_is_not_there() -> None:
    """Nobody pays for it who has not asked for it."""
    code = (
        "import sys, moot.agents.cli.agent, moot.agents.cli.coordinator, moot.agents.cli.replay; "
        "from moot.agents import telemetry; telemetry.set_up('x', {}); "
        "print([n for n in sys.modules if n.startswith(('opentelemetry', 'anthropic', 'openai', 'httpx2', 'mcp'))])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"
