"""An event loop in virtual time, and the product's modules living in it.

`VirtualLoop.time()` jumps to the next timer when nothing is ready, so hours cost nothing and nothing depends on how
fast the machine is. What runs belongs to a `Place` (a simulated process), which can be paused: its callbacks and
timers wait until it goes on, as under SIGSTOP and SIGCONT.

`virtual(loop, seed)` rebinds, for the duration of a block, what the modules of hustings know as the time, as chance and
as sets: clocks follow the loop, ids come from the seed, and sets keep the order of insertion, where Python's follows
addresses in memory. So one seed gives one history, byte for byte.
"""

import asyncio
import random
import selectors
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from datetime import datetime, tzinfo
from functools import cache
from importlib import import_module
from types import ModuleType, SimpleNamespace
from typing import Any, Self
from uuid import UUID

import anyio._backends._asyncio as backend

from hustings.protocols.envelope import uuid7

EPOCH = 1_700_000_000.0  # the moment at which every simulation begins
INSTANT = 1e-6  # seconds that one turn of the loop takes: what spins gets old, too
registry = import_module("hustings.agents.runtime.registry")
_HERE: ContextVar["Place | None"] = ContextVar("here", default=None)


class Stuck(Exception):
    """Nothing is ready and no timer runs: nothing would ever happen again."""


class Place:
    """What belongs together and can be paused together."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.paused = False
        self._waiting: list[tuple[asyncio.Handle, Any, Any, Context]] = []

    @staticmethod
    def here() -> "Place | None":
        return _HERE.get()

    def enter(self) -> None:
        """What this task does and starts from now on belongs here."""
        _HERE.set(self)

    def keep(self, loop: "VirtualLoop", callback: Any, args: Any, context: Context | None) -> asyncio.Handle:
        context = context or copy_context()
        handle = asyncio.Handle(callback, args, loop, context)
        self._waiting.append((handle, callback, args, context))
        return handle

    def resume(self, loop: "VirtualLoop") -> None:
        self.paused, waiting = False, self._waiting
        self._waiting = []
        for handle, callback, args, context in waiting:
            loop.call_soon(_unless_cancelled, handle, callback, args, context=context)


class _Jump(selectors.SelectSelector):
    """A selector that hears of nothing, and instead of waiting lets the time pass."""

    def __init__(self, pass_time: Callable[[float | None], None]) -> None:
        super().__init__()
        self._pass = pass_time

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._pass(timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An asyncio event loop whose time is its own."""

    def __init__(self) -> None:
        self.now = 0.0
        self.raised: list[BaseException] = []  # where nobody waits, as in callbacks: asyncio would only log it
        super().__init__(_Jump(self._pass))
        self.set_exception_handler(self._note)

    def time(self) -> float:
        return self.now

    def _note(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.raised.append(context.get("exception") or RuntimeError(context["message"]))

    def _pass(self, timeout: float | None) -> None:
        if self.raised:
            raise Stuck("a callback has failed: whoever waits for it would wait for ever")
        if timeout is None:
            raise Stuck(f"nothing will ever happen after {self.now:.3f} s")
        self.now += max(timeout, INSTANT)

    def call_soon(  # type: ignore[override]  # typed by the arguments of the callback there
        self, callback: Any, *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        place = _HERE.get() if context is None else context.get(_HERE)
        if place is None or not place.paused:
            return super().call_soon(callback, *args, context=context)
        return place.keep(self, callback, args, context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Any, *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        place = _HERE.get() if context is None else context.get(_HERE)
        if place is None:
            return super().call_at(when, callback, *args, context=context)
        return super().call_at(when, self._due, place, callback, args, context, context=context)

    def _due(self, place: Place, callback: Any, args: tuple[Any, ...], context: Context | None) -> None:
        if place.paused:
            place.keep(self, callback, args, context)
        else:
            callback(*args)


def _unless_cancelled(handle: asyncio.Handle, callback: Any, args: Any) -> None:
    if not handle.cancelled():
        callback(*args)


class Ordered(dict[Any, None]):
    """A set in the order of insertion, with as much of set's interface as those need who are given it."""

    def __init__(self, items: Any = ()) -> None:
        super().__init__(dict.fromkeys(items))

    def add(self, item: Any) -> None:
        self[item] = None

    def discard(self, item: Any) -> None:
        self.pop(item, None)

    def remove(self, item: Any) -> None:
        del self[item]


@contextmanager
def virtual(loop: VirtualLoop, seed: int) -> Iterator[None]:
    """While the block runs, all of hustings lives in the loop's time, and its ids come from the seed."""
    chance = random.Random(f"ids {seed}")

    def next_id() -> UUID:
        stamp = int((EPOCH + loop.now) * 1000) << 80
        return UUID(int=stamp | 0x7 << 76 | 0x2 << 62 | chance.getrandbits(62))

    clock = {
        "time": lambda: EPOCH + loop.now,
        "time_ns": lambda: int((EPOCH + loop.now) * 1e9),
        **dict.fromkeys(("monotonic", "perf_counter"), lambda: 1000 + loop.now),
        **dict.fromkeys(("monotonic_ns", "perf_counter_ns"), lambda: int((1000 + loop.now) * 1e9)),
    }

    class Calendar(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls.fromtimestamp(EPOCH + loop.now, tz)

    new: dict[object, object] = {getattr(time, name): tick for name, tick in clock.items()}
    new |= {time: SimpleNamespace(**clock), datetime: Calendar, uuid7: next_id}
    with rebound(new):
        vars(registry)["set"] = vars(backend)["set"] = Ordered
        try:
            yield
        finally:
            del vars(registry)["set"], vars(backend)["set"]


@contextmanager
def rebound(new: Mapping[object, object]) -> Iterator[None]:
    """While the block runs, hustings's modules have these things instead of those, by whatever names they know them."""
    places = _bound(*new)
    try:
        for module, name, old in places:
            setattr(module, name, new[old])
        yield
    finally:
        for module, name, old in places:
            setattr(module, name, old)


@cache
def _bound(*wanted: object) -> list[tuple[ModuleType, str, object]]:
    modules = [module for name, module in sys.modules.items() if name.startswith("hustings.")]
    return [
        (module, name, value)
        for module in modules
        for name, value in list(vars(module).items())
        if _hashable(value) and value in wanted
    ]


def _hashable(value: object) -> bool:
    return type(value).__hash__ is not None
