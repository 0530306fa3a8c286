"""Re-execution: tasks of a recorded run, done again from the record: skills' code runs, no model and no tool does."""

import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import aclosing
from typing import NamedTuple

from hustings.bus import Bus
from hustings.protocols import Asked, Assigned, Called, Entry, Result

from ..skills.attempt import Attempts
from ..skills.journal import Journal
from ..skills.specialist import Specialist

TIME = 300.0  # seconds for a task: nothing is waited for, so it is a matter of computing


class Reworked(NamedTuple):
    """What came of a task. `same`: the recorded answer came out again; else `why` says what did."""

    task: str
    agent: str
    attempt: int
    calls: int
    same: bool
    why: str = ""


async def rework(bus: Bus, run: str, specialists: Mapping[str, Specialist]) -> AsyncIterator[Reworked]:
    """Do each answered task of a run again that asked models, tools or other agents, if its specialist is here.

    Nothing is appended, and what is not on record is a ReplayMismatch, which stands in `why`. Skills that ask nobody
    have nothing on record and are left out; one whose answer hangs on chance or the time will differ.
    """
    async with aclosing(bus.log.read(run)) as log:
        entries = [entry async for entry in log]
    calls = [entry.event for entry in entries if isinstance(entry.event, Asked | Called)]
    for result in _answered(entries):
        made = sum((c.task, c.agent) == (result.task, result.agent) for c in calls)
        assigned = _assigned(entries, result)
        if made and assigned and result.agent in specialists:
            journal = Journal.of(bus, entries, agent=result.agent, task=result.task, attempt=result.attempt)
            again = await Attempts(specialists[result.agent], bus).attempt(run, assigned, journal)
            same = isinstance(again, Result) and again.output == result.output
            why = "" if same else "another answer" if isinstance(again, Result) else again.because
            yield Reworked(result.task, result.agent, result.attempt, made, same, why)


def _answered(entries: Iterable[Entry]) -> list[Result]:
    return [
        entry.event
        for entry in entries
        if isinstance(entry.event, Result) and entry.subject.author == entry.event.agent
    ]


def _assigned(entries: Iterable[Entry], result: Result) -> Assigned | None:
    wanted = (result.task, result.attempt, result.agent)
    for entry in entries:
        event = entry.event
        if isinstance(event, Assigned) and (event.task, event.attempt, event.agent) == wanted:
            return event.model_copy(update={"deadline": time.time() + TIME})
    return None
