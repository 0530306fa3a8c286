"""Short ways to say events in the tests of the bus."""

from hustings.bus import Bus
from hustings.protocols import Assigned, Concluded, Entry, GoalAsked, Result, RunAcquired


def goal(**fields: str) -> GoalAsked:
    return GoalAsked(type="Goal.v1", goal={**fields}, by="tester")


def acquired(instance: str = "one") -> RunAcquired:
    return RunAcquired(instance=instance)


def assigned(task: str = "t1", agent: str = "clerk", attempt: int = 1, **given: str) -> Assigned:
    return Assigned(task=task, step="s", agent=agent, attempt=attempt, skill="summarise", input={**given}, deadline=4e9)


def result(task: str = "t1", agent: str = "clerk", attempt: int = 1, output: str = "done") -> Result:
    return Result(task=task, attempt=attempt, agent=agent, output=output)


def concluded() -> Concluded:
    return Concluded(status="decided", because="", state_hash="", at=1)


async def entries(bus: Bus, run: str) -> list[Entry]:
    return [entry async for entry in bus.log.read(run)]


async def assign(bus: Bus, run: str, *tasks: Assigned, after: int = 0) -> int:
    return await bus.log.append(run, tasks, after=after, source="coordinator")
