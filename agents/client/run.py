"""Run: a client's handle of one run: waits for its outcome, follows it, cancels it."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Generic

from typing_extensions import TypeVar

from hustings.bus import Bus
from hustings.protocols import COORDINATOR, Cancelled, Concluded, Entry, NotFound, Outcome

from ..decider.folding import evolve
from ..decider.state import RunState
from ..history.run_report import RunReport, RunStatus, outcome_of, report

OutcomeT = TypeVar("OutcomeT", bound=Outcome, default=Outcome, covariant=True)


class Run(Generic[OutcomeT]):
    """One run of a team, under way or ended; `id` is its id. Any number of clients may have a handle of it."""

    def __init__(self, bus: Bus, id: str, outcome: type[OutcomeT], *, client: str) -> None:
        self.id = id
        self._bus = bus
        self._outcome = outcome
        self._client = client

    def __str__(self) -> str:
        return self.id

    async def outcome(self, *, partial: bool = False) -> OutcomeT:
        """Wait for the end of the run, and give its outcome.

        Raises RunFailed, RunCancelled, RunUndecided; RunPartial if agents were missing, unless `partial` accepts an
        outcome that is whole without them; Unproved if a proof in the outcome does not hold; Unreadable if it is not of
        this type; and NotFound.
        """
        return outcome_of(await self.wait(), self._outcome, partial=partial)

    async def wait(self) -> RunReport:
        """Wait for the end of the run, however it ends, and give its report. Raises NotFound."""
        state = await self.state()
        if not state.concluded:
            await _fold(state, self.follow(state.seq))
        return report(self._bus.team, state)

    async def status(self) -> RunStatus:
        """The status of the run now. Raises NotFound."""
        return (await self.report()).status

    async def report(self) -> RunReport:
        """The report of the run as its log is now. Raises NotFound."""
        return report(self._bus.team, await self.state())

    async def state(self) -> RunState:
        """Fold the log of the run as it is now. Raises NotFound."""
        state = RunState(self.id)
        await _fold(state, self._bus.log.read(self.id))
        if state.goal is None:
            raise NotFound(f"there is no run {self.id} of team {self._bus.team}")
        return state

    async def follow(self, after: int = 0) -> AsyncGenerator[Entry, None]:
        """Every entry of the run behind the sequence `after`, as it comes, up to the conclusion."""
        async with aclosing(self._bus.log.follow(self.id, after)) as entries:
            async for entry in entries:
                yield entry
                if isinstance(entry.event, Concluded) and entry.subject.author == COORDINATOR:
                    return

    async def cancel(self, because: str = "") -> int:
        """Cancel the run; gives the position of this on the log. The coordinator's next event ends the run."""
        return await self._bus.log.cancel(self.id, Cancelled(by=self._client, because=because), client=self._client)


async def _fold(state: RunState, entries: AsyncGenerator[Entry, None]) -> None:
    async with aclosing(entries):
        async for entry in entries:
            evolve(state, entry)
