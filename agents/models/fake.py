"""Fake: an endpoint for tests, over real HTTP on 127.0.0.1, with scripted replies and failures.

    with FakeEndpoint(script=[says("hello"), overloaded(), calls("add", {"a": 1})]) as fake:
        async with running(team, endpoints=fake.endpoints) as client: ...

Other processes get it as ANTHROPIC_BASE_URL=fake.url and OPENAI_BASE_URL=fake.url + "/v1", with any key.

It speaks both protocols, /v1/messages and /v1/chat/completions. As a process of its own it prints its URL:
`python -m hustings.agents.models.fake --script FILE.json`, a list of replies, or `--handler MODULE:FUNCTION`.
"""

import itertools
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, cast

import click
from pydantic import TypeAdapter
from pydantic_core import from_json, to_json

from hustings.protocols import Data

from .endpoints import Endpoints, Provider

Wire = Literal["anthropic", "openai"]
PATHS: dict[str, Wire] = {"/v1/messages": "anthropic", "/v1/chat/completions": "openai"}


@dataclass(frozen=True)
class Reply:
    """One answer of the endpoint: a model's reply, or a failure.

    `status` from 400 on: an error, with `headers`. `raw`: these bytes, unchanged. `delay`: seconds before the head of
    the answer; `hang`: seconds of silence after `cut_after` events of a stream, else before the head. `cut_after`: the
    connection breaks after so many events; `error_after`: then an error comes. `beat`: seconds before each event of a
    stream, `pings`: how many signs of life come first. `thinking` comes before the text.
    """

    text: str = ""
    calls: tuple[tuple[str, Data], ...] = ()
    thinking: str = ""
    stop: Literal["end", "length", "refusal", "pause"] = "end"
    because: str = ""
    input: int = 10
    output: int = 5
    usage: bool = True
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    message: str = ""
    raw: str | None = None
    content_type: str = "application/json"
    delay: float = 0.0
    hang: float = 0.0
    cut_after: int | None = None
    error_after: int | None = None
    beat: float = 0.0
    pings: int = 0


def says(text: str, **more: Any) -> Reply:
    """A text."""
    return Reply(text=text, **more)


def answers(value: object, **more: Any) -> Reply:
    """A value as JSON text, as for a request with a shape."""
    return Reply(text=to_json(value).decode(), **more)


def calls(name: str, given: Data, **more: Any) -> Reply:
    """A tool call."""
    return Reply(calls=((name, given),), **more)


def refuses(because: str = "", **more: Any) -> Reply:
    """A refusal."""
    return Reply(stop="refusal", because=because, **more)


def fails(status: int, message: str = "fake", **headers: str) -> Reply:
    """An error. A header is given as in retry_after="1"."""
    return Reply(status=status, message=message, headers={name.replace("_", "-"): v for name, v in headers.items()})


def overloaded() -> Reply:
    return fails(529, "Overloaded")


def limited(retry_after: str) -> Reply:
    return fails(429, "too many requests", retry_after=retry_after)


@dataclass(frozen=True)
class Call:
    """A received request; `at` on the clock time.monotonic."""

    path: str
    headers: dict[str, str]
    body: Data
    at: float


Handler = Callable[[Data], Reply]
"""Gives the reply to a request's body. Called by one thread at a time."""


class FakeEndpoint:
    """An endpoint at `url`, inside the block. `calls` are the requests so far.

    The replies of the script are given in order, then error 400; a handler, if given, replaces the script. GET /calls
    gives the bodies so far, for other processes.
    """

    def __init__(self, handler: Handler | None = None, script: Sequence[Reply] = ()) -> None:
        self.calls: list[Call] = []
        self._script = iter(script)
        self._handler = handler or (lambda body: next(self._script, fails(400, "the script has ended")))
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Request)
        self._server.fake = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    @cached_property
    def endpoints(self) -> Endpoints:
        """What `running` and `bench` take: every model of anthropic and of openai is this endpoint; it needs no key of
        yours. Another provider, or one of hustings.toml, is not there."""
        providers = {
            "anthropic": Provider(kind="anthropic", base_url=self.url, key_env="KEY"),
            "openai": Provider(kind="openai", base_url=f"{self.url}/v1", key_env="KEY"),
        }
        return Endpoints(providers, {"KEY": "fake"})

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.left.set()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, call: Call) -> Reply:
        """The reply to a request; the request is counted first."""
        with self._lock:
            self.calls.append(call)
            return self._handler(call.body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    fake: FakeEndpoint

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.left = threading.Event()  # ends every delay

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing about a client that has gone, because it was killed or did not wait."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # without these two, late acknowledgements add 40 ms to every call
    wbufsize = 1 << 16
    server: _Server

    def log_message(self, *args: Any) -> None:
        """Log nothing."""

    def do_GET(self) -> None:
        bodies = [call.body for call in self.server.fake.calls]
        self._send(200, to_json(bodies), "application/json", {})

    def do_POST(self) -> None:
        wire = PATHS.get(self.path.partition("?")[0])
        body = from_json(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
        if wire is None:
            return self._fail(fails(404, self.path))
        if not (self.headers.get("authorization") or self.headers.get("x-api-key")):
            return self._fail(fails(401, "no credentials"))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server.fake.answer(Call(self.path, headers, body, time.monotonic()))
        self.server.left.wait(reply.delay + (reply.hang if reply.cut_after is None else 0))
        self._reply(reply, wire, body)

    def _reply(self, reply: Reply, wire: Wire, body: Data) -> None:
        if reply.raw is not None:
            return self._send(reply.status, reply.raw.encode(), reply.content_type, reply.headers)
        if reply.status >= 400:
            return self._fail(reply)
        whole = _message(reply, body) if wire == "anthropic" else _completion(reply, body)
        if not body.get("stream"):
            return self._send(200, to_json(whole), "application/json", reply.headers)
        self._stream(reply, _events(whole) if wire == "anthropic" else _chunks(whole), wire)

    def _fail(self, reply: Reply) -> None:
        error = _error(reply.status, reply.message)
        self._send(reply.status, to_json(error), "application/json", reply.headers)

    def _head(self, status: int, kind: str, headers: dict[str, str]) -> None:
        self.send_response(status)
        id = f"req_fake_{next(_numbers):06d}"
        for name, value in {"content-type": kind, "request-id": id, "x-request-id": id, **headers}.items():
            self.send_header(name, value)

    def _send(self, status: int, data: bytes, kind: str, headers: dict[str, str]) -> None:
        self._head(status, kind, headers)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, reply: Reply, events: Iterator[Data], wire: Wire) -> None:
        self._head(200, "text/event-stream; charset=utf-8", {"cache-control": "no-cache", **reply.headers})
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for _ in range(reply.pings):
            self.server.left.wait(reply.beat)
            self._chunk(b'event: ping\ndata: {"type": "ping"}\n\n' if wire == "anthropic" else b": ping\n\n")
        for number, event in enumerate(events):
            self.server.left.wait(reply.beat)
            if number == reply.error_after:
                self._event(_error(529, "Overloaded"), wire, "error")
                break
            if number == reply.cut_after:
                self.wfile.flush()
                self.server.left.wait(reply.hang)
                self.close_connection = True
                return
            self._event(event, wire, str(event.get("type")))
        self._chunk(b"data: [DONE]\n\n" if wire == "openai" else b"")
        self.wfile.write(b"0\r\n\r\n")

    def _event(self, event: Data, wire: Wire, name: str) -> None:
        head = f"event: {name}\n".encode() if wire == "anthropic" else b""
        self._chunk(head + b"data: " + to_json(event) + b"\n\n")

    def _chunk(self, data: bytes) -> None:
        if data:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()


# the formats of the protocols

_numbers = itertools.count(1)
_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


def _error(status: int, message: str) -> Data:
    return {"type": "error", "error": {"type": _TYPES.get(status, "api_error"), "message": message}}


def _message(reply: Reply, body: Data) -> Data:
    blocks: list[Any] = []
    if reply.thinking:
        blocks.append({"type": "thinking", "thinking": reply.thinking, "signature": "signed"})
    if reply.text:
        blocks.append({"type": "text", "text": reply.text})
    for name, given in reply.calls:
        blocks.append({"type": "tool_use", "id": f"toolu_{next(_numbers):06d}", "name": name, "input": given})
    stops = {"length": "max_tokens", "refusal": "refusal", "pause": "pause_turn"}
    refusal: Data = {"type": "refusal", "category": "cyber", "explanation": reply.because or None}
    return {
        "id": f"msg_{next(_numbers):06d}",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": blocks,
        "stop_reason": stops.get(reply.stop, "tool_use" if reply.calls else "end_turn"),
        "stop_sequence": None,
        "stop_details": refusal if reply.stop == "refusal" else None,
        "usage": {
            "input_tokens": reply.input,
            "output_tokens": reply.output,
            "cache_read_input_tokens": 0,
            "cache_creation_input_tokens": 0,
        },
    }


def _events(message: Data) -> Iterator[Data]:
    """The events of a message, in the order of the real endpoint."""
    whole = cast(Any, message)
    usage = whole["usage"]
    begun: Data = {"content": [], "stop_reason": None, "stop_details": None, "usage": {**usage, "output_tokens": 1}}
    yield {"type": "message_start", "message": {**message, **begun}}
    yield {"type": "ping"}
    for index, block in enumerate(whole["content"]):
        start, deltas = _block(block)
        yield {"type": "content_block_start", "index": index, "content_block": start}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    delta = {name: whole[name] for name in ("stop_reason", "stop_sequence", "stop_details")}
    yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": usage["output_tokens"]}}
    yield {"type": "message_stop"}


def _block(block: dict[str, Any]) -> tuple[Data, list[Data]]:
    if block["type"] == "text":
        return {"type": "text", "text": ""}, [{"type": "text_delta", "text": piece} for piece in _pieces(block["text"])]
    if block["type"] == "thinking":
        thought: list[Data] = [{"type": "thinking_delta", "thinking": piece} for piece in _pieces(block["thinking"])]
        empty: Data = {"type": "thinking", "thinking": "", "signature": ""}
        return empty, [*thought, {"type": "signature_delta", "signature": block["signature"]}]
    text = to_json(block["input"]).decode()
    return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": piece} for piece in _pieces(text)]


def _completion(reply: Reply, body: Data) -> Data:
    calls: list[Any] = [
        {
            "id": f"call_{next(_numbers):06d}",
            "type": "function",
            "function": {"name": name, "arguments": to_json(given).decode()},
        }
        for name, given in reply.calls
    ]
    message: Data = {"role": "assistant", "content": reply.text or None}
    if calls:
        message["tool_calls"] = calls
    if reply.stop == "refusal":
        message["refusal"] = reply.because or "I will not."
    finish = {"length": "length", "refusal": "stop"}.get(reply.stop, "tool_calls" if calls else "stop")
    usage: Data = {
        "prompt_tokens": reply.input,
        "completion_tokens": reply.output,
        "total_tokens": reply.input + reply.output,
    }
    return {
        "id": f"chatcmpl-{next(_numbers):06d}",
        "object": "chat.completion",
        "created": 0,
        "model": body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        **({"usage": usage} if reply.usage else {}),
    }


def _chunks(completion: Data) -> Iterator[Data]:
    """The chunks of a completion: its pieces, why it ended, and, if known, the usage."""
    whole = cast(Any, completion)
    head = {"id": whole["id"], "object": "chat.completion.chunk", "created": 0, "model": whole["model"]}
    choice = whole["choices"][0]
    first: Data = {"role": "assistant"}
    for delta in (first, *_deltas(choice["message"])):
        yield {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]}
    if "usage" in whole:
        yield {**head, "choices": [], "usage": whole["usage"]}


def _deltas(message: dict[str, Any]) -> Iterator[Data]:
    for name in ("content", "refusal"):
        for piece in _pieces(message.get(name) or ""):
            yield {name: piece}
    for index, call in enumerate(message.get("tool_calls") or []):
        function = call["function"]
        yield {"tool_calls": [{**call, "index": index, "function": {"name": function["name"], "arguments": ""}}]}
        for piece in _pieces(function["arguments"]):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _pieces(text: str, size: int = 7) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


# requests


def asked(body: Data) -> str:
    """Every text in a request's body, of either protocol, a line each: all that the model reads."""
    return "\n".join(_texts([body.get("system"), body.get("messages")]))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        yield from _texts(value.get("text"))
        yield from _texts(value.get("content"))


@click.command()
@click.option("--script", type=click.Path(path_type=Path, exists=True), help="A JSON list of replies.")
@click.option("--handler", help="MODULE:FUNCTION that gives the reply to a request's body.")
def main(script: Path | None, handler: str | None) -> None:
    """Serve until killed; the first line of output is the URL."""
    replies = TypeAdapter(list[Reply]).validate_json(script.read_bytes()) if script else []
    with FakeEndpoint(_handler(handler) if handler else None, replies) as fake:
        click.echo(fake.url)
        threading.Event().wait()


def _handler(name: str) -> Handler:
    module, _, function = name.partition(":")
    return cast(Handler, getattr(import_module(module), function))


if __name__ == "__main__":
    main()
