"""Client: asks a team for runs, follows them, and reads what came out. The verbs are the command line's."""

import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from hustings.bus import Bus, RunHead, open_bus
from hustings.protocols import (
    COORDINATOR,
    AlreadyThere,
    Assigned,
    Blob,
    Budget,
    Cancelled,
    Concluded,
    Discarded,
    Entry,
    Goal,
    GoalAsked,
    NotFound,
    UsageError,
    first_error,
    sent,
    token,
)

from ..decider.folding import evolve
from ..decider.state import RunState
from ..history.dead_letters import (
    DeadLetterDetail,
    DeadLetterEntry,
    DeadLetters,
    Redrive,
    assigned_to,
    by_run,
    failures,
)
from ..history.run_report import RunReport, report
from ..observe.telemetry import asking

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
        execution_timeout: float | None = None,
        only: Sequence[str] = (),
        skip: Sequence[str] = (),
        budget: Budget | None = None,
    ) -> str:
        """Ask for a run; gives its id once the broker has stored the goal. Raises AlreadyThere, BusFull,
        and Unsendable: nobody could read the goal as it is.

        `execution_timeout` bounds the whole run, in seconds. `only` names the witnesses to be heard, where not all are
        wanted, and `skip` agents that shall take no part. `budget` stands above the team's own.
        """
        run = token(run or new_run(), "run's id")
        try:
            asked = GoalAsked(
                type=type(goal).__contract__,
                goal=sent(goal),
                by=self.name,
                execution_timeout=execution_timeout,
                only=tuple(only),
                skip=tuple(skip),
                budget=budget,
            )
        except ValidationError as error:
            raise UsageError("this cannot be asked for", first_error(error)) from None
        with asking(self.bus.team, run):
            await self.bus.log.ask(run, asked, client=self.name)
        return run

    async def cancel(self, run: str, because: str = "") -> int:
        """Withdraw a run; gives the place of that on the log. The run ends by the coordinator's next event."""
        return await self.bus.log.cancel(run, Cancelled(by=self.name, because=because), client=self.name)

    async def follow(self, run: str, after: int = 0) -> AsyncGenerator[Entry, None]:
        """Every entry of a run, from the first to its conclusion, as they come."""
        async with aclosing(self.bus.log.follow(run, after)) as entries:
            async for entry in entries:
                yield entry
                if isinstance(entry.event, Concluded) and entry.subject.author == COORDINATOR:
                    return

    async def outcome(self, run: str) -> RunReport:
        """Wait for the end of a run and sum it up."""
        return report(self.bus.team, await _folded(run, self.follow(run)))

    async def state(self, run: str) -> RunState:
        """What the log of a run comes to now. Raises NotFound."""
        state = await _folded(run, self.bus.log.read(run))
        if state.goal is None:
            raise NotFound(f"there is no run {run} of team {self.bus.team}")
        return state

    async def report(self, run: str) -> RunReport:
        """Sum up a run as far as it is. Raises NotFound."""
        return report(self.bus.team, await self.state(run))

    async def runs(self) -> list[RunHead]:
        """The team's runs, newest first."""
        return await self.bus.log.runs()

    # dead letters

    async def dead(self) -> list[DeadLetterEntry]:
        """The team's dead letters, also those that were redriven or discarded, the oldest first."""
        return (await self._letters()).all()

    async def autopsy(self, letter: DeadLetterEntry) -> DeadLetterDetail:
        """All that the log has of a dead letter. Raises NotFound: the message that was dispatched is gone."""
        assigned = await self._assigned(letter)
        kept = await self.bus.log.at(letter.assigned)
        async with aclosing(self.bus.log.read(letter.run)) as entries:
            attempts = await failures(letter, entries)
        return DeadLetterDetail(
            letter=letter, failures=attempts, input=assigned.input, original=kept.data if kept else b""
        )

    async def redrive(
        self, letters: Iterable[DeadLetterEntry], *, execution_timeout: float | None = None
    ) -> list[Redrive]:
        """Do the tasks of dead letters once more, those of each run in a new run; gives the runs that were begun.

        What is redriven or discarded by now is left out, so of two clients that redrive one letter only one does.
        `execution_timeout` bounds each new run, in seconds. Raises NotFound: what was dispatched is gone; BusFull.
        """
        wanted, begun, tried = {letter.id for letter in letters}, list[Redrive](), set[str]()
        while wanted:
            known = await self._letters()
            dead = by_run(letter for letter in known.all() if letter.id in wanted and letter.state == "dead")
            wanted = set()
            for run, group in dead.items():
                new = known.next_run(run)
                if await self._again(new, known.goal(run), group, execution_timeout):
                    begun.append(Redrive(new, run, tuple(letter.task for letter in group)))
                elif new in tried:
                    raise AlreadyThere(f"there is a run {new} already", f"and it does not redrive run {run}")
                else:  # somebody else redrives some of this run's tasks: look again which
                    wanted |= {letter.id for letter in group}
                    tried.add(new)
        return begun

    async def discard(self, letter: DeadLetterEntry, because: str = "") -> None:
        """Nothing more is to be done about a dead letter; it stays on the log."""
        discarded = Discarded(task=letter.task, by=self.name, because=because)
        await self.bus.log.discard(letter.run, discarded, client=self.name)

    async def _letters(self) -> DeadLetters:
        letters = DeadLetters(self.bus.team)
        async with aclosing(self.bus.log.dead_letters()) as entries:
            async for entry in entries:
                letters.take(entry)
        return letters

    async def _again(
        self, run: str, at: int, letters: Sequence[DeadLetterEntry], execution_timeout: float | None
    ) -> bool:
        """Ask for a run that does the letters' tasks. False if there is a run of this id."""
        entry = await self.bus.log.entry_at(at)
        goal = entry.event if entry else None
        if not isinstance(goal, GoalAsked):
            raise NotFound(f"run {letters[0].run} cannot be redriven", "its goal cannot be read any more")
        again = GoalAsked(
            type=goal.type,
            goal=goal.goal,
            by=self.name,
            execution_timeout=execution_timeout,
            budget=goal.budget,
            again=tuple([await self._assigned(letter) for letter in letters]),
            redrives=letters[0].run,
        )
        try:
            with asking(self.bus.team, run):
                await self.bus.log.ask(run, again, client=self.name)
        except AlreadyThere:
            return False
        return True

    async def _assigned(self, letter: DeadLetterEntry) -> Assigned:
        assigned = assigned_to(letter, await self.bus.log.entry_at(letter.assigned))
        if assigned is None:
            raise NotFound(
                f"what was dispatched of {letter.id} is not there",
                f"message {letter.assigned} of the log is gone, or another one",
            )
        return assigned


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
