"""Telemetry: spans for OpenTelemetry, an extra. Where nobody has switched it on, nothing of it is imported.

It is on where HUSTINGS_OTEL or OTEL_EXPORTER_OTLP_ENDPOINT is set, or an application has called `switch_on`. The names
are those of the GenAI conventions (open-telemetry/semantic-conventions-genai, all still in development), and stand here
alone. Nothing that anybody says to a model, and nothing that it answers, goes into a span; of what is raised only the
kind does.
"""

import atexit
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Literal

from hustings.protocols import Answer, Assigned, Called, Failure, ModelReply, ModelRequest, UsageError, traceparent

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

LONGEST = 55  # characters of a trace context; what is longer is none, and would go into each envelope of a run
LAST = 2.0  # seconds that a process waits for the collector when it ends

Kind = Literal["INTERNAL", "CLIENT", "PRODUCER"]
Value = str | int | float | tuple[str, ...]

_tracer: "Tracer | None" = None


def switch_on(tracer: "Tracer") -> None:
    """Have the spans of this process made by this tracer, of whatever provider the application has set up."""
    global _tracer
    _tracer = tracer


def set_up(name: str, environ: Mapping[str, str] = os.environ) -> None:
    """Export this process's spans over OTLP, if the environment asks for it; HUSTINGS_OTEL=0 says that it does not.

    Where the application has set a tracer provider, that one is used, and otherwise none is set for other libraries:
    their spans might tell what was said. To be called when the team is loaded. Without the extra it raises UsageError
    if HUSTINGS_OTEL asks, and does nothing if OTEL_EXPORTER_OTLP_ENDPOINT does, which may be meant for others.
    """
    asked = environ.get("HUSTINGS_OTEL") or environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    if not asked or asked == "0":
        return
    try:
        from opentelemetry.trace import ProxyTracerProvider, get_tracer_provider

        provider = get_tracer_provider()
        provider = _exporting(name) if isinstance(provider, ProxyTracerProvider) else provider
    except ImportError:
        if environ.get("HUSTINGS_OTEL"):
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
    """Have the last spans sent when the process ends, as far as that takes LAST seconds."""
    ending = threading.Event()

    def wait_and_flush() -> None:
        ending.wait()
        flush()

    def end() -> None:
        ending.set()
        flushing.join(LAST)

    flushing = threading.Thread(target=wait_and_flush, daemon=True)
    flushing.start()  # now, for at exit no thread can be started any more
    atexit.register(end)


class Spanned:
    """A span at work, or nothing where telemetry is off."""

    def __init__(self, span: "Span | None" = None) -> None:
        self._span = span
        self._failed = False

    def set(self, attributes: Mapping[str, Value]) -> None:
        """Say more about it."""
        if self._span:
            self._span.set_attributes(attributes)

    def failed(self, kind: str) -> None:
        """It came to nothing, in this way; said twice, the first counts."""
        if self._span and not self._failed:
            from opentelemetry.trace import StatusCode

            self._failed = True
            self._span.set_attribute(ERROR, kind)
            self._span.set_status(StatusCode.ERROR)

    def link(self, recorded: str) -> None:
        """It has to do with this W3C trace context, without being part of its trace."""
        if self._span:
            from opentelemetry.trace import get_current_span

            self._span.add_link(get_current_span(_extracted(recorded)).get_span_context())


def span(
    name: str, attributes: Mapping[str, Value], *, kind: Kind = "INTERNAL", parent: str = "", since: float = 0.0
) -> AbstractContextManager[Spanned]:
    """A span around the block. `parent` is a W3C trace context; without it the parent is the current span. `since`, in
    seconds as time.time() has them: it began before the block did.

    All that is appended to the log within the block carries its trace context; where telemetry is off, the parent's, so
    that a trace passes through who takes no part in it.
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
                made.failed(type(error).__name__)  # and no word of its text, which may be the model's
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
    """What goes on in the block belongs to this W3C trace context, of another process."""
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


# the spans there are


def asking(team: str, run: str) -> AbstractContextManager[Spanned]:
    """A client asks for a run, whatever of it goes on then."""
    return span(f"ask {team}", {WORKFLOW: team, CONVERSATION: run}, kind="PRODUCER")


def workflow(team: str, run: str, parent: str) -> AbstractContextManager[Spanned]:
    """One coordinator's pursuit of a run."""
    return span(
        f"invoke_workflow {team}", {OPERATION: "invoke_workflow", WORKFLOW: team, CONVERSATION: run}, parent=parent
    )


@contextmanager
def planning(team: str, run: str, since: float, *, lost: bool) -> Iterator[None]:
    """Deciding on the plan, and writing it down; `lost`: there is none."""
    attributes = {OPERATION: "plan", AGENT: "coordinator", WORKFLOW: team, CONVERSATION: run}
    with span(f"plan {team}", attributes, since=since) as made:
        if lost:
            made.failed("failed")
        yield


def settling(run: str, since: float) -> AbstractContextManager[Spanned]:
    """Deciding on verdicts, and writing them down; there is no convention for it yet."""
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


def answered(made: Spanned, answer: Answer | None) -> None:
    """What an attempt came to."""
    if isinstance(answer, Failure):
        made.failed(answer.kind)


def using(tool: str, call: str) -> AbstractContextManager[Spanned]:
    """A tool at work."""
    return span(f"execute_tool {tool}", {OPERATION: "execute_tool", TOOL: tool, CALL: call})


def chatting(run: str, request: ModelRequest) -> AbstractContextManager[Spanned]:
    """A call of a model, over all its tries."""
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
    """What a call came to: usage, cost, how it ended."""
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
    """A replay: a trace of its own, which links to what was recorded and does not continue it."""
    return span(f"replay {team}", {WORKFLOW: team, CONVERSATION: run})
