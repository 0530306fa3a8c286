"""Re-execution: run the skills of a recorded run again, with recorded answers instead of models and tools."""

import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import aclosing
from typing import NamedTuple

from hustings.bus import Bus
from hustings.protocols import Asked, Assigned, Called, Entry, Result

from ..skills.attempt import Attempts
from ..skills.journal import Journal
from ..skills.specialist import Specialist

TIME = 300.0  # seconds for a task, which only computes: every answer is recorded


class ReExecuted(NamedTuple):
    """The result for a task. `same`: it gave the recorded answer again; else `because` says what it gave."""

    task: str
    agent: str
    attempt: int
    calls: int
    same: bool
    because: str = ""


async def re_execute(bus: Bus, run: str, specialists: Mapping[str, Specialist]) -> AsyncIterator[ReExecuted]:
    """Run again each answered task that called models, tools or other agents, if its specialist is given.

    Nothing is appended; a call without a record is a ReplayMismatch, whose text is in `because`. Tasks without recorded
    calls are left out. A skill whose answer depends on chance or time gives another one.
    """
    async with aclosing(bus.log.read(run)) as log:
        entries = [entry async for entry in log]
    calls = [entry.event for entry in entries if isinstance(entry.event, Asked | Called)]
    for result in _results(entries):
        made = sum((c.task, c.agent) == (result.task, result.agent) for c in calls)
        assigned = _assigned(entries, result)
        if made and assigned and result.agent in specialists:
            journal = Journal.of(bus, entries, agent=result.agent, task=result.task, attempt=result.attempt)
            again = await Attempts(specialists[result.agent], bus).attempt(run, assigned, journal)
            same = isinstance(again, Result) and again.output == result.output
            why = "" if same else "another answer" if isinstance(again, Result) else again.because
            yield ReExecuted(result.task, result.agent, result.attempt, made, same, why)


def _results(entries: Iterable[Entry]) -> list[Result]:
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
            return event.model_copy(update={"deadline": time.time() + TIME, "timeout": None})
    return None
