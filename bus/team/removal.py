"""Removal: runs go from the log, and with them the blobs that nothing else names: mark and sweep, as in garbage
collection.

A blob is stored first, and then the event that names it. So what nothing names may still be named, and is left alone
while it is young: put within the last hour, or within the last day and after the oldest run under way was asked for.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from time import time
from typing import NamedTuple

from hustings.protocols import GoalAsked, NotFound, Subject, Subjects, UsageError, parse, timing

from ..client.jetstream import Arrived
from ..client.ordered_consumer import read
from .bus import Bus
from .log import RunHead
from .object_store import StoredBlob, digests_in


@dataclass
class Footprint:
    """What a run has on the log: messages, their bytes without what the broker adds, the digests that they name, and
    when the last one came. `asked`: its goal is there."""

    messages: int = 0
    bytes: int = 0
    named: set[str] = field(default_factory=set)
    last: float = 0.0
    asked: bool = False

    def note(self, subject: Subject, message: Arrived) -> None:
        self.messages += 1
        self.bytes += len(message.subject) + len(message.data)
        self.named |= digests_in(message.data)
        self.last = message.time
        self.asked = self.asked or subject.kind == "goal"


class Removal(NamedTuple):
    """What goes, as the log was up to the sequence `up_to`.

    `late`: messages that came after their run was removed, by run. `blobs`: nothing that remains names them. `young`:
    the same, but something may name them yet, so they stay.
    """

    runs: Mapping[str, Footprint]
    late: Mapping[str, Footprint]
    blobs: Sequence[StoredBlob]
    young: Sequence[StoredBlob]
    up_to: int


class Survey:
    """What a team has stored: its runs, the newest first, what each has on the log, and the blobs."""

    def __init__(self, bus: Bus, heads: Sequence[RunHead], blobs: Sequence[StoredBlob]) -> None:
        self.heads = {head.run: head for head in heads}
        self.runs: dict[str, Footprint] = {}
        self.blobs = blobs
        self._bus = bus
        self._rest = Footprint()  # what belongs to no run
        self._last = 0

    def note(self, message: Arrived, *, in_run: bool) -> None:
        """Count one message of the log."""
        subject = parse(message.subject)
        of = self.runs.setdefault(subject.run, Footprint()) if in_run else self._rest
        of.note(subject, message)
        self._last = message.seq

    async def removal(self, runs: Collection[str], *, force: bool = False) -> Removal:
        """What goes with these runs. Reads all blobs, if some of them may go.

        Raises NotFound: there is no such run; UsageError: a run is under way, unless by `force` nobody drives it.
        """
        for run in runs:
            _check(run, self.heads.get(run), force=force)
        going, bound = {*runs}, self._bound()
        kept = await self._reached(
            self._rest.named.union(*(of.named for run, of in self.runs.items() if run not in going))
        )
        unnamed = [blob for blob in self.blobs if blob.digest not in kept]
        return Removal(
            runs={run: self.runs.get(run, Footprint()) for run in runs},
            late={run: of for run, of in self.runs.items() if not (of.asked or run in going) and of.last < bound},
            blobs=[blob for blob in unnamed if blob.time < bound],
            young=[blob for blob in unnamed if blob.time >= bound],
            up_to=self._last,
        )

    def _bound(self) -> float:
        """Whoever put a blob before this time has named it by now."""
        now = time()
        began = min((head.asked.time for head in self.heads.values() if under_way(head)), default=now)
        return max(began - timing.BLOB_UNNAMED, now - timing.BLOB_OF_RUN)

    async def _reached(self, named: set[str]) -> set[str]:
        """These digests, those that stand in the blobs of these digests, and so on."""
        if all(blob.digest in named for blob in self.blobs):
            return named
        inside, chunks = await self._bus.blobs.named(), {blob.digest: blob.chunks for blob in self.blobs}
        ahead = [*named]
        while ahead:
            more = inside.get(chunks.get(ahead.pop(), ""), set()) - named
            named |= more
            ahead += more
        return named


def under_way(head: RunHead) -> bool:
    """True if the run has not ended. A run whose goal cannot be read is none: nobody drives it."""
    return head.concluded is None and isinstance(head.asked.event, GoalAsked)


async def survey(bus: Bus) -> Survey:
    """Look what a team has stored. Reads the whole log; changes nothing. Raises what reading the log raises."""
    blobs = await bus.blobs.stored()  # before the log: whoever names one of them later has made it young again
    found, subjects = Survey(bus, await bus.log.runs(), blobs), Subjects(bus.team)
    ours = subjects.log().removesuffix(">")
    async with aclosing(read(bus.connection, subjects.stream(), subjects.stored())) as messages:
        async for message in messages:
            found.note(message, in_run=message.subject.startswith(ours))
    return found


async def remove(bus: Bus, removal: Removal) -> None:
    """Remove what was planned. If it is interrupted, the next removal takes what is left."""
    for run in (*removal.runs, *removal.late):
        await bus.log.delete(run, up_to=removal.up_to)
    for blob in removal.blobs:
        await bus.blobs.delete(blob)


def _check(run: str, head: RunHead | None, *, force: bool) -> None:
    if head is None:
        raise NotFound(f"there is no run {run}")
    if under_way(head) and not force:
        hint = f"Cancel it first, `hustings cancel {run}`, or wait until it has ended."
        raise UsageError(f"run {run} is under way", "only runs that have ended are removed", hint)
