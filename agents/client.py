"""Client: asks a team for runs, follows them, and reads what came out. The verbs are the command line's."""

import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import TypeVar

from moot.bus import Bus, RunHead, open_bus
from moot.protocols import COORDINATOR, Blob, Cancelled, Concluded, Entry, Goal, GoalAsked, NotFound, token

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

    async def ask(self, goal: Goal, *, run: str | None = None, patience: float | None = None) -> str:
        """Ask for a run; gives its id once the broker has stored the goal. Raises AlreadyThere, BusFull.

        `patience` bounds the whole run, in seconds.
        """
        run = token(run or new_run(), "run's id")
        asked = GoalAsked(type=type(goal).contract, goal=goal.plain(), by=self.name, patience=patience)
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
        state, last = RunState(run), None
        async with aclosing(self.follow(run)) as entries:
            async for last in entries:
                evolve(state, last)
        return report(self.bus.team, state, last)

    async def state(self, run: str) -> RunState:
        """What the log of a run comes to now. Raises NotFound."""
        state = RunState(run)
        async for entry in self.bus.log.read(run):
            evolve(state, entry)
        if state.goal is None:
            raise NotFound(f"there is no run {run} of team {self.bus.team}")
        return state

    async def report(self, run: str) -> Report:
        """Sum up a run as far as it is. Raises NotFound."""
        state, last = RunState(run), None
        async for entry in self.bus.log.read(run):
            if not state.concluded:
                last = entry
            evolve(state, entry)
        if state.goal is None:
            raise NotFound(f"there is no run {run} of team {self.bus.team}")
        return report(self.bus.team, state, last)

    async def runs(self) -> list[RunHead]:
        """The team's runs, newest first."""
        return await self.bus.log.runs()

    async def resolve(self, name: str) -> str:
        """The run behind an id, a unique prefix of one, or @last. Raises NotFound."""
        runs = [head.run for head in await self.runs()]
        if name == "@last" and runs:
            return runs[0]
        found = [run for run in runs if run == name] or [run for run in runs if run.startswith(name)]
        if len(found) == 1:
            return found[0]
        why = f"it fits {', '.join(found[:5])}" if found else f"team {self.bus.team} has {len(runs)} runs"
        raise NotFound(f"{name} is no run", why)


@asynccontextmanager
async def connect(url: str, team: str, *, name: str = "client") -> AsyncIterator[Client]:
    """A client of the team at the broker behind `url`. Raises BrokerUnavailable, BadCredentials, BrokerUnfit."""
    async with open_bus(url, team, name=name) as bus:
        yield Client(bus, name)


def new_run() -> str:
    """A fresh run id, short enough to type."""
    return f"r{secrets.token_hex(4)}"
