"""Retry: retries, a circuit breaker and a limit of concurrent calls between an agent and a model."""

import random
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import anyio

from hustings.protocols import ModelFailure, ModelReply, ModelRequest, Trouble, Usage

from .adapter import Postponed
from .model import Listener, Model

UNWELL: frozenset[Trouble] = frozenset({"hung", "unreachable", "overloaded"})  # failures of the endpoint itself
TRIES: dict[Trouble, int] = {"overloaded": 3, "limited": 3, "unreachable": 3, "protocol": 2}  # other kinds: one


@dataclass(frozen=True)
class RetryPolicy:
    """Waits, in seconds: `pause` before the second try, then twice as long each time up to `longest`, in all no more
    than `whole`. A circuit opens after `most` failures in a row, and lets one call through after `rest`."""

    pause: float = 0.5
    longest: float = 8.0
    whole: float = 20.0
    most: int = 3
    rest: float = 15.0

    def before(self, tries: int) -> float:
        """The pause after so many tries, randomly up to a quarter shorter, so that callers do not retry all at once."""
        full: float = min(self.pause * 2.0 ** (tries - 1), self.longest)
        return full * random.uniform(0.75, 1.0)  # noqa: S311 - not a secret


@dataclass
class Breaker:
    """The circuit breaker of one model. While it is open, calls fail at once; after the rest one call is a probe."""

    retry_policy: RetryPolicy
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
        if self.failures >= self.retry_policy.most:
            self.until = anyio.current_time() + self.retry_policy.rest


@dataclass(frozen=True)
class ResilientModel:
    """A Model with retries. The usage of the reply, or of the failure, includes the cost of failed tries.

    `model` is always streamed: only so can a slow endpoint be told from a hung one. After a broken try the listener may
    get the beginning again.
    """

    model: Model
    gate: AbstractAsyncContextManager[object]
    breaker: Breaker
    retry_policy: RetryPolicy = RetryPolicy()

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
            if waited + pause > self.retry_policy.whole:
                raise _out_of_tries(failure, pause, self.retry_policy.whole - waited, wasted)
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
        if tries >= TRIES.get(failure.kind, 1) or self.breaker.open:
            return None
        return max(failure.after if isinstance(failure, Postponed) else 0.0, self.retry_policy.before(tries))


def _pieces(listener: Listener | None) -> Listener:
    """Pass on the text, without the signs of life."""

    async def heard(piece: str) -> None:
        if piece and listener:
            await listener(piece)

    return heard


def _again(failure: ModelFailure, usage: Usage) -> ModelFailure:
    return ModelFailure(failure.what, failure.why, failure.hint, kind=failure.kind, usage=usage)


def _out_of_tries(failure: ModelFailure, pause: float, retry_policy: float, usage: Usage) -> ModelFailure:
    why = f"the endpoint asks to wait {pause:.0f} s, more than the remaining {max(retry_policy, 0):.0f} s"
    return ModelFailure(failure.what, why, kind="limited", usage=usage)
