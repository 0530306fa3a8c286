"""Client: starts runs of a team, and redrives dead letters. Its methods match the command line's verbs."""

import secrets
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Generic, cast

from pydantic import ValidationError
from typing_extensions import TypeVar

from hustings.bus import Bus, Removal, RunHead, open_bus, remove, survey
from hustings.protocols import (
    AlreadyThere,
    Assigned,
    Blob,
    Budget,
    Discarded,
    Goal,
    GoalAsked,
    NotFound,
    Outcome,
    UsageError,
)
from hustings.protocols.subjects import token
from hustings.protocols.validation import first_error
from hustings.protocols.wire import sent

from ..history.dead_letters import (
    DeadLetterDetail,
    DeadLetterEntry,
    DeadLetters,
    Redrive,
    assigned_to,
    by_run,
    failures,
)
from ..observe.telemetry import asking
from .run import OutcomeT, Run

if TYPE_CHECKING:
    from ..team import Team

AnyBlob = TypeVar("AnyBlob", bound=Blob)
GoalT = TypeVar("GoalT", bound=Goal, default=Goal, contravariant=True)


class Client(Generic[GoalT, OutcomeT]):
    """A client of one team. Any number may work at once, from anywhere."""

    def __init__(self, bus: Bus, name: str = "client", *, outcome: type[OutcomeT] | None = None) -> None:
        """`outcome` is the team's; without it only reports tell what came out."""
        self.bus = bus
        self.name = token(name, "client's name")
        self._outcome = outcome or cast("type[OutcomeT]", Outcome)

    async def upload(self, path: Path, kind: type[AnyBlob]) -> AnyBlob:
        """Upload a file, or a packed folder, for the team to read. Raises UsageError."""
        blob = await self.bus.blobs.put_path(path, tracked=kind.tracked)
        return kind.of(blob.plain())

    async def ask(
        self,
        goal: GoalT,
        *,
        run: str | None = None,
        execution_timeout: float | None = None,
        only: Sequence[str] = (),
        skip: Sequence[str] = (),
        budget: Budget | None = None,
    ) -> Run[OutcomeT]:
        """Start a run; gives its handle once the broker has stored the goal.

        Raises AlreadyThere, BusFull, and Unsendable if the goal could not be read back.

        `execution_timeout` bounds the whole run, in seconds. `only` names the witnesses to use, if not all; `skip`
        names agents that take no part. `budget` replaces the team's own.
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
            raise UsageError("the goal cannot be sent", first_error(error)) from None
        with asking(self.bus.team, run):
            await self.bus.log.ask(run, asked, client=self.name)
        return self.run(run)

    def run(self, id: str) -> Run[OutcomeT]:
        """The handle of a run that was started before, here or elsewhere."""
        return Run(self.bus, token(id, "run's id"), self._outcome, client=self.name)

    async def runs(self) -> list[RunHead]:
        """The team's runs, newest first."""
        return await self.bus.log.runs()

    async def remove(self, *runs: str) -> Removal:
        """Remove ended runs, and the blobs that nothing else names; gives what went. Reads the whole log.

        Raises NotFound; UsageError: a run is under way.
        """
        removal = await (await survey(self.bus)).removal(runs)
        await remove(self.bus, removal)
        return removal

    # dead letters

    async def dead(self) -> list[DeadLetterEntry]:
        """The team's dead letters, the oldest first, also those redriven or discarded."""
        return (await self._letters()).all()

    async def autopsy(self, letter: DeadLetterEntry) -> DeadLetterDetail:
        """Everything the log has about a dead letter. Raises NotFound: its last Assigned message is gone."""
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
        """Do the tasks of dead letters once more, those of each run in a new run; gives the runs that it began.

        Dead letters already redriven or discarded are left out, so of two clients that redrive one, only one succeeds.
        `execution_timeout` bounds each new run, in seconds. Raises NotFound: an Assigned message is gone; BusFull.
        """
        wanted, begun, tried = {letter.id for letter in letters}, list[Redrive](), set[str]()
        while wanted:
            known = await self._letters()
            dead = by_run(letter for letter in known.all() if letter.id in wanted and letter.status == "dead")
            wanted = set()
            for run, group in dead.items():
                new = known.next_run(run)
                if await self._again(new, known.goal(run), group, execution_timeout):
                    begun.append(Redrive(new, run, tuple(letter.task for letter in group)))
                elif new in tried:
                    raise AlreadyThere(f"a run {new} already exists", f"and it does not redrive run {run}")
                else:  # another client redrives some of this run's tasks: look again which
                    wanted |= {letter.id for letter in group}
                    tried.add(new)
        return begun

    async def discard(self, letter: DeadLetterEntry, because: str = "") -> None:
        """Mark a dead letter as closed, with nothing more to do; it stays on the log."""
        discarded = Discarded(task=letter.task, by=self.name, because=because)
        await self.bus.log.discard(letter.run, discarded, client=self.name)

    async def _letters(self) -> DeadLetters:
        letters = DeadLetters(self.bus.team)
        async with aclosing(self.bus.log.dead_letters()) as entries:
            async for entry in entries:
                letters.note(entry)
        return letters

    async def _again(
        self, run: str, at: int, letters: Sequence[DeadLetterEntry], execution_timeout: float | None
    ) -> bool:
        """Start a run that does the dead letters' tasks. False if a run of this id exists."""
        entry = await self.bus.log.entry_at(at)
        goal = entry.event if entry else None
        if not isinstance(goal, GoalAsked):
            raise NotFound(f"run {letters[0].run} cannot be redriven", "its goal can no longer be read")
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
                f"the message sent for {letter.id} is not on the log",
                f"message {letter.assigned} of the log is gone, or is another one",
            )
        return assigned


@asynccontextmanager
async def connect(
    team: "Team[GoalT, OutcomeT]", url: str, *, name: str = "client"
) -> AsyncIterator[Client[GoalT, OutcomeT]]:
    """A client of the team at the broker behind `url`. Raises BrokerUnavailable, BadCredentials, BrokerUnfit.

    Who does not have the team's code writes `Team(NAME, goal=..., outcome=...)`, with the messages that it knows.
    """
    async with open_bus(url, team.name, name=name) as bus:
        yield Client(bus, name, outcome=team.outcome)


def new_run() -> str:
    """A fresh run id, short enough to type."""
    return f"r{secrets.token_hex(4)}"
