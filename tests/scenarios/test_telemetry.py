"""Telemetry as its user sees it: what the processes of a team send to a collector, and that none waits for it."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from .processes import Place

pytestmark = pytest.mark.processes

Within = Callable[[float], AbstractContextManager[None]]


class Collector(ThreadingHTTPServer):
    """Takes spans over OTLP; `spans` has them with the name of the service that sent them."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.spans: list[tuple[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def take(self, body: bytes) -> None:
        for sent in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = next(each.value.string_value for each in sent.resource.attributes if each.key == "service.name")
            self.spans += [(service, span) for scope in sent.scope_spans for span in scope.spans]

    def by(self, service: str) -> list[Any]:
        return [span for name, span in self.spans if name == service]


class Taking(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        self.server.take(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing: what is asked of it is in `spans`."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with _serving(Collector()) as collector:
        yield collector


@contextmanager
def _serving(collector: Collector) -> Iterator[Collector]:
    with collector:
        thread = threading.Thread(target=collector.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield collector
        collector.shutdown()
        thread.join()


async def test_the_processes_of_a_run_send_one_trace_and_a_replay_links_to_it(
    tmp_path: Path, collector: Collector
) -> None:
    """Each exports what it has when it ends. A replay is a trace of its own, whose first link is the run's."""
    place = Place(tmp_path)
    assert (
        await place.call(
            "run", "hustings.examples.hello:team", "--text", "text", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url
        )
    ).code == 0
    (workflow,) = [span for span in collector.by("hustings.coordinator") if span.name == "invoke_workflow hello"]
    attempts = [span for agent in ("splitter", "spaces", "letters") for span in collector.by(f"hustings.{agent}")]
    assert {span.name for span in attempts} == {f"invoke_agent {name}" for name in ("splitter", "spaces", "letters")}
    assert {(span.trace_id, span.parent_span_id) for span in attempts} == {(workflow.trace_id, workflow.span_id)}

    assert (await place.call("replay", "@last", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)).code == 0
    (replay,) = collector.by("hustings.replay")
    assert (replay.name, replay.parent_span_id) == ("replay hello", b"")
    assert replay.trace_id != workflow.trace_id
    assert {link.trace_id for link in replay.links} == {workflow.trace_id}


@pytest.mark.timing
async def test_a_collector_that_hangs_holds_nobody_up(tmp_path: Path, within: Within) -> None:
    """It takes connections and never answers: the run is as it would be, and its processes end in time."""
    place = Place(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as hole:
        on = f"http://127.0.0.1:{hole.getsockname()[1]}"
        assert (
            await place.call("run", "hustings.examples.hello:team", "--text", "text", OTEL_EXPORTER_OTLP_ENDPOINT=on)
        ).code == 0
        with within(8):
            assert (await place.call("replay", "@last", OTEL_EXPORTER_OTLP_ENDPOINT=on)).code == 0
