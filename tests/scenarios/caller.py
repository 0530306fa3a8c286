"""Caller: a team whose one specialist calls a model so many times, one after the other, and says what it heard."""

from moot.agents import Specialist, TaskContext, Team
from moot.protocols import Goal, Message, Outcome


class Errand(Goal, contract="caller.Errand.v1"):
    calls: int


class Heard(Message, contract="caller.Heard.v1"):
    words: tuple[str, ...]


class Told(Outcome, contract="caller.Told.v1"):
    heard: Heard


caller = Specialist("caller", "calls a model")


@caller.skill
async def hear(errand: Errand, context: TaskContext) -> Heard:
    said = [await context.model(str, instructions=f"Say word {number}.") for number in range(1, errand.calls + 1)]
    return Heard(words=tuple(said))


team = Team(name="caller", goal=Errand, outcome=Told, specialists=[caller])
