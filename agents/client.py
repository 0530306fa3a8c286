"""Client: asks a team for runs, follows them, and reads what came out. The verbs are the command line's."""

import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import TypeVar

from moot.bus import Bus, RunHead, open_bus
from moot.protocols import COORDINATOR, Blob, Budget, Cancelled, Concluded, Entry, Goal, GoalAsked, NotFound, token

from .folding import evolve
from .report import Report, report
from .state import RunState

AnyBlob = TypeVar("AnyBlob", bound=Blob)


class Client:
    """Somebody who asks a team for something. Many may do so at once, from anywhere."""

    def __init__(self, bus: Bus, name: str = "client") -> None:
        self.bus = bus
        self.name = token(name, "client's name")

    async def upload(self, path: Path, kind: type[AnyBlob]) -> AnyBlob:
        """Put a file, or a packed folder, where the team can read it. Raises UsageError."""
        blob = await self.bus.blobs.put_path(path)
        return kind.of(blob.plain())

    async def ask(
        self,
        goal: Goal,
        *,
        run: str | None = None,
        patience: float | None = None,
        only: Sequence[str] = (),
        skip: Sequence[str] = (),
        budget: Budget | None = None,
    ) -> str:
        """Ask for a run; gives its id once the broker has stored the goal. Raises AlreadyThere, BusFull.

        `patience` bounds the whole run, in seconds. `only` names the witnesses to be heard, where not all are wanted,
        and `skip` agents that shall take no part. `budget` stands above the team's own.
        """
        run = token(run or new_run(), "run's id")
        asked = GoalAsked(
            type=type(goal).contract,
            goal=goal.plain(),
            by=self.name,
            patience=patience,
            only=tuple(only),
            skip=tuple(skip),
            budget=budget,
        )
        await self.bus.log.ask(run, asked, client=self.name)
        return run

    async def cancel(self, run: str, because: str = "") -> None:
        """Withdraw a run. It ends by the coordinator's next event."""
        await self.bus.log.cancel(run, Cancelled(by=self.name, because=because), client=self.name)

    async def follow(self, run: str, after: int = 0) -> AsyncGenerator[Entry, None]:
        """Every entry of a run, from the first to its conclusion, as they come."""
        async with aclosing(self.bus.log.follow(run, after)) as entries:
            async for entry in entries:
                yield entry
                if isinstance(entry.event, Concluded) and entry.subject.author == COORDINATOR:
                    return

    async def outcome(self, run: str) -> Report:
        """Wait for the end of a run and sum it up."""
        return report(self.bus.team, await _folded(run, self.follow(run)))

    async def state(self, run: str) -> RunState:
        """What the log of a run comes to now. Raises NotFound."""
        state = await _folded(run, self.bus.log.read(run))
        if state.goal is None:
            raise NotFound(f"there is no run {run} of team {self.bus.team}")
        return state

    async def report(self, run: str) -> Report:
        """Sum up a run as far as it is. Raises NotFound."""
        return report(self.bus.team, await self.state(run))

    async def runs(self) -> list[RunHead]:
        """The team's runs, newest first."""
        return await self.bus.log.runs()


@asynccontextmanager
async def connect(url: str, team: str, *, name: str = "client") -> AsyncIterator[Client]:
    """A client of the team at the broker behind `url`. Raises BrokerUnavailable, BadCredentials, BrokerUnfit."""
    async with open_bus(url, team, name=name) as bus:
        yield Client(bus, name)


async def _folded(run: str, entries: AsyncGenerator[Entry, None]) -> RunState:
    state = RunState(run)
    async with aclosing(entries):
        async for entry in entries:
            evolve(state, entry)
    return state


def new_run() -> str:
    """A fresh run id, short enough to type."""
    return f"r{secrets.token_hex(4)}"
