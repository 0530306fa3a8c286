"""OpenAI: endpoints that use OpenAI's protocol, POST /chat/completions, Ollama and vLLM among them."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import anyio
from pydantic import BaseModel, JsonValue

from hustings.protocols import (
    Data,
    ModelFailure,
    ModelReply,
    ModelRequest,
    Part,
    Stop,
    TextPart,
    ToolCall,
    ToolResult,
    Turn,
    Usage,
    UsageError,
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
    from openai import AsyncOpenAI

STOPS: dict[str, Stop] = {
    "stop": "end",
    "tool_calls": "tools",
    "function_call": "tools",
    "length": "length",
    "content_filter": "refusal",
}


class _Usage(BaseModel):
    prompt_tokens: Count
    completion_tokens: Count
    prompt_tokens_details: dict[str, Count | None] | None = None
    completion_tokens_details: dict[str, Count | None] | None = None

    def ours(self) -> Usage:
        read = (self.prompt_tokens_details or {}).get("cached_tokens") or 0
        written = (self.prompt_tokens_details or {}).get("cache_write_tokens") or 0
        return Usage(
            input=max(self.prompt_tokens - read - written, 0),
            output=self.completion_tokens,
            cache_read=read,
            cache_write=written,
            thought=(self.completion_tokens_details or {}).get("reasoning_tokens") or 0,
        )


class _Function(BaseModel):
    name: str
    arguments: str = ""


class _Call(BaseModel):
    id: str
    function: _Function


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[_Call] | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str


class _Completion(BaseModel):
    """The part of the vendor's answer that we need. Local servers leave out the usage, or send it empty."""

    model: str
    choices: list[_Choice]
    usage: _Usage | None = None


@dataclass(frozen=True)
class OpenAI:
    """A Model: one request, one try. With a listener the reply is streamed; the listener gets "" for an event without
    text, as a sign of life. Raises UsageError if the package is not installed.
    """

    access: Access

    async def __call__(self, request: ModelRequest, listener: Listener | None = None) -> ModelReply:
        try:
            await imported("openai")
            import openai
        except ImportError as error:
            why = "OpenAI's protocol needs the package openai, which is not installed"
            raise UsageError(f"{request.model} cannot be called", why, "pip install 'hustings[openai]'") from error

        bill = Bill(request)

        async def conversation(key: str) -> ModelReply:
            async with self._client(key, streamed=listener is not None) as client:
                if listener:
                    return await _streamed(client, request, listener, self.access, bill)
                return await _whole(client, request, self.access, bill)

        return await conversed(openai, self.access, bill, conversation)

    def _client(self, key: str, streamed: bool) -> "AsyncOpenAI":
        """A client for one call: no connection outlives it, and a changed key is used at once."""
        from openai import AsyncOpenAI, DefaultAsyncHttpxClient

        return AsyncOpenAI(
            api_key=key or "none",
            base_url=self.access.base_url,
            max_retries=0,
            timeout=retry_policy(self.access, streamed),
            http_client=DefaultAsyncHttpxClient(verify=trust()),
        )


async def _whole(client: "AsyncOpenAI", request: ModelRequest, access: Access, bill: Bill) -> ModelReply:
    completion = await client.chat.completions.create(**_params(request, access))
    return _reply(plain(completion), completion._request_id or "", bill)


async def _streamed(
    client: "AsyncOpenAI", request: ModelRequest, listener: Listener, access: Access, bill: Bill
) -> ModelReply:
    params = _params(request, access) | {"stream": True, "stream_options": {"include_usage": True}}
    with anyio.fail_after(access.first):
        stream = await client.chat.completions.create(**params)
    until_stalled(stream.response, access)
    completion = _Gathered(bill)
    async for chunk in stream:
        await listener(completion.add(plain(chunk)))
    if not completion.model:
        kind = stream.response.headers.get("content-type", "something")
        raise strange(f"{kind} came instead of a stream of events", bill)
    if not completion.finish:
        raise ModelFailure("the connection broke", "the stream ended early", kind="unreachable", usage=bill.usage)
    return _reply(completion.whole(), stream.response.headers.get("x-request-id", ""), bill)


@dataclass
class _Gathered:
    """A completion assembled from the chunks of a stream."""

    bill: Bill
    model: str = ""
    finish: str = ""
    content: str = ""
    refusal: str = ""
    calls: dict[int, dict[str, Any]] = field(default_factory=dict)
    usage: dict[str, Any] | None = None

    def add(self, chunk: dict[str, Any]) -> str:
        """Add one chunk, and give its text. Raises ValueError for an invalid chunk."""
        try:
            return self._add(chunk)
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"a chunk of the stream is not as the protocol says ({error})") from error

    def _add(self, chunk: dict[str, Any]) -> str:
        self.model = chunk.get("model") or self.model
        if chunk.get("usage"):
            self.usage = chunk["usage"]
            self.bill.used(_Usage.model_validate(self.usage).ours())
        return "".join(self._grow(choice) for choice in (chunk.get("choices") or [])[:1])

    def _grow(self, choice: dict[str, Any]) -> str:
        delta = choice.get("delta") or {}
        text = delta.get("content") or ""
        self.finish = choice.get("finish_reason") or self.finish
        self.content += text
        self.refusal += delta.get("refusal") or ""
        self.bill.received(text + (delta.get("refusal") or ""))
        for call in delta.get("tool_calls") or []:
            self._call(call)
        return str(text)

    def _call(self, delta: dict[str, Any]) -> None:
        call = self.calls.setdefault(delta["index"], {"id": "", "function": {"name": "", "arguments": ""}})
        call["id"] = delta.get("id") or call["id"]
        for name, piece in (delta.get("function") or {}).items():
            call["function"][name] += piece or ""
            self.bill.received(piece or "")

    def whole(self) -> dict[str, Any]:
        calls = [self.calls[index] for index in sorted(self.calls)]
        message = {"content": self.content or None, "refusal": self.refusal or None, "tool_calls": calls or None}
        choice = {"message": message, "finish_reason": self.finish}
        return {"model": self.model, "choices": [choice], "usage": self.usage}


# our request in the vendor's format


def _params(request: ModelRequest, access: Access) -> dict[str, Any]:
    """The parameters of chat.completions.create: a dictionary, because the names are the vendor's."""
    system: list[Data] = [{"role": "system", "content": request.instructions}] if request.instructions else []
    params: dict[str, Any] = {
        "model": vendors_name(request),
        "messages": [*system, *(message for turn in request.turns for message in _messages(turn))],
        _limit(access): request.max_tokens,
    }
    if request.tools:
        params["tools"] = [{"type": "function", "function": _function(tool)} for tool in request.tools]
    if request.shape is not None:
        params["response_format"] = {"type": "json_schema", "json_schema": _format(request.shape)}
    return params | ({"reasoning_effort": request.effort} if request.effort else {})


def _limit(access: Access) -> str:
    """The name of the token limit. OpenAI has renamed it and refuses the old name; others know only that one."""
    host = urlsplit(access.base_url).hostname or ""
    return "max_completion_tokens" if host.endswith(("openai.com", "azure.com")) else "max_tokens"


def _function(tool: Any) -> Data:
    return {"name": tool.name, "description": tool.description, "parameters": tool.inputs}


def _format(shape: Data) -> Data:
    """Strict where possible: strict mode refuses an object with open keys."""
    closed, open_keys = _strict(shape)
    return {"name": "answer", "schema": shape if open_keys else closed, "strict": not open_keys}


def _strict(schema: JsonValue) -> tuple[Any, bool]:
    """The schema for strict mode: each property required, none with a default; and whether an object has open keys."""
    if isinstance(schema, list):
        each = [_strict(item) for item in schema]
        return [item for item, _ in each], any(loose for _, loose in each)
    if not isinstance(schema, dict):
        return schema, False
    names = schema.get("properties")
    loose = schema.get("type") == "object" and not isinstance(names, dict)
    inner = {
        key: _strict_map(value) if key in ("properties", "$defs") else _strict(value)
        for key, value in schema.items()
        if key != "default"
    }
    strict = {key: value for key, (value, _) in inner.items()}
    if isinstance(names, dict):
        strict |= {"required": list(names), "additionalProperties": False}
    return strict, loose or any(each for _, each in inner.values())


def _strict_map(schemas: JsonValue) -> tuple[Any, bool]:
    """The same for the schemas in a mapping, whose keys are names, not keywords."""
    each = {name: _strict(schema) for name, schema in schemas.items()} if isinstance(schemas, dict) else {}
    return {name: schema for name, (schema, _) in each.items()}, any(loose for _, loose in each.values())


def _messages(turn: Turn) -> list[Data]:
    """A turn as messages: tool results first, because they must follow their calls at once."""
    text = "\n\n".join(part.text for part in turn.parts if isinstance(part, TextPart))
    if turn.role == "assistant":
        calls = [_call(part) for part in turn.parts if isinstance(part, ToolCall)]
        spoken: Data = {"role": "assistant", "content": text or None}
        return [spoken | ({"tool_calls": [*calls]} if calls else {})]
    results: list[Data] = [
        {"role": "tool", "tool_call_id": part.id, "content": part.text}
        for part in turn.parts
        if isinstance(part, ToolResult)
    ]
    if text or not results:
        results.append({"role": "user", "content": text})
    return results


def _call(call: ToolCall) -> JsonValue:
    arguments = call.model_dump_json(include={"input"}).removeprefix('{"input":').removesuffix("}")
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


# the vendor's answer in our format


def _reply(raw: dict[str, Any], id: str, bill: Bill) -> ModelReply:
    completion = _Completion.model_validate(raw | {"usage": raw.get("usage") or None})
    if not completion.choices:
        raise strange("the answer has no choice", bill)
    choice = completion.choices[0]
    if completion.usage:
        bill.used(completion.usage.ours())
    elif not bill.usage.output:  # not streamed, so nothing was counted yet
        bill.received(choice.message.model_dump_json(exclude_none=True))
    stop = _stop(choice, bill)
    refused = choice.message.refusal or ("content_filter" if stop == "refusal" else "")
    return ModelReply(
        model=completion.model,
        stop=stop,
        parts=_parts(choice.message, stop),
        usage=completion.usage.ours() if completion.usage else bill.usage,
        because=refused or ("length" if stop == "length" else ""),
        id=id,
    )


def _stop(choice: _Choice, bill: Bill) -> Stop:
    """The stop reason. Some servers say "stop" when they mean tool calls."""
    stop = STOPS.get(choice.finish_reason)
    if stop is None:
        raise strange(f"it stopped for an unknown reason, {choice.finish_reason!r}", bill)
    if choice.message.refusal:
        return "refusal"
    return "tools" if stop == "end" and choice.message.tool_calls else stop


def _parts(message: _Message, stop: Stop) -> tuple[Part, ...]:
    """Its text and its tool calls, without a call cut off by the token limit."""
    text = [TextPart(text=message.content)] if message.content else []
    calls = [] if stop == "length" else message.tool_calls or []
    given = [ToolCall.of({"id": c.id, "name": c.function.name, "input": _arguments(c)}) for c in calls]
    return (*text, *given)


def _arguments(call: _Call) -> Data:
    value = read_json(call.function.arguments or "{}")
    if not isinstance(value, dict):
        raise ValueError("the arguments of a tool call are not an object")
    return value
