"""Model: what is asked of a language model and what it replies, in words that belong to no vendor."""

import hashlib
from typing import Annotated, Literal

from pydantic import Field

from .budgets import Amount
from .message import MOST, Count, Data, Message, Seconds, later

Effort = Literal["low", "medium", "high", "xhigh", "max"]
Stop = Literal["end", "tools", "refusal", "length"]
Trouble = Literal[
    "refusal", "truncated", "invalid", "protocol", "overloaded", "limited", "hung", "unreachable", "denied", "rejected"
]


class TextPart(Message, contract="hustings.model.Text.v1"):
    """Text, in a turn of either side."""

    kind: Literal["text"] = "text"
    text: str


class ToolCall(Message, contract="hustings.model.ToolCall.v1"):
    """The model wants a tool to be called. `id` is the model's own, and names the call in the ToolResult."""

    kind: Literal["tool_call"] = "tool_call"
    id: str
    name: str
    input: Data


class ToolResult(Message, contract="hustings.model.ToolResult.v1"):
    """What a tool said to a call; `failed`: it did not do what was asked, and `text` says why."""

    kind: Literal["tool_result"] = "tool_result"
    id: str
    text: str
    failed: bool = False


class Opaque(Message, contract="hustings.model.Opaque.v1"):
    """What must go back as it came to the model that it is from: thinking with its signature, for example."""

    kind: Literal["opaque"] = "opaque"
    data: Data


Part = Annotated[TextPart | ToolCall | ToolResult | Opaque, Field(discriminator="kind")]


class Turn(Message, contract="hustings.model.Turn.v1"):
    """One turn of a conversation. Turns alternate, and a request ends with one of the user."""

    role: Literal["user", "assistant"]
    parts: tuple[Part, ...]


class ToolCard(Message, contract="hustings.model.ToolCard.v1"):
    """A tool as a model sees it; `takes` is the JSON Schema of its input, an object."""

    name: str
    description: str
    takes: Data


class ModelRequest(Message, contract="hustings.model.Request.v1"):
    """One call of a model. The whole conversation goes with each, so that nothing is held elsewhere.

    `model` is PROVIDER:NAME, as in "anthropic:claude-sonnet-5-5". `shape` is the JSON Schema of the answer, where it
    shall be one JSON object; None: text. `max_tokens` bounds the tokens of the answer.
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
        """The sha256 of it, in hex. Which model serves it is no part of the question."""
        return hashlib.sha256(self.model_dump_json(exclude={"model"}).encode()).hexdigest()


class Usage(Message, contract="hustings.model.Usage.v1"):
    """Tokens. `input` are those that were read afresh, so that the three ways of reading add up; `thought` is a part of
    `output`. `estimated`: the vendor did not say, or the connection broke before it had."""

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


class ModelReply(Message, contract="hustings.model.Reply.v1"):
    """What a model replied. `stop` says why it ended: it was done, wants tools, refuses, or ran out of room
    (`max_tokens`, or the window of its context). `model` is the one that really answered, `id` the vendor's id of the
    request.
    """

    kind: Literal["reply"] = "reply"
    model: str
    stop: Stop
    parts: tuple[Part, ...]
    usage: Usage
    because: str = ""
    id: str = ""
    seconds: Seconds = 0.0

    @property
    def text(self) -> str:
        """All its text in one piece."""
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        return tuple(part for part in self.parts if isinstance(part, ToolCall))


class Called(Message, contract="hustings.model.called.v1"):
    """A model or a tool was called within an attempt: on the log before what it said is used.

    `call` is its place, DIGEST-ORDINAL: of the request, and which of the attempt's equal requests it is. `name` is the
    model's or the tool's, `request` the sha256 of what was asked, `digest` that of `answer`. Without an answer the call
    has failed (`failed` says how), and this is about what it cost. `spent` is what it cost, `reserved` what had been
    reserved for it and is free again; `priced` is False where the money is an estimate.
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


class ModelChain(Message, contract="hustings.ModelChain.v1"):
    """Which models serve an attempt, the preferred first. The next is taken where one cannot be had; if `cheaper`, also
    where the budget does not allow it any more."""

    models: tuple[str, ...]
    cheaper: bool = True


def sealed(answer: ModelReply | ToolResult) -> str:
    """The sha256 of an answer, in hex."""
    return hashlib.sha256(answer.model_dump_json().encode()).hexdigest()
