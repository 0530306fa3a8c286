"""Caller: a team whose one specialist calls a model so many times, one by one or at once, and says what it heard."""

from contextlib import suppress

import anyio

from hustings.agents import Specialist, TaskContext, Team
from hustings.protocols import BudgetExceeded, Goal, Message, Outcome


class Errand(Goal, contract="caller.Errand.v1"):
    calls: int
    at_once: bool = False


class Heard(Message, contract="caller.Heard.v1"):
    words: tuple[str, ...]


class Told(Outcome, contract="caller.Told.v1"):
    heard: Heard


caller = Specialist("caller", "calls a model")


@caller.skill
async def hear(errand: Errand, context: TaskContext) -> Heard:
    if errand.at_once:
        return await _all_at_once(errand, context)
    said = [await context.model(str, instructions=f"Say word {number}.") for number in range(1, errand.calls + 1)]
    return Heard(words=tuple(said))


async def _all_at_once(errand: Errand, context: TaskContext) -> Heard:
    """As many as the budget allows; who is refused is left out."""
    heard: dict[int, str] = {}

    async def ask(number: int) -> None:
        with suppress(BudgetExceeded):
            heard[number] = await context.model(str, instructions=f"Say word {number}.")

    async with anyio.create_task_group() as group:
        for number in range(1, errand.calls + 1):
            group.start_soon(ask, number)
    return Heard(words=tuple(heard[number] for number in sorted(heard)))


team = Team(name="caller", goal=Errand, outcome=Told, specialists=[caller])
