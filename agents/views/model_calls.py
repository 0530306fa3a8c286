"""Model calls: what a model was asked and what it replied, as pieces of text with a word before each."""

from collections.abc import Iterator
from datetime import datetime

from pydantic import JsonValue
from pydantic_core import to_json

from hustings.protocols import Opaque, Part, TextPart, ToolCall

from ..history.model_calls import ModelCall
from .text import clock, plain, span


def told(call: ModelCall) -> str:
    """A call on one line: its model, when, its tokens, what it cost, how long it took, and how it ended."""
    usage = call.usage
    tokens = f"{usage.total:,} tokens" + (f" ({usage.cache_read:,} cached)" if usage.cache_read else "")
    when = clock(datetime.fromisoformat(call.time).timestamp())
    words = [call.model, when, tokens, f"${call.money:.4f}{' est.' if call.estimated else ''}"]
    words += [span(call.seconds)] if call.answer else []
    words += ["1 retry" if call.retries == 1 else f"{call.retries} retries"] if call.retries else []
    return plain(", ".join([*words, call.answer.stop if call.answer else call.cause]))


def spoken(call: ModelCall) -> Iterator[tuple[str, str]]:
    """What the request adds to the earlier call of its conversation, then the reply: who speaks, and the text."""
    if call.request is None:
        yield "request", call.because
    elif not call.known:
        yield "instructions", call.request.instructions
        for card in call.request.tools:
            yield f"tool {card.name}", f"{card.description}\n{_json(card.inputs)}"
        if call.request.shape is not None:
            yield "schema", _json(call.request.shape)
    for turn in call.request.turns[call.known :] if call.request else ():
        yield from (_part(turn.role, part) for part in turn.parts)
    for part in call.answer.parts if call.answer else ():
        yield _part("reply", part)
    if call.answer and call.answer.because:
        yield call.answer.stop, call.answer.because


def _part(who: str, part: Part) -> tuple[str, str]:
    if isinstance(part, TextPart):
        return who, part.text
    if isinstance(part, ToolCall):
        return f"{who} calls {part.name}", _json(part.input)
    if isinstance(part, Opaque):
        return f"{who}, not text", _json(part.data)
    return "the tool failed" if part.failed else "the tool says", part.text


def _json(value: JsonValue) -> str:
    return to_json(value).decode()
