"""Telemetry: OpenTelemetry spans, an extra. If it is off, OpenTelemetry is not imported.

It is on if HUSTINGS_OTEL or OTEL_EXPORTER_OTLP_ENDPOINT is set, or the application called `switch_on`. The names
follow the GenAI conventions (open-telemetry/semantic-conventions-genai, all still in development), and are defined
only here. A span never has the text sent to a model or its answer; of an exception it has only the type.
"""

import atexit
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Literal

from hustings.protocols import Assigned, Called, Completion, Failure, ModelReply, ModelRequest, UsageError
from hustings.protocols.envelope import traceparent

from ..variables import Variable

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, Tracer

OPERATION, AGENT, VERSION = "gen_ai.operation.name", "gen_ai.agent.name", "gen_ai.agent.version"
CONVERSATION, WORKFLOW = "gen_ai.conversation.id", "gen_ai.workflow.name"
TOOL, CALL = "gen_ai.tool.name", "gen_ai.tool.call.id"
PROVIDER, MODEL, MOST = "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.request.max_tokens"
ANSWERED, ID, STOP = "gen_ai.response.model", "gen_ai.response.id", "gen_ai.response.finish_reasons"
FORM, READ, WRITTEN = "gen_ai.output.type", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"
CACHED, CACHING = "gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_creation.input_tokens"
THOUGHT, COST, ERROR = "gen_ai.usage.reasoning.output_tokens", "hustings.cost.usd", "error.type"
TASK, ATTEMPT, SKILL = "hustings.task", "hustings.attempt", "hustings.skill"

OTEL = Variable("HUSTINGS_OTEL", "1: export spans over OTLP; 0: export none", "1 if there is an OTLP endpoint")
ENDPOINT = Variable(
    "OTEL_EXPORTER_OTLP_ENDPOINT", "where spans go, and all that else OpenTelemetry reads", "http://localhost:4318"
)
LONGEST = 55  # characters of a trace context; a longer one is invalid, and would go into each envelope of a run
LAST = 2.0  # seconds that a process waits for the collector when it ends

Kind = Literal["INTERNAL", "CLIENT", "PRODUCER"]
Value = str | int | float | tuple[str, ...]

_tracer: "Tracer | None" = None


def switch_on(tracer: "Tracer") -> None:
    """Make the spans of this process with this tracer, of whatever provider the application has set up."""
    global _tracer
    _tracer = tracer


def set_up(name: str, environ: Mapping[str, str] = os.environ) -> None:
    """Export this process's spans over OTLP if the environment asks for it; HUSTINGS_OTEL=0 switches it off.

    If the application has set a tracer provider, that one is used. Otherwise none is set for other libraries: their
    spans might contain prompts. Call it when the team is loaded. If the extra is missing it raises UsageError for
    HUSTINGS_OTEL, and does nothing for OTEL_EXPORTER_OTLP_ENDPOINT, which may be meant for other programs.
    """
    asked = OTEL.read(environ) or ENDPOINT.read(environ)
    if not asked or asked == "0":
        return
    try:
        from opentelemetry.trace import ProxyTracerProvider, get_tracer_provider

        provider = get_tracer_provider()
        provider = _exporting(name) if isinstance(provider, ProxyTracerProvider) else provider
    except ImportError:
        if OTEL.read(environ):
            raise UsageError(
                "OpenTelemetry is not installed", "HUSTINGS_OTEL asks for it", "pip install 'hustings[otel]'"
            ) from None
    else:
        switch_on(provider.get_tracer("hustings"))


def _exporting(name: str) -> "TracerProvider":
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    named = OTELResourceDetector().detect().attributes.get(SERVICE_NAME, f"hustings.{name}")
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: named}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _at_exit(provider.shutdown)
    return provider


def _at_exit(flush: Callable[[], None]) -> None:
    """Send the last spans when the process ends, within LAST seconds."""
    ending = threading.Event()

    def wait_and_flush() -> None:
        ending.wait()
        flush()

    def end() -> None:
        ending.set()
        flushing.join(LAST)

    flushing = threading.Thread(target=wait_and_flush, daemon=True)
    flushing.start()  # started now, because no thread can be started at exit
    atexit.register(end)


class Spanned:
    """A running span, or nothing if telemetry is off."""

    def __init__(self, span: "Span | None" = None) -> None:
        self._span = span
        self._failed = False

    def set(self, attributes: Mapping[str, Value]) -> None:
        """Add attributes."""
        if self._span:
            self._span.set_attributes(attributes)

    def failed(self, kind: str) -> None:
        """Mark the span as failed, with this kind; if called twice, the first counts."""
        if self._span and not self._failed:
            from opentelemetry.trace import StatusCode

            self._failed = True
            self._span.set_attribute(ERROR, kind)
            self._span.set_status(StatusCode.ERROR)

    def link(self, recorded: str) -> None:
        """Link to this W3C trace context, without becoming part of its trace."""
        if self._span:
            from opentelemetry.trace import get_current_span

            self._span.add_link(get_current_span(_extracted(recorded)).get_span_context())


def span(
    name: str, attributes: Mapping[str, Value], *, kind: Kind = "INTERNAL", parent: str = "", since: float = 0.0
) -> AbstractContextManager[Spanned]:
    """A span around the block. `parent` is a W3C trace context; without it the parent is the current span. `since`: it
    began earlier than the block, in seconds as time.time() gives them.

    Everything appended to the log in the block carries its trace context; if telemetry is off, that of the parent, so
    that a trace passes through processes without telemetry.
    """
    if _tracer:
        return _spanned(_tracer, name, attributes, kind, parent, since)
    return _carrying(parent) if 0 < len(parent) <= LONGEST else nullcontext(_NOTHING)


_NOTHING = Spanned()


@contextmanager
def _spanned(
    tracer: "Tracer", name: str, attributes: Mapping[str, Value], kind: Kind, parent: str, since: float
) -> Iterator[Spanned]:
    from opentelemetry.trace import SpanKind, use_span
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    context = _extracted(parent) if parent else None
    start = int(since * 1e9) or None
    span = tracer.start_span(name, context, kind=SpanKind[kind], attributes=attributes, start_time=start)
    made, carrier = Spanned(span), dict[str, str]()
    with use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        TraceContextTextMapPropagator().inject(carrier)
        with _carrying(carrier.get("traceparent")):
            try:
                yield made
            except Exception as error:
                made.failed(type(error).__name__)  # not its text, which may be the model's
                raise


@contextmanager
def _carrying(context: str | None) -> Iterator[Spanned]:
    before = traceparent.set(context)
    try:
        yield _NOTHING
    finally:
        traceparent.reset(before)


@contextmanager
def continuing(parent: str) -> Iterator[None]:
    """Make the block part of this W3C trace context, of another process."""
    if not (_tracer and parent):
        yield
        return
    from opentelemetry import context

    token = context.attach(_extracted(parent))
    try:
        with _carrying(parent):
            yield
    finally:
        context.detach(token)


def _extracted(parent: str) -> "Context":
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({"traceparent": parent})


# all spans


def asking(team: str, run: str) -> AbstractContextManager[Spanned]:
    """A client starts a run; the coordinator's work on it is another span."""
    return span(f"ask {team}", {WORKFLOW: team, CONVERSATION: run}, kind="PRODUCER")


def workflow(team: str, run: str, parent: str) -> AbstractContextManager[Spanned]:
    """One coordinator drives a run."""
    return span(
        f"invoke_workflow {team}", {OPERATION: "invoke_workflow", WORKFLOW: team, CONVERSATION: run}, parent=parent
    )


@contextmanager
def planning(team: str, run: str, since: float, *, lost: bool) -> Iterator[None]:
    """Make the plan and write it to the log; `lost`: there is none."""
    attributes = {OPERATION: "plan", AGENT: "coordinator", WORKFLOW: team, CONVERSATION: run}
    with span(f"plan {team}", attributes, since=since) as made:
        if lost:
            made.failed("failed")
        yield


def settling(run: str, since: float) -> AbstractContextManager[Spanned]:
    """Reach verdicts and write them to the log; there is no convention for it yet."""
    attributes = {OPERATION: "invoke_agent", AGENT: "arbiter", CONVERSATION: run}
    return span("invoke_agent arbiter", attributes, since=since)


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
    return span(f"invoke_agent {assigned.agent}", attributes, parent=parent)


def answered(made: Spanned, answer: Completion | None) -> None:
    """The result of an attempt."""
    if isinstance(answer, Failure):
        made.failed(answer.kind)


def using(tool: str, call: str) -> AbstractContextManager[Spanned]:
    """A tool call."""
    return span(f"execute_tool {tool}", {OPERATION: "execute_tool", TOOL: tool, CALL: call})


def chatting(run: str, request: ModelRequest) -> AbstractContextManager[Spanned]:
    """A call of a model, including retries."""
    provider, _, model = request.model.partition(":")
    attributes: dict[str, Value] = {
        OPERATION: "chat",
        CONVERSATION: run,
        PROVIDER: provider,
        MODEL: model,
        MOST: request.max_tokens,
        FORM: "json" if request.shape else "text",
    }
    return span(f"chat {model}", attributes, kind="CLIENT")


def called(made: Spanned, call: Called) -> None:
    """The result of a call: usage, cost, stop reason."""
    usage = call.usage
    made.set(
        {
            READ: usage.input + usage.cache_read + usage.cache_write,  # the convention counts all of them
            CACHED: usage.cache_read,
            CACHING: usage.cache_write,
            WRITTEN: usage.output,
            THOUGHT: usage.thought,
            COST: call.spent.money,
        }
    )
    if isinstance(call.answer, ModelReply):
        made.set({ANSWERED: call.answer.model, ID: call.answer.id, STOP: (call.answer.stop,)})
    if call.failed:
        made.failed(call.failed.partition(":")[0])


def replaying(team: str, run: str) -> AbstractContextManager[Spanned]:
    """A replay: a trace of its own, with links to the recorded traces."""
    return span(f"replay {team}", {WORKFLOW: team, CONVERSATION: run})
