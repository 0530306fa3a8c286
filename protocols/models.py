"""Model: requests to a language model and its replies, in vendor-neutral terms."""

import hashlib
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from .budgets import Amount
from .message import MOST, Count, Data, Message, Seconds, later

Effort = Literal["low", "medium", "high", "xhigh", "max"]
Record = Literal["full", "hash"]
Stop = Literal["end", "tools", "refusal", "length"]
Trouble = Literal[
    "refusal", "truncated", "invalid", "protocol", "overloaded", "limited", "hung", "unreachable", "denied", "rejected"
]


class TextPart(Message, contract="hustings.model.TextPart.v1"):
    """Text, in a turn of the user or of the model."""

    kind: Literal["text"] = "text"
    text: str


class ToolCall(Message, contract="hustings.model.ToolCall.v1"):
    """A model's request to call a tool. `id` is the model's; the ToolResult repeats it."""

    kind: Literal["tool_call"] = "tool_call"
    id: str
    name: str
    input: Data


class ToolResult(Message, contract="hustings.model.ToolResult.v1"):
    """A tool's answer to a call. `failed`: the tool did not do what was asked, and `text` says why."""

    kind: Literal["tool_result"] = "tool_result"
    id: str
    text: str
    failed: bool = False


class Opaque(Message, contract="hustings.model.Opaque.v1"):
    """Data that must be sent back unchanged to the model that it came from, such as signed thinking."""

    kind: Literal["opaque"] = "opaque"
    data: Data


Part = Annotated[TextPart | ToolCall | ToolResult | Opaque, Field(discriminator="kind")]


class Turn(Message, contract="hustings.model.Turn.v1"):
    """One turn of a conversation. Roles alternate, and a request ends with a turn of the user."""

    role: Literal["user", "assistant"]
    parts: tuple[Part, ...]


class ToolCard(Message, contract="hustings.model.ToolCard.v1"):
    """A tool as a model sees it; `inputs` is the JSON Schema of its input, an object."""

    name: str
    description: str
    inputs: Data


class ModelRequest(Message, contract="hustings.model.ModelRequest.v1"):
    """One call of a model. It carries the whole conversation, so no state is kept elsewhere.

    `model` is PROVIDER:NAME, as in "anthropic:claude-sonnet-5-5". `shape` is the JSON Schema of the answer if that must
    be a JSON object; None: the answer is text. `max_tokens` bounds the tokens of the answer.
    """

    model: str
    instructions: str
    turns: tuple[Turn, ...]
    shape: Data | None = None
    tools: tuple[ToolCard, ...] = ()
    max_tokens: Count = 4096
    effort: Effort | None = None

    @property
    def digest(self) -> str:
        """The sha256 of the request without `model`, in hex: any model may answer the same question."""
        return hashlib.sha256(self.model_dump_json(exclude={"model"}).encode()).hexdigest()


class Usage(Message, contract="hustings.model.Usage.v1"):
    """Tokens. `input` excludes those read from or written to the cache, so the three add up; `thought` is a part of
    `output`. `estimated`: the vendor gave no numbers, or the connection broke before it did."""

    input: Count = 0
    output: Count = 0
    cache_read: Count = 0
    cache_write: Count = 0
    thought: Count = 0
    estimated: bool = later(False)

    @property
    def total(self) -> int:
        return self.input + self.output + self.cache_read + self.cache_write

    def plus(self, other: "Usage") -> "Usage":
        return Usage(
            input=min(self.input + other.input, MOST),
            output=min(self.output + other.output, MOST),
            cache_read=min(self.cache_read + other.cache_read, MOST),
            cache_write=min(self.cache_write + other.cache_write, MOST),
            thought=min(self.thought + other.thought, MOST),
            estimated=self.estimated or other.estimated,
        )


class ModelReply(Message, contract="hustings.model.ModelReply.v1"):
    """A model's reply. `stop` says why it ended: the model was done, wants tools, refuses, or reached a length limit
    (`max_tokens`, or its context window). `model` is the one that really answered, `id` the vendor's id of the request;
    `retries` counts the tries before it that broke off.
    """

    kind: Literal["reply"] = "reply"
    model: str
    stop: Stop
    parts: tuple[Part, ...]
    usage: Usage
    because: str = ""
    id: str = ""
    seconds: Seconds = 0.0
    retries: Count = later(0)

    @property
    def text(self) -> str:
        """All its text in one piece."""
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        return tuple(part for part in self.parts if isinstance(part, ToolCall))


class Piece(Message, contract="hustings.model.Piece.v1"):
    """One piece of a request. `kind` says which: a part of a turn (`user`, `assistant`), or a field of the request.

    A small one lies here, in `value`. A large one lies in the object store under `digest`, once for the whole team. A
    `result` is the answer of a tool; it lies on the log already, in the Called of the same task with this digest.
    """

    kind: Literal["limits", "instructions", "tools", "shape", "user", "assistant", "result"]
    value: JsonValue = later(None)
    digest: str = later("")


class Prompt(Message, contract="hustings.model.Prompt.v1"):
    """What a model was asked: the whole request, or what it adds to an earlier request of the same task.

    `after` is the digest of that earlier request, `said` the digest of the answer to it: the conversation goes on from
    there with `pieces`.
    """

    pieces: tuple[Piece, ...]
    after: str = later("")
    said: str = later("")


class Called(Message, contract="hustings.model.called.v1"):
    """An attempt called a model or a tool. It is on the log before the answer is used.

    `call` is the call's place, DIGEST-ORDINAL: the digest of the request, and which of the attempt's equal requests it
    is. `name` is the model's or the tool's, `request` the sha256 of the request, `digest` that of `answer`. Without an
    answer the call failed (`failed` says how), and the event only records the cost. `spent` is the cost, `reserved` the
    reservation that it replaces; `priced` is False if the money is an estimate. `asked` is what a model was
    asked; None: only its hash is recorded.
    """

    task: str
    attempt: Count
    agent: str
    call: str
    name: str
    request: str
    answer: Annotated[ModelReply | ToolResult, Field(discriminator="kind")] | None = None
    digest: str = ""
    failed: str = ""
    usage: Usage = Usage()
    spent: Amount = Amount()
    reserved: Amount = Amount()
    priced: bool = True
    asked: Prompt | None = later(None)


class ModelChain(Message, contract="hustings.ModelChain.v1"):
    """The models that an attempt may call, the preferred first. The next one is used if a model is unavailable; with
    `cheaper`, also if the budget is too small for it."""

    models: tuple[str, ...]
    cheaper: bool = True


def sealed(answer: ModelReply | ToolResult) -> str:
    """The sha256 of an answer, in hex."""
    return hashlib.sha256(answer.model_dump_json().encode()).hexdigest()
