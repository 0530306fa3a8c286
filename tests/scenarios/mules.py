"""Agents that do not end: skills that swallow their cancellation, and one whose lifespan does."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import anyio

from hustings.agents import Specialist, Team
from hustings.protocols import Goal, Message, Outcome, RetryPolicy


class Ask(Goal, contract="mules.Ask.v1"):
    stubborn: bool = False


class Said(Message, contract="mules.Said.v1"):
    pid: int


class Answer(Outcome, contract="mules.Answer.v1"):
    said: Said


async def forever() -> None:
    while True:
        with suppress(BaseException):
            await asyncio.sleep(0.05)


mule = Specialist("mule", max_concurrent_tasks=2)


@asynccontextmanager
async def open_for_ever() -> AsyncIterator[None]:
    try:
        yield
    finally:
        await forever()


sloth = Specialist("sloth", max_concurrent_tasks=1, lifespan=open_for_ever)


@sloth.skill
@mule.skill
async def poll(ask: Ask) -> Said:
    """Poll a service until it answers, in as many ways as there are to be stubborn."""
    if ask.stubborn:
        async with anyio.create_task_group() as group:
            group.start_soon(forever)
            await asyncio.gather(asyncio.shield(forever()), forever())
    return Said(pid=os.getpid())


team = Team("mules", Ask, Answer, [mule], retry=RetryPolicy(max_attempts=1))
sloths = Team("sloths", Ask, Answer, [sloth], retry=RetryPolicy(max_attempts=1))
