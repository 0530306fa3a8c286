"""Telemetry: spans for OpenTelemetry, an extra. Where nobody has switched it on, nothing of it is imported.

It is on where MOOT_OTEL or OTEL_EXPORTER_OTLP_ENDPOINT is set, or an application has called `switch_on`. The names are
those of the GenAI conventions (open-telemetry/semantic-conventions-genai, all still in development), and stand here
alone. Nothing that anybody says to a model, and nothing that it answers, goes into a span.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Literal

from moot.protocols import Answer, Assigned, Called, Failure, ModelReply, ModelRequest, UsageError, traceparent

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

OPERATION, AGENT, VERSION = "gen_ai.operation.name", "gen_ai.agent.name", "gen_ai.agent.version"
CONVERSATION, WORKFLOW, TOOL = "gen_ai.conversation.id", "gen_ai.workflow.name", "gen_ai.tool.name"
PROVIDER, MODEL, ANSWERED = "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.response.model"
STOP, READ, WRITTEN = "gen_ai.response.finish_reasons", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"
CACHED, COST, ERROR = "gen_ai.usage.cache_read.input_tokens", "moot.cost.usd", "error.type"
TASK, ATTEMPT, SKILL = "moot.task", "moot.attempt", "moot.skill"

Kind = Literal["INTERNAL", "CLIENT", "CONSUMER"]
Value = str | int | float

_tracer: "Tracer | None" = None


def switch_on(tracer: "Tracer") -> None:
    """Have the spans of this process made by this tracer, of whatever provider the application has set up."""
    global _tracer
    _tracer = tracer


def set_up(name: str, environ: Mapping[str, str] = os.environ) -> None:
    """Export this process's spans over OTLP, if the environment asks for it. Raises UsageError without the extra."""
    if not (environ.get("MOOT_OTEL") or environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")):
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise UsageError(
            "OpenTelemetry is not installed", "MOOT_OTEL asks for it", "pip install 'moot[otel]'"
        ) from None
    provider = TracerProvider(resource=Resource.create({"service.name": f"moot.{name}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    switch_on(provider.get_tracer("moot"))


class Spanned:
    """A span at work, or nothing where telemetry is off."""

    def __init__(self, span: "Span | None" = None) -> None:
        self._span = span

    def set(self, attributes: Mapping[str, Value]) -> None:
        """Say more about it."""
        if self._span:
            self._span.set_attributes(attributes)

    def failed(self, kind: str) -> None:
        """It came to nothing, in this way."""
        if self._span:
            from opentelemetry.trace import StatusCode

            self._span.set_attribute(ERROR, kind)
            self._span.set_status(StatusCode.ERROR)


@contextmanager
def span(
    name: str, attributes: Mapping[str, Value], *, kind: Kind = "INTERNAL", parent: str = "", links: Iterable[str] = ()
) -> Iterator[Spanned]:
    """A span around the block. `parent` and `links` are W3C trace contexts; without a parent it is the current span.

    All that is appended to the log within the block carries its trace context.
    """
    if _tracer is None:
        yield Spanned()
        return
    from opentelemetry import trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier, propagator = dict[str, str](), TraceContextTextMapPropagator()
    context = propagator.extract({"traceparent": parent}) if parent else None
    linked = [trace.Link(_context(each)) for each in links]
    with _tracer.start_as_current_span(
        name, context, kind=trace.SpanKind[kind], attributes=attributes, links=linked, record_exception=False
    ) as started:
        propagator.inject(carrier)
        before = traceparent.set(carrier.get("traceparent"))
        try:
            yield Spanned(started)
        finally:
            traceparent.reset(before)


def _context(parent: str) -> Any:
    from opentelemetry.trace import get_current_span
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return get_current_span(TraceContextTextMapPropagator().extract({"traceparent": parent})).get_span_context()


# the spans there are


def workflow(team: str, run: str, parent: str) -> AbstractContextManager[Spanned]:
    """One coordinator's pursuit of a run."""
    return span(
        f"invoke_workflow {team}", {OPERATION: "invoke_workflow", WORKFLOW: team, CONVERSATION: run}, parent=parent
    )


def planning(team: str, run: str) -> AbstractContextManager[Spanned]:
    """Deciding on the plan."""
    return span(f"plan {team}", {OPERATION: "plan", AGENT: "coordinator", WORKFLOW: team, CONVERSATION: run})


def settling(run: str) -> AbstractContextManager[Spanned]:
    """Deciding on verdicts; there is no convention for it yet."""
    return span("invoke_agent arbiter", {OPERATION: "invoke_agent", AGENT: "arbiter", CONVERSATION: run})


def attempting(run: str, assigned: Assigned, version: str, parent: str) -> AbstractContextManager[Spanned]:
    """One attempt of a task."""
    attributes: dict[str, Value] = {
        OPERATION: "invoke_agent",
        AGENT: assigned.agent,
        VERSION: version,
        CONVERSATION: run,
        TASK: assigned.task,
        ATTEMPT: assigned.attempt,
        SKILL: assigned.skill,
    }
    return span(f"invoke_agent {assigned.agent}", attributes, kind="CONSUMER", parent=parent)


def answered(made: Spanned, answer: Answer | None) -> None:
    """What an attempt came to."""
    if isinstance(answer, Failure):
        made.failed(answer.kind)


def using(tool: str, call: str) -> AbstractContextManager[Spanned]:
    """A tool at work."""
    return span(f"execute_tool {tool}", {OPERATION: "execute_tool", TOOL: tool, "gen_ai.tool.call.id": call})


def chatting(request: ModelRequest) -> AbstractContextManager[Spanned]:
    """A call of a model, over all its tries."""
    provider, _, model = request.model.partition(":")
    return span(f"chat {model}", {OPERATION: "chat", PROVIDER: provider, MODEL: model}, kind="CLIENT")


def called(made: Spanned, call: Called) -> None:
    """What a call came to: usage, cost, how it ended."""
    usage = call.usage
    made.set({READ: usage.input, WRITTEN: usage.output, CACHED: usage.cache_read, COST: call.spent.money})
    if isinstance(call.answer, ModelReply):
        made.set({ANSWERED: call.answer.model, STOP: call.answer.stop})
    if call.failed:
        made.failed(call.failed.partition(":")[0])


def replaying(team: str, run: str, recorded: Iterable[str]) -> AbstractContextManager[Spanned]:
    """A replay: a trace of its own, which links to what was recorded and does not continue it."""
    return span(f"replay {team}", {WORKFLOW: team, CONVERSATION: run}, links=recorded)
