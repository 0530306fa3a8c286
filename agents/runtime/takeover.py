"""Takeover: finds unfinished runs that no coordinator drives, so that this one can take them over."""

import time
from contextlib import suppress
from dataclasses import dataclass

from hustings.bus import Bus
from hustings.protocols import COORDINATOR, Concluded, Denied, Entry, GoalAsked, RunAcquired, Unanswered, timing

from .registry import AgentRegistry


@dataclass
class _Run:
    """An unfinished run: where its goal is on the log, who drives it, and since when, by our own monotonic clock."""

    seq: int
    since: float
    driver: str = ""


class TakeoverMonitor:
    """The unfinished runs and their drivers.

    Heartbeats are only a hint: taking a run from a driver that is alive does no harm, because the fence decides who may
    write.
    """

    def __init__(self, bus: Bus, registry: AgentRegistry) -> None:
        self._bus = bus
        self._registry = registry
        self._runs: dict[str, _Run] = {}
        self._began = time.monotonic()
        self._floor = 0

    def note(self, entry: Entry) -> bool:
        """Note one lifecycle event. True if it ends a run."""
        run, event = entry.subject.run, entry.event
        ours = entry.subject.author == COORDINATOR
        if isinstance(event, GoalAsked) and entry.subject.kind == "goal":
            self._runs.setdefault(run, _Run(entry.seq, time.monotonic()))
        elif isinstance(event, RunAcquired) and ours and run in self._runs:
            self._runs[run].driver = event.instance
        elif isinstance(event, Concluded) and ours:
            return self._runs.pop(run, None) is not None
        return False

    def lives(self, instance: str) -> bool:
        """True if this coordinator instance was heard lately."""
        silence = self._registry.silence(COORDINATOR, instance)
        return silence is not None and silence < timing.COORDINATOR_SILENCE

    async def orphans(self, instance: str) -> list[str]:
        """The runs that no live coordinator drives, or that the log gives to this instance.

        There are none before we have listened long enough to know which coordinators are alive. A goal that nobody has
        begun counts only if the work queue does not hold it either.
        """
        now = time.monotonic()
        if now - self._began < timing.COORDINATOR_SILENCE:
            return []
        begun = [run for run, known in self._runs.items() if known.driver]
        orphans = [run for run in begun if self._runs[run].driver == instance or not self.lives(self._runs[run].driver)]
        latest = now - timing.UNHELD_GOAL
        unbegun = [run for run, known in self._runs.items() if not known.driver and known.since < latest]
        if unbegun:
            with suppress(Unanswered, Denied):
                self._floor = await self._bus.log.settled_up_to(COORDINATOR)
        return orphans + [run for run in unbegun if run in self._runs and self._runs[run].seq <= self._floor]
