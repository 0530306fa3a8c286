"""Presence: an agent shows that it is alive by a NATS micro service and a heartbeat every second."""

import os
import platform
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hashlib import sha256

import anyio

from hustings.bus import Bus, background
from hustings.protocols import AgentCard, Data, Heartbeat, timing


@asynccontextmanager
async def present(
    bus: Bus,
    card: AgentCard,
    *,
    instance: str,
    busy: Callable[[], tuple[str, ...]] = tuple,
    stats: Callable[[], Data] = dict,
    unwell: Callable[[], bool] = bool,
    recycle: Callable[[], bool] = bool,
) -> AsyncIterator[None]:
    """Answer `$SRV.PING`, INFO and STATS and send heartbeats while the block runs; the last one says `leaving`."""
    digest = sha256(card.model_dump_json().encode()).hexdigest()[:16]

    async def beat(*, leaving: bool = False) -> None:
        await bus.live.beat(
            Heartbeat(
                agent=card.name,
                instance=instance,
                version=card.version,
                card=digest,
                pid=os.getpid(),
                host=platform.node(),
                busy=busy(),
                leaving=leaving,
                unwell=unwell(),
                recycle=recycle(),
            )
        )

    async def beat_on() -> None:
        while True:
            await anyio.sleep(timing.HEARTBEAT)
            await beat()

    async with bus.live.service(card, stats):
        await beat()
        try:
            async with background(beat_on):
                yield
        finally:
            with anyio.move_on_after(1, shield=True):
                await beat(leaving=True)
