"""Housekeeping: tells when the log fills up, and removes ended runs as the team has laid down."""

import time
from collections.abc import Callable, Iterable

import anyio

from hustings.bus import NEARLY_FULL, Bus, RunHead, Usage, remove, survey
from hustings.protocols import COORDINATOR, BusError, Denied, Heartbeat, timing

from ..decider.policy import TeamSettings
from ..history.retention import expired, making_room
from ..observe.logger import structlog

ROOM = 0.6  # of the log; if it discards old runs, it is brought below this
TRY = "hustings rm --older 30d"


class Housekeeper:
    """Looks after the log of a team, beside the runs.

    Of several coordinators the first by name that is alive does it. If two do, no harm is done: to remove an ended run
    twice is to remove it once.
    """

    def __init__(
        self, bus: Bus, settings: TeamSettings, instance: str, present: Callable[[], Iterable[Heartbeat]] = tuple
    ) -> None:
        """`present` gives the last heartbeat of each process that is alive."""
        self._bus = bus
        self._settings = settings
        self._instance = instance
        self._present = present
        self._told = 0.0
        self._next = 0.0
        self._log = structlog.get_logger()

    async def keep(self) -> None:
        """Look again and again, until cancelled, or until the broker does not allow it."""
        while True:
            try:
                if self.acting():
                    await self.look()
            except Denied as error:
                self._log.warning("this coordinator may not look after the log", why=str(error))
                return
            except BusError as error:
                self._log.warning("could not look after the log, trying again later", why=str(error))
            await anyio.sleep(timing.HOUSEKEEPING)

    async def look(self) -> None:
        """Look once."""
        usage = await self._bus.log.usage()
        self._tell(usage)
        filling = bool(usage.level) and self._settings.discard == "old"
        if filling or (self._limited() and time.monotonic() >= self._next):
            self._next = time.monotonic() + timing.RETENTION_CHECK
            heads = await self._bus.log.runs()
            if self._expired(heads) or (filling and _ended(heads)):
                await self._remove(usage, filling=filling)

    def acting(self) -> bool:
        """True if this coordinator is the one that does it."""
        others = (heartbeat.instance for heartbeat in self._present() if heartbeat.agent == COORDINATOR)
        return self._instance <= min(others, default=self._instance)

    def _limited(self) -> bool:
        return self._settings.retention is not None or self._settings.max_runs is not None

    def _expired(self, heads: Iterable[RunHead]) -> set[str]:
        settings = self._settings
        return expired(_ended(heads), time.time(), older=settings.retention, keep=settings.max_runs)

    def _tell(self, usage: Usage) -> None:
        """Once for each level that is reached."""
        if usage.level > self._told:
            goals = " and takes no new goals" if usage.level == NEARLY_FULL else ""
            says = f"the log is {usage.share:.0%} full{goals}"
            self._log.warning(says, bytes=usage.bytes, limit=usage.limit, **self._way_out())
        self._told = usage.level

    def _way_out(self) -> dict[str, str]:
        return {"discards": "the runs that ended first"} if self._settings.discard == "old" else {"try": TRY}

    async def _remove(self, usage: Usage, *, filling: bool) -> None:
        found = await survey(self._bus)
        going = self._expired(found.heads.values())
        if filling:
            sizes = {run: of.bytes for run, of in found.runs.items()}
            surplus = 1 - ROOM / usage.share  # of what is there; the broker adds some bytes to each message
            going |= making_room(_ended(found.heads.values()), sizes, surplus * sum(sizes.values()))
        if going:
            removal = await found.removal(going)
            await remove(self._bus, removal)
            self._log.info("removed ended runs", runs=len(removal.runs), blobs=len(removal.blobs))


def _ended(heads: Iterable[RunHead]) -> dict[str, float]:
    """When each run ended, but for those that ended just now."""
    before = time.time() - timing.ENDED_KEPT
    ended = {head.run: head.concluded.time for head in heads if head.concluded}
    return {run: moment for run, moment in ended.items() if moment < before}
