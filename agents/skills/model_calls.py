"""Model calls: one call of a model or a tool. A recorded answer is used again; a new one is recorded before use."""

import hashlib
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import anyio
from anyio import CancelScope, get_cancelled_exc_class
from pydantic import JsonValue
from pydantic_core import to_json

from hustings.bus import Bus
from hustings.protocols import (
    Amount,
    BudgetExceeded,
    BusError,
    Called,
    HustingsError,
    ModelChain,
    ModelFailure,
    ModelReply,
    ModelRequest,
    Piece,
    Progress,
    Prompt,
    Record,
    ReplayMismatch,
    ToolCall,
    ToolResult,
    Unsendable,
    Usage,
)
from hustings.protocols.models import sealed
from hustings.protocols.wire import sent

from ..models.model import Listener, Model
from ..models.prices import Prices
from ..models.tools import Tool
from ..observe.logger import structlog
from ..observe.telemetry import (
    Spanned,
    called,
    chatting,
    using,
)
from ..variables import Variable
from .journal import Journal

PACE = 0.2  # seconds between two pieces of a stream that are shown live
USUAL = 4  # bytes of a usual token
OVERHEAD = 1024  # tokens, at most, that a vendor adds to a request
LARGE = 1024  # bytes of JSON: from here on a piece of a request lies in the object store
LONGEST = 100_000  # characters of a tool's answer; the rest is cut off
ELSEWHERE = {
    "overloaded",
    "limited",
    "hung",
    "unreachable",
    "denied",
    "protocol",
}  # failures after which another model may answer

MODEL = Variable(
    "HUSTINGS_MODEL",
    "the model of each skill for which the team names none: PROVIDER:NAME",
    "anthropic:claude-sonnet-5-5",
)


def default() -> ModelChain:
    """The models of a skill if the team names none: the model in HUSTINGS_MODEL."""
    return ModelChain(models=(MODEL.read() or MODEL.default,))


class Calls:
    """The calls of one attempt. `models` gives the model of a name, `serving` says which may be called."""

    def __init__(
        self,
        bus: Bus,
        journal: Journal,
        *,
        run: str,
        agent: str,
        task: str,
        attempt: int,
        serving: ModelChain,
        models: Callable[[str], Model],
        prices: Prices,
        record: Record = "full",
    ) -> None:
        self._bus = bus
        self._journal = journal
        self._run, self._agent, self._task, self._attempt = run, agent, task, attempt
        self._serving = serving
        self._models = models
        self._prices = prices
        self._record = record
        self._log = structlog.get_logger().bind(run=run, task=task, attempt=attempt)

    async def model(self, request: ModelRequest) -> ModelReply:
        """The reply to a request, from the first serving model that gives one.

        Raises ModelFailure of the last model tried, BudgetExceeded, ReplayMismatch.
        """
        place, known = await self._journal.recall(request.digest, f"a request to {self._serving.models[0]}")
        if known:
            assert isinstance(known.answer, ModelReply)
            return known.answer
        return await self._live(request, place)

    async def tool(self, tool: Tool | None, call: ToolCall, refusal: str = "") -> ToolResult:
        """A tool's answer to a call. A `refusal`, or an exception of the tool, is an answer too.

        Raises BudgetExceeded, BusError and ReplayMismatch, which the model cannot handle.
        """
        digest = hashlib.sha256(to_json([call.name, call.input])).hexdigest()
        place, known = await self._journal.recall(digest, f"a call of the tool {call.name}")
        if known:
            assert isinstance(known.answer, ToolResult)
            return known.answer.model_copy(update={"id": call.id})
        text, failed = (refusal, True) if refusal or tool is None else await self._tried(tool, call)
        result = ToolResult(id=call.id, text=text[:LONGEST], failed=failed)
        answer = await self._journal.add(self._called(place, call.name, digest, result))
        assert isinstance(answer, ToolResult)
        return answer.model_copy(update={"id": call.id})

    # live

    async def _live(self, request: ModelRequest, place: str) -> ModelReply:
        trouble: HustingsError | None = None
        asked = None if self._record == "hash" else await self._stored(self._journal.prompt(request))
        for name, following in pairwise([*self._serving.models, ""]):
            try:
                return await self._ask(request.model_copy(update={"model": name}), place, asked)
            except BudgetExceeded as error:
                if not self._serving.cheaper:
                    raise
                trouble = error
            except ModelFailure as error:
                if error.kind not in ELSEWHERE:
                    raise
                trouble = error
            if following:
                self._log.warning("this model cannot be had", model=name, why=str(trouble), next=following)
        assert trouble
        raise trouble

    async def _stored(self, prompt: Prompt) -> Prompt:
        """The prompt with its large pieces in the object store."""
        return prompt.model_copy(update={"pieces": tuple([await self._shelved(piece) for piece in prompt.pieces])})

    async def _shelved(self, piece: Piece) -> Piece:
        raw = b"" if piece.digest else to_json(piece.value)
        return Piece(kind=piece.kind, digest=(await self._bus.blobs.put(raw)).digest) if len(raw) >= LARGE else piece

    async def _ask(self, request: ModelRequest, place: str, asked: Prompt | None) -> ModelReply:
        model = self._models(request.model)
        reserved = await self._reserve(request)
        with chatting(self._run, request) as span:
            return await self._said(model, request, place, reserved, span, asked)

    async def _said(
        self,
        model: Model,
        request: ModelRequest,
        place: str,
        reserved: Amount,
        span: Spanned,
        asked: Prompt | None,
    ) -> ModelReply:
        costs = partial(self._costs, request, place, asked, reserved)
        try:
            reply = _sendable(await model(request, self._listener(request.model)))
        except ModelFailure as failure:
            call = costs(failure.usage, failed=f"{failure.kind}: {failure}")
            called(span, call)
            await self._journal.add(call)
            raise
        except get_cancelled_exc_class():
            read = Usage(input=len(request.model_dump_json().encode()) // USUAL, estimated=True)
            call = costs(read, failed="cancelled: nobody waits")
            called(span, call)
            with CancelScope(shield=True), anyio.move_on_after(1):
                await self._journal.add(call)
            raise
        call = costs(reply.usage, answer=reply)
        called(span, call)
        answer = await self._journal.add(call)
        assert isinstance(answer, ModelReply)
        return answer

    async def _reserve(self, request: ModelRequest) -> Amount:
        """Reserve from the share the most that the call can cost; nothing if there is no limit."""
        share = await self._journal.left()
        if all(limit is None for _, limit in share):
            return Amount()
        read = len(request.model_dump_json(exclude={"model"}).encode()) + OVERHEAD  # a token is at least one byte
        dearest = max((Usage(input=read), Usage(cache_write=read)), key=lambda usage: self._money(request.model, usage))
        amount = Amount(
            calls=1,
            tokens=read + request.max_tokens,
            money=self._money(request.model, dearest.plus(Usage(output=request.max_tokens))),
        )
        await self._journal.reserve(amount)
        return amount

    def _money(self, model: str, usage: Usage) -> float:
        return self._prices.cost(model, usage)[0]

    def _costs(
        self,
        request: ModelRequest,
        place: str,
        asked: Prompt | None,
        reserved: Amount,
        usage: Usage,
        *,
        answer: ModelReply | None = None,
        failed: str = "",
    ) -> Called:
        money, priced = self._prices.cost(request.model, usage)
        call = self._called(place, request.model, request.digest, answer)
        return call.model_copy(
            update={
                "asked": asked,
                "failed": failed,
                "usage": usage,
                "spent": Amount(calls=1, tokens=usage.total, money=money),
                "reserved": reserved,
                "priced": priced and not usage.estimated,
            }
        )

    def _called(self, place: str, name: str, digest: str, answer: ModelReply | ToolResult | None) -> Called:
        return Called(
            task=self._task,
            attempt=self._attempt,
            agent=self._agent,
            call=place,
            name=name,
            request=digest,
            answer=answer,
            digest=sealed(answer) if answer else "",
        )

    def _listener(self, model: str) -> Listener:
        """Passes a stream on as live progress, in pieces that people can read."""
        held, told = "", 0.0

        async def listen(text: str) -> None:
            nonlocal held, told
            held += text
            if time.monotonic() - told >= PACE:
                said, held, told = held, "", time.monotonic()
                await self._bus.live.progress(
                    Progress(run=self._run, task=self._task, agent=self._agent, says=model, text=said)
                )

        return listen

    async def _tried(self, tool: Tool, call: ToolCall) -> tuple[str, bool]:
        with using(tool.name, call.id) as span:
            try:
                return _text(await tool.call(call.input)), False
            except (BudgetExceeded, BusError, ReplayMismatch):
                raise
            except HustingsError as error:
                span.failed(type(error).__name__)
                return str(error), True
            except Exception as error:  # noqa: BLE001 - a tool may raise anything: the model is told
                span.failed(type(error).__name__)
                self._log.warning("a tool raised", tool=tool.name, exc_info=error)
                return f"it failed: {type(error).__name__}", True


def _sendable(reply: ModelReply) -> ModelReply:
    """The reply, if it can be recorded. Raises ModelFailure."""
    try:
        sent(reply)
    except Unsendable as error:
        raise ModelFailure(
            "the model's reply cannot be recorded", error.why, kind="invalid", usage=reply.usage
        ) from None
    return reply


def _text(said: JsonValue) -> str:
    return said if isinstance(said, str) else to_json(said).decode()
