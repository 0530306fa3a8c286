"""Retry: retries, a circuit breaker and a limit of concurrent calls between an agent and a model."""

import random
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import anyio

from hustings.protocols import ModelFailure, ModelReply, ModelRequest, RetryPolicy, Trouble, Usage
from hustings.protocols.retry import error_types

from .adapter import Postponed
from .model import Listener, Model

UNWELL: frozenset[Trouble] = frozenset({"hung", "unreachable", "overloaded"})  # failures of the endpoint itself
PASSING: frozenset[Trouble] = frozenset({"overloaded", "limited", "unreachable"})  # may be otherwise a little later
GARBAGE = 2  # tries of a request that gets an answer out of protocol: it costs as much as a good one
CALLS = RetryPolicy(initial_interval=0.5, max_interval=8.0, jitter=0.25)


@dataclass
class Breaker:
    """The circuit breaker of one model. It opens after `most` failures in a row; while it is open, calls fail at once.
    After `rest` seconds one call is a probe."""

    most: int = 3
    rest: float = 15.0
    called: float = float("-inf")
    failures: int = 0
    until: float | None = None
    last: ModelFailure | None = field(default=None, repr=False)
    probing: bool = False

    @property
    def open(self) -> bool:
        return self.until is not None and (self.probing or anyio.current_time() < self.until)

    def enter(self) -> bool:
        """Call before each try; True for the probe. Raises the last failure again while the circuit is open."""
        self.called = anyio.current_time()
        if self.open and self.last:
            raise ModelFailure("circuit open", f"{self.last.what}: {self.last.why}", kind=self.last.kind)
        self.probing = self.until is not None
        return self.probing

    def well(self) -> None:
        """The endpoint answered, with success or refusal: close the circuit."""
        self.failures, self.until = 0, None

    def unwell(self, failure: ModelFailure) -> None:
        self.failures += 1
        self.last = failure
        if self.failures >= self.most:
            self.until = anyio.current_time() + self.rest


@dataclass(frozen=True)
class ResilientModel:
    """A Model with retries. The usage of the reply, or of the failure, includes the cost of failed tries.

    `model` is always streamed: only so can a slow endpoint be told from a hung one. After a broken try the listener may
    get the beginning again. All waits of a call together take at most `waits` seconds.
    """

    model: Model
    gate: AbstractAsyncContextManager[object]
    breaker: Breaker
    retry: RetryPolicy = CALLS
    waits: float = 20.0

    async def __call__(self, request: ModelRequest, listener: Listener | None = None) -> ModelReply:
        wasted, waited, tries = Usage(), 0.0, 0
        while True:
            tries += 1
            try:
                reply = await self._try(request, listener)
                return reply.model_copy(update={"usage": reply.usage.plus(wasted), "retries": tries - 1})
            except ModelFailure as error:
                wasted = wasted.plus(error.usage)
                failure, pause = error, self._pause(error, tries)
            if pause is None:
                raise _again(failure, wasted)
            if waited + pause > self.waits:
                raise _out_of_tries(failure, pause, self.waits - waited, wasted)
            waited += pause
            await anyio.sleep(pause)

    async def _try(self, request: ModelRequest, listener: Listener | None) -> ModelReply:
        async with self.gate:
            probe = self.breaker.enter()
            try:
                reply = await self.model(request, _pieces(listener))
            except ModelFailure as failure:
                self._count(failure)
                raise
            finally:
                if probe:
                    self.breaker.probing = False
            self.breaker.well()
            return reply

    def _count(self, failure: ModelFailure) -> None:
        if failure.kind in UNWELL:
            self.breaker.unwell(failure)
        else:
            self.breaker.well()

    def _pause(self, failure: ModelFailure, tries: int) -> float | None:
        """Seconds until the next try, as the endpoint asks if it does; None: no further try."""
        if tries >= self._most(failure) or self.breaker.open:
            return None
        spread = random.random()  # noqa: S311 - not a secret
        return max(failure.after if isinstance(failure, Postponed) else 0.0, self.retry.interval(tries, spread))

    def _most(self, failure: ModelFailure) -> int:
        """How often a call that fails like this is tried."""
        if self.retry.refuses(error_types(failure)):
            return 1
        if failure.kind == "protocol":
            return min(GARBAGE, self.retry.max_attempts)
        return self.retry.max_attempts if failure.kind in PASSING else 1


def _pieces(listener: Listener | None) -> Listener:
    """Pass on the text, without the signs of life."""

    async def heard(piece: str) -> None:
        if piece and listener:
            await listener(piece)

    return heard


def _again(failure: ModelFailure, usage: Usage) -> ModelFailure:
    return ModelFailure(failure.what, failure.why, failure.hint, kind=failure.kind, usage=usage)


def _out_of_tries(failure: ModelFailure, pause: float, left: float, usage: Usage) -> ModelFailure:
    why = f"the endpoint asks to wait {pause:.0f} s, more than the remaining {max(left, 0):.0f} s"
    return ModelFailure(failure.what, why, kind="limited", usage=usage)
