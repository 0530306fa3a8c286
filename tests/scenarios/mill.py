"""A mill: grain is ground piece by piece. Some pieces are stones, on which the first version of the grinder fails."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import anyio

from hustings.agents import Client, Specialist, TaskContext, Team, coordinate
from hustings.agents.testing import serving
from hustings.bus import open_bus
from hustings.protocols import Assigned, Concluded, DeadLetter, Entry, Event, Goal, Message, Outcome, RetryPolicy


class Grain(Goal, contract="mill.Grain.v1"):
    """So many pieces; those of these numbers are stones. Each has a `husk` of so many bytes."""

    pieces: int
    stones: tuple[int, ...] = ()
    husk: int = 0


class Piece(Message, contract="mill.Piece.v1"):
    number: int
    stone: bool
    husk: str = ""


class Flour(Message, contract="mill.Flour.v1"):
    number: int


class Flours(Outcome, contract="mill.Flours.v1"):
    flours: list[Flour]


class Mill:
    """The parts of a mill, each at work as long as its block runs. `ground` has who was given what, in which run."""

    def __init__(self, url: str, name: str, *, attempts: int = 2) -> None:
        self.url = url
        self.name = name
        self.ground: list[tuple[str, int]] = []
        self.stopped: list[tuple[str, int]] = []
        self._news = anyio.Event()
        self.splitting = anyio.Event()
        self.grinding = anyio.Event()
        self.splitting.set()
        self.grinding.set()
        splitter = Specialist("splitter")
        splitter.skill(self.split)
        retry = RetryPolicy(max_attempts=attempts, initial_interval=0.01)
        self.team = Team(name, Grain, Flours, [splitter, self.grinder("1.0.0")], retry=retry)

    async def split(self, grain: Grain) -> list[Piece]:
        await self.splitting.wait()
        return [
            Piece(number=number, stone=number in grain.stones, husk="x" * grain.husk) for number in range(grain.pieces)
        ]

    def grinder(self, version: str, *, max_concurrent_tasks: int = 10) -> Specialist:
        """Up to version 1.0.0 it cannot grind stones."""
        specialist = Specialist("grinder", version=version, max_concurrent_tasks=max_concurrent_tasks)

        @specialist.skill
        async def grind(piece: Piece, context: TaskContext) -> Flour:
            self.ground.append((context.run, piece.number))
            self._tell()
            try:
                await self.grinding.wait()
            except anyio.get_cancelled_exc_class():
                self.stopped.append((context.run, piece.number))
                self._tell()
                raise
            if piece.stone and version == "1.0.0":
                raise ValueError(f"piece {piece.number} is a stone \x1b[31m")
            return Flour(number=piece.number)

        return specialist

    async def until(self, fits: Callable[[], bool]) -> None:
        """Wait until this is so of what was ground or stopped."""
        with anyio.fail_after(300):
            while not fits():
                await self._news.wait()

    def _tell(self) -> None:
        self._news.set()
        self._news = anyio.Event()

    @asynccontextmanager
    async def serving(self, *specialists: Specialist) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for specialist in specialists:
                await stack.enter_async_context(serving(specialist, self.url, self.name))
            yield

    @asynccontextmanager
    async def coordinating(self, instance: str = "c1") -> AsyncIterator[None]:
        with anyio.fail_after(300):
            async with self._coordinating(instance):
                yield

    @asynccontextmanager
    async def _coordinating(self, instance: str) -> AsyncIterator[None]:
        async with open_bus(self.url, self.name, name="coordinator") as bus, anyio.create_task_group() as group:
            await group.start(
                lambda task_status: coordinate(bus, self.team.policy(), instance=instance, task_status=task_status)
            )
            yield
            group.cancel_scope.cancel()

    @asynccontextmanager
    async def working(self, grinder: str = "1.0.0") -> AsyncIterator[None]:
        """All of it, with a grinder of this version."""
        async with self.serving(self.team.specialists[0], self.grinder(grinder)), self.coordinating():
            yield


async def entries(client: Client, run: str) -> list[Entry]:
    return [entry async for entry in client.bus.log.read(run)]


async def heard(client: Client, run: str, kind: type[Event], **fields: object) -> Entry:
    """Wait for an event of this kind with these fields."""
    async for entry in client.bus.log.follow(run):
        event = entry.event
        if isinstance(event, kind) and all(getattr(event, name) == value for name, value in fields.items()):
            return entry
    raise AssertionError("the log ended")


__all__ = ["Assigned", "Concluded", "DeadLetter", "Grain", "Mill", "entries", "heard"]
