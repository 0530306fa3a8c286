"""Model calls: what the models of a run were asked, and what they replied."""

from collections.abc import Iterable, Mapping
from contextlib import suppress

from pydantic import JsonValue

from hustings.bus import Bus
from hustings.protocols import (
    Called,
    Entry,
    Message,
    ModelReply,
    ModelRequest,
    NotFound,
    Piece,
    Prompt,
    ToolResult,
    Unreadable,
    Usage,
)
from hustings.protocols.prompts import request_of

from .run_report import iso

Task = tuple[str, str]  # the agent and the task


class ModelCall(Message, contract="hustings.cli.ModelCall.v1"):
    """One call of a model. `time` is when it was recorded (ISO 8601); `seconds` is how long the model took; `money` is
    in US dollars, and may be `estimated`.

    `request` is what the model was asked. Its first `known` turns are those of an earlier call of the same
    conversation. Without a request, `because` says why it cannot be shown. Without an `answer` the call failed, and
    `cause` says how.
    """

    task: str
    attempt: int
    agent: str
    model: str
    time: str
    seconds: float = 0.0
    retries: int = 0
    usage: Usage
    money: float
    estimated: bool
    known: int = 0
    request: ModelRequest | None = None
    because: str = ""
    answer: ModelReply | None = None
    cause: str = ""


async def filled(bus: Bus, entries: Iterable[Entry]) -> list[Entry]:
    """The entries, with the pieces of requests that lie in the object store. What is gone from there stays out."""
    return [await _filled(bus, entry) for entry in entries]


def model_calls(entries: Iterable[Entry]) -> tuple[ModelCall, ...]:
    """The calls of models on the log of a run, in order. Give it entries that are `filled`."""
    said = _Said()
    return tuple(
        said.call(entry.time, entry.event)
        for entry in entries
        if isinstance(entry.event, Called) and entry.subject.author == entry.event.agent and said.hear(entry.event)
    )


class _Said:
    """What the log has said so far: the answers of tools, and the requests with their replies, by their digests."""

    def __init__(self) -> None:
        self._results: dict[tuple[Task, str], ToolResult] = {}
        self._calls: dict[tuple[Task, str, str], tuple[ModelRequest, ModelReply]] = {}

    def hear(self, call: Called) -> bool:
        """True for the call of a model."""
        if isinstance(call.answer, ToolResult):
            self._results[_task(call), call.digest] = call.answer
        return not isinstance(call.answer, ToolResult)

    def call(self, at: float, call: Called) -> ModelCall:
        reply = call.answer if isinstance(call.answer, ModelReply) else None
        request, known, because = None, 0, ""
        try:
            request, known = self._request(call)
        except Unreadable as error:
            because = str(error)
        if request and reply:
            self._calls[_task(call), call.request, call.digest] = request, reply
        return ModelCall(
            task=call.task,
            attempt=call.attempt,
            agent=call.agent,
            model=call.name,
            time=iso(at),
            seconds=reply.seconds if reply else 0.0,
            retries=reply.retries if reply else 0,
            usage=call.usage,
            money=call.spent.money,
            estimated=not call.priced,
            known=known,
            request=request,
            because=because,
            answer=reply,
            cause=call.failed,
        )

    def _request(self, call: Called) -> tuple[ModelRequest, int]:
        if call.asked is None:
            raise Unreadable("only the hash of the request is on record")
        before = self._calls.get((_task(call), call.asked.after, call.asked.said))
        if call.asked.after and before is None:
            raise Unreadable("the request goes on from an earlier one that is not on record")
        pieces = [self._piece(_task(call), piece) for piece in call.asked.pieces]
        return request_of(call, pieces, before), len(before[0].turns) + 1 if before else 0

    def _piece(self, task: Task, piece: Piece) -> Piece:
        value: JsonValue = piece.value
        if piece.kind == "result" and (result := self._results.get((task, piece.digest))):
            value = result.plain()
        if value is None:
            raise Unreadable(f"a piece of the request is gone: {piece.kind} {piece.digest}")
        return piece.model_copy(update={"value": value})


def _task(call: Called) -> Task:
    return call.agent, call.task


async def _filled(bus: Bus, entry: Entry) -> Entry:
    call = entry.event
    if not isinstance(call, Called) or call.asked is None or entry.envelope is None:
        return entry
    elsewhere = {piece.digest for piece in call.asked.pieces if piece.digest and piece.kind != "result"}
    if not elsewhere:
        return entry
    values: dict[str, JsonValue] = {}
    for digest in elsewhere:
        with suppress(NotFound, Unreadable):
            values[digest] = await bus.log.value(digest)
    full = call.model_copy(update={"asked": _with(call.asked, values)})
    return entry._replace(envelope=entry.envelope.model_copy(update={"data": full}))


def _with(prompt: Prompt, values: Mapping[str, JsonValue]) -> Prompt:
    pieces = [piece.model_copy(update={"value": values.get(piece.digest, piece.value)}) for piece in prompt.pieces]
    return prompt.model_copy(update={"pieces": tuple(pieces)})
