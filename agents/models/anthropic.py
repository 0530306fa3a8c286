"""Anthropic: the models behind POST /v1/messages, through Anthropic's own package."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio
from pydantic import BaseModel, JsonValue

from hustings.protocols import (
    Data,
    ModelFailure,
    ModelReply,
    ModelRequest,
    Opaque,
    Part,
    Stop,
    TextPart,
    ToolCall,
    ToolResult,
    Turn,
    Usage,
)
from hustings.protocols.message import Count

from .adapter import (
    Access,
    Bill,
    conversed,
    imported,
    plain,
    read_json,
    retry_policy,
    strange,
    trust,
    until_stalled,
    vendors_name,
)
from .model import Listener

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

# A turn pauses only while the vendor's own tools run. We never offer them, so a paused reply is unfinished.
STOPS: dict[str, Stop] = {
    "end_turn": "end",
    "stop_sequence": "end",
    "tool_use": "tools",
    "refusal": "refusal",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "pause_turn": "length",
}


class _Usage(BaseModel):
    input_tokens: Count = 0
    output_tokens: Count = 0
    cache_read_input_tokens: Count | None = None
    cache_creation_input_tokens: Count | None = None
    output_tokens_details: dict[str, Count] | None = None

    def ours(self) -> Usage:
        return Usage(
            input=self.input_tokens,
            output=self.output_tokens,
            cache_read=self.cache_read_input_tokens or 0,
            cache_write=self.cache_creation_input_tokens or 0,
            thought=(self.output_tokens_details or {}).get("thinking_tokens", 0),
        )


class _Message(BaseModel):
    """The part of the vendor's message that we need. The package does not check its own output."""

    model: str
    content: list[dict[str, JsonValue]]
    stop_reason: str
    stop_details: dict[str, JsonValue] | None = None
    usage: _Usage


@dataclass(frozen=True)
class Anthropic:
    """A Model: one request, one try. With a listener the reply is streamed; the listener gets "" for an event without
    text, as a sign of life.

    The vendor's own parts, such as thinking, become Opaque, and are sent back only to the model that they came from.
    """

    access: Access

    async def __call__(self, request: ModelRequest, listener: Listener | None = None) -> ModelReply:
        await imported("anthropic")
        import anthropic

        bill = Bill(request)

        async def conversation(key: str) -> ModelReply:
            async with self._client(key, streamed=listener is not None) as client:
                if listener:
                    return await _streamed(client, request, listener, self.access, bill)
                return await _whole(client, request, bill)

        return await conversed(anthropic, self.access, bill, conversation)

    def _client(self, key: str, streamed: bool) -> "AsyncAnthropic":
        """A client for one call: no connection outlives it, and a changed key is used at once."""
        from anthropic import AsyncAnthropic, DefaultAsyncHttpxClient

        return AsyncAnthropic(
            api_key=key or "none",  # an empty key would make an invalid header
            base_url=self.access.base_url,
            max_retries=0,
            timeout=retry_policy(self.access, streamed),
            http_client=DefaultAsyncHttpxClient(verify=trust()),
            open_telemetry=False,  # we make the span of a call ourselves, over all its tries
        )


async def _whole(client: "AsyncAnthropic", request: ModelRequest, bill: Bill) -> ModelReply:
    message = await client.messages.create(**_params(request))
    return _reply(plain(message), request, message._request_id or "", bill)


async def _streamed(
    client: "AsyncAnthropic", request: ModelRequest, listener: Listener, access: Access, bill: Bill
) -> ModelReply:
    with anyio.fail_after(access.first):
        stream = await client.messages.create(**_params(request), stream=True)
    until_stalled(stream.response, access)
    message = _Gathered(bill)
    async for event in stream:
        await listener(message.add(plain(event)))
    if not message.begun:
        kind = stream.response.headers.get("content-type", "something")
        raise strange(f"{kind} came instead of a stream of events", bill)
    if not message.ended:
        raise ModelFailure("the connection broke", "the stream ended early", kind="unreachable", usage=bill.usage)
    return _reply(message.whole(), request, stream.response.headers.get("request-id", ""), bill)


@dataclass
class _Gathered:
    """A message assembled from the events of a stream."""

    bill: Bill
    message: dict[str, Any] = field(default_factory=dict)
    usage: dict[str, Any] = field(default_factory=dict)
    blocks: dict[int, dict[str, Any]] = field(default_factory=dict)
    inputs: dict[int, str] = field(default_factory=dict)
    ended: bool = False

    @property
    def begun(self) -> bool:
        return bool(self.message)

    def add(self, event: dict[str, Any]) -> str:
        """Add one event, and give its text. Raises ValueError for an invalid event."""
        try:
            return self._add(event)
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"an event of the stream is not as the protocol says ({error})") from error

    def _add(self, event: dict[str, Any]) -> str:
        match event.get("type"):
            case "message_start":
                self.message = dict(event["message"])
                self._used(self.message["usage"])
            case "content_block_start":
                self.blocks[event["index"]] = dict(event["content_block"])
            case "content_block_delta":
                return self._grow(event["index"], event["delta"])
            case "message_delta":
                self.message |= event["delta"]
                self._used(event["usage"])
            case "message_stop":
                self.ended = True
        return ""

    def _used(self, usage: dict[str, Any]) -> None:
        self.usage |= {name: value for name, value in usage.items() if value is not None}
        self.bill.used(_Usage.model_validate(self.usage).ours())

    def _grow(self, index: int, delta: dict[str, Any]) -> str:
        block = self.blocks[index]
        match delta["type"]:
            case "input_json_delta":
                self.bill.received(delta["partial_json"])
                self.inputs[index] = self.inputs.get(index, "") + delta["partial_json"]
            case "citations_delta":
                block["citations"] = [*(block.get("citations") or []), delta["citation"]]
            case "text_delta" | "thinking_delta" | "signature_delta" as kind:
                name = kind.removesuffix("_delta")
                self.bill.received(delta[name] if name != "signature" else "")
                block[name] = block.get(name, "") + delta[name]
                return str(delta[name]) if name == "text" else ""
        return ""

    def whole(self) -> dict[str, Any]:
        """The message, without a tool call whose input was cut off by the token limit."""
        full = STOPS.get(self.message.get("stop_reason") or "") != "length"
        for index, text in self.inputs.items():
            if text and (value := _input(text, full)) is not None:
                self.blocks[index]["input"] = value
            elif text:
                del self.blocks[index]
        return self.message | {"content": [self.blocks[index] for index in sorted(self.blocks)], "usage": self.usage}


def _input(text: str, full: bool) -> Any:
    try:
        return read_json(text)
    except ValueError:
        if full:
            raise
        return None


# our request in the vendor's format


def _params(request: ModelRequest) -> dict[str, Any]:
    """The parameters of messages.create: a dictionary, because the names are the vendor's."""
    params: dict[str, Any] = {
        "model": vendors_name(request),
        "max_tokens": request.max_tokens,
        "messages": [_turn(turn, request.model) for turn in request.turns],
    }
    if request.instructions:
        params["system"] = request.instructions
    if request.tools:
        params["tools"] = [
            {"name": tool.name, "description": tool.description, "input_schema": tool.inputs} for tool in request.tools
        ]
    shape = {"format": {"type": "json_schema", "schema": request.shape}} if request.shape is not None else {}
    effort = {"effort": request.effort} if request.effort else {}
    return params | ({"output_config": shape | effort} if shape or effort else {})


def _turn(turn: Turn, model: str) -> Data:
    blocks: list[JsonValue] = [block for part in turn.parts if (block := _block(part, model))]
    return {"role": turn.role, "content": blocks}


def _block(part: Part, model: str) -> JsonValue:
    match part:
        case TextPart(text=text):
            return {"type": "text", "text": text}
        case ToolCall(id=id, name=name, input=given):
            return {"type": "tool_use", "id": id, "name": name, "input": given}
        case ToolResult(id=id, text=text, failed=failed):
            return {"type": "tool_result", "tool_use_id": id, "content": text, "is_error": failed}
        case Opaque(data=data):
            return data.get("block") if data.get("of") == model else None


# the vendor's answer in our format


def _reply(raw: dict[str, Any], request: ModelRequest, id: str, bill: Bill) -> ModelReply:
    message = _Message.model_validate(raw)
    usage = message.usage.ours()
    bill.used(usage)
    stop = STOPS.get(message.stop_reason)
    if stop is None:
        raise strange(f"it stopped for an unknown reason, {message.stop_reason!r}", bill)
    return ModelReply(
        model=message.model,
        stop=stop,
        parts=tuple(_part(block, request.model) for block in message.content),
        usage=usage,
        because=_because(message, stop),
        id=id,
    )


def _part(block: Data, model: str) -> Part:
    match block:
        case {"type": "text", "text": str(text)}:
            return TextPart(text=text)
        case {"type": "tool_use", "id": str(id), "name": str(name), "input": dict(given)}:
            return ToolCall(id=id, name=name, input=given)
        case {"type": "tool_use"}:
            raise ValueError("the call of a tool is not as the protocol says")
    return Opaque(data={"of": model, "block": block})


def _because(message: _Message, stop: Stop) -> str:
    if stop == "refusal":
        details = message.stop_details or {}
        return ": ".join(str(details[name]) for name in ("category", "explanation") if details.get(name))
    return message.stop_reason if stop == "length" else ""
