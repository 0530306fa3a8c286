"""The world of one seed: a team's processes over the model, what goes wrong with them, and how it is found out.

Everything but the broker and the clock is the real code. `simulate(seed)` builds the world, asks for runs, lets the
faults come that the seed says, heals, waits for the ends, drains, and gives the `History`, which `tests.simulation.
checks` judges.
"""

import gc
import logging
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import cast

import anyio
import structlog
from pydantic import JsonValue

from hustings.agents import Client, Specialist, Team, Worker, coordinate
from hustings.bus import Connection, connect, failpoint, open_bus
from hustings.protocols import AlreadyThere, Assigned, BusError, Entry, Unanswered, open_envelope, parse

from . import teams
from .loop import Place, VirtualLoop, rebound, virtual
from .server import Faults, Kept, Line, Server, Word, attach

TROUBLE = 6.0  # seconds during which things go wrong
ENOUGH = 40.0  # seconds after the last fault in which every run must have ended
FICKLE = 0.2  # how likely a client is to withdraw its run
HICCUPS = 0.1  # how likely a piece of work is to fail meanwhile
PROMPT = 0.5  # seconds within which a delivery arrives where nothing is wrong
DRAIN = 5.0  # seconds after the ends in which late things may still come


@dataclass
class History:
    """What one seed came to: the log, and what the processes believed."""

    seed: int
    team: Team
    log: list[Kept] = field(default_factory=list)
    asked: dict[str, set[str]] = field(default_factory=dict)  # run -> clients whose ask was accepted
    told: list[tuple[str, dict[str, JsonValue]]] = field(default_factory=list)  # points that were reached
    effects: list[tuple[str, str, int]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)  # that should not have been said
    faults: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)  # runs without an end
    begun_again: list[str] = field(default_factory=list)  # although it was settled
    upto: int = 0

    def digest(self) -> str:
        """Equal for equal histories."""
        return sha256(repr((self.log, self.told, self.faults, self.effects)).encode()).hexdigest()

    @cached_property
    def by_run(self) -> dict[str, list[Entry]]:
        runs: dict[str, list[Entry]] = {}
        for each in map(entry, self.log):
            runs.setdefault(each.subject.run, []).append(each)
        return runs

    def entries(self, run: str) -> list[Entry]:
        return self.by_run[run]


def entry(kept: Kept) -> Entry:
    return Entry(kept.seq, parse(kept.subject), kept.time, open_envelope(kept.data))


class Process:
    """Something that runs under a name, is killed, and starts again as another instance."""

    def __init__(self, world: "World", name: str, main: Callable[[str], Awaitable[None]]) -> None:
        self.world = world
        self.name = name
        self.place = Place(name)
        self.instances = 0
        self._main = main
        self._down = 0.3
        self._scope: anyio.CancelScope | None = None

    @property
    def lines(self) -> list[Line]:
        return [line for line in self.world.server.lines if line.place is self.place]

    async def run(self) -> None:
        while True:
            self.instances += 1
            with anyio.CancelScope() as self._scope:
                await self._live(f"{self.name}-{self.instances}")
            self._scope = None
            await anyio.sleep(self._down)
            self._down = 0.3

    async def _live(self, instance: str) -> None:
        try:
            await self._main(instance)
        except* BusError as errors:  # it would end with exit code 1, and be started again
            self.world.note(f"{instance} ends: {errors.exceptions[0]}")

    def kill(self, down: float) -> None:
        if self._scope is None or self._scope.cancel_called:
            return
        self.world.note(f"kill {self.name}-{self.instances} for {down:.2f} s")
        self._down = down
        self._scope.cancel()
        for line in self.lines:
            line.kill()
        self.place.resume(self.world.loop)

    def pause(self, seconds: float) -> None:
        """SIGSTOP, and SIGCONT after a while. What it had said just before may still be under way."""
        if self.place.paused:
            return
        self.world.note(f"pause {self.name} for {seconds:.2f} s")
        self.place.paused = True
        if self.world.random.random() < 0.5:
            self.stall(seconds)
        self.world.server.at(self.world.loop.now + seconds, self.place.resume, self.world.loop)

    def stall(self, seconds: float) -> None:
        self.world.note(f"stall {self.name} for {seconds:.2f} s")
        for line in self.lines:
            line.stall(seconds)

    def cut(self, seconds: float) -> None:
        self.world.note(f"cut {self.name} for {seconds:.2f} s")
        for line in self.lines:
            line.cut(seconds)


class World:
    """One seed's world."""

    def __init__(self, seed: int, loop: VirtualLoop) -> None:
        self.loop = loop
        self.random = random.Random(seed)
        self.team = self.random.choice((teams.sums, teams.sums, teams.doubts))
        self.history = History(seed, self.team)
        self.history.upto = self.random.randint(2, 5) if self.team is teams.sums else self.random.randint(2, 3)
        self.server = Server(loop, Faults(random.Random(f"faults {seed}")))
        self.server.audit = self._audit
        self.processes = self._staff()
        self.clients = [Process(self, name, self._client) for name in ("una", "vic")]
        self._busy = {client.name for client in self.clients}
        self._settled_when_taken: dict[tuple[str, int], bool] = {}
        self._luck = random.Random(f"luck {seed}")
        self.fatal: tuple[str, str] | None = None  # the process that dies when it next reaches the point
        teams.sink.__init__(self._pace, self._fails)  # type: ignore[misc]

    def note(self, what: str) -> None:
        self.history.faults.append(f"{self.loop.now:7.3f} {what}")

    def _pace(self) -> float:
        return self.random.random() ** 3 * 4.0

    def _fails(self) -> bool:
        return self.loop.now < TROUBLE and self._luck.random() < HICCUPS

    # who is there

    def _staff(self) -> list[Process]:
        names = [f"c{n}" for n in range(self.random.choice((2, 2, 2, 3)))]
        staff = [Process(self, name, self._coordinator) for name in names]
        for specialist in self.team.specialists:
            replicas = 2 if specialist is teams.ann else self.random.choice((1, 1, 1, 2))
            serve = self._specialist(specialist)
            staff += [Process(self, f"{specialist.name}{replica}", serve) for replica in range(replicas)]
        return staff

    async def _coordinator(self, instance: str) -> None:
        async with open_bus(instance, self.team.name, name=instance) as bus:
            await coordinate(bus, self.team.policy(), instance=instance)

    def _specialist(self, specialist: Specialist) -> Callable[[str], Awaitable[None]]:
        async def serve(instance: str) -> None:
            async with open_bus(instance, self.team.name, name=instance) as bus:
                await Worker(specialist, bus, instance=instance).serve()

        return serve

    async def _client(self, instance: str) -> None:
        """Ask for a run; of one that another client asks for as well, one of them gets it."""
        name = instance.partition("-")[0]
        async with open_bus(instance, self.team.name, name=instance) as bus:
            client = Client(bus, name)
            run = self.random.choice(("r1", "r2"))
            await anyio.sleep(0.5 + self.random.random() * 2)
            with suppress(AlreadyThere):
                await _insist(lambda: client.ask(teams.Count(upto=self.history.upto), run=run))
                self.history.asked.setdefault(run, set()).add(name)
                if self.random.random() < FICKLE:
                    await anyio.sleep(self.random.random() * 6)
                    await _insist(lambda: client.run(run).cancel())
            self._busy.discard(name)
            await anyio.sleep_forever()

    # what goes wrong

    async def trouble(self) -> None:
        """Faults at moments of chance, one after the other, some together."""
        self.server.faults.delay = self.random.choice((0.001, 0.01, 0.1))
        self.server.faults.lose = self.random.choice((0.0, 0.01, 0.05))
        self.server.faults.repeat = self.random.choice((0.0, 0.0, 0.05))
        for moment in sorted(0.6 + self.random.random() * TROUBLE for _ in range(self.random.randint(1, 7))):
            await anyio.sleep(max(0.0, moment - self.loop.now))
            self._harm()
        await anyio.sleep(max(0.0, TROUBLE - self.loop.now))
        await self._heal()

    def _harm(self) -> None:
        kind = self.random.choice(("kill", "kill", "fatal", "pause", "pause", "stall", "cut", "broker"))
        busiest = [each for each in self.processes if each.name[0] in "abc"]  # ann, bob, coordinators
        somebody = self.random.choice(self.processes + busiest)
        seconds = self.random.random() * 7
        if kind == "broker":
            self.note(f"kill the broker for {seconds / 2:.2f} s")
            if self.server.up:
                self.server.stop(seconds / 2)
        elif kind == "fatal":
            point = self.random.choice(FATAL)
            self.note(f"{somebody.name} shall die at {point}")
            self.fatal = somebody.name, point
        else:
            getattr(somebody, kind)(seconds)

    async def _heal(self) -> None:
        self.fatal = None
        self.server.faults.__init__(self.server.faults.random)  # type: ignore[misc]
        while not self.server.up or any(process.place.paused for process in self.processes):
            await anyio.sleep(0.1)
        self.note("healed")

    # what is found out

    def failpoint(self, point: str, **detail: JsonValue) -> None:
        """In place of `hustings.bus.failpoint`: what the processes believe, and where one may die."""
        place = Place.here()
        self.history.told.append((point, {"place": place.name if place else "", **detail}))
        if point.startswith("take."):
            self._taken(point, place, detail)
        if self.fatal and place and (place.name, point) == self.fatal:
            self.fatal = None
            process = next(each for each in self.processes if each.place is place)
            process.kill(self.random.random() * 4)

    def _taken(self, point: str, place: Place | None, detail: dict[str, JsonValue]) -> None:
        """What comes again and was settled before the look at the log must not be begun again."""
        key = (place.name if place else "", cast("int", detail["seq"]))
        if point == "take.before":
            kept = self.server.streams[f"LOG_{self.team.name}"].messages[key[1]]
            again = detail["times"] != 1
            self._settled_when_taken[key] = again and self._settled(entry(kept), withdrawn=False)
        elif detail["kept"] and self._settled_when_taken[key]:
            self.history.begun_again.append(f"{key[1]} was settled, and is begun again by {key[0]}")

    def _audit(self, word: Word) -> None:
        """A word is only said by who holds the delivery, and its end only once what came of it is on the log.

        Whoever got a delivery late cannot know how much of its time was over: its words do no harm, and are let be.
        """
        theirs = word.pending.to.startswith(f"_INBOX.{word.line.name}.")
        if word.pending.took_over and not theirs and word.sent > word.pending.since and word.taken_after < PROMPT:
            self._blame(word, "from whom it had been taken")
        if word.says in ("+ACK", "+TERM") and not self._settled(entry(word.kept)):
            self._blame(word, "before anything came of it")

    def _blame(self, word: Word, why: str) -> None:
        self.history.words.append(f"{word.says} for {word.kept.seq} of {word.consumer} by {word.line.name}, {why}")

    def _settled(self, asked: Entry, withdrawn: bool = True) -> bool:
        """The run has ended, the task has its answer, or (if that counts) somebody has withdrawn the run."""
        stream = self.server.streams[f"LOG_{self.team.name}"]
        run = f"hustings.{self.team.name}.run.{asked.subject.run}"
        if stream.last_on(f"{run}.coordinator.event.concluded"):
            return True
        if not isinstance(task := asked.event, Assigned):
            return False
        answer = f"{run}.{task.agent}.result.{task.task}.{task.attempt}"
        return bool(stream.last_on(answer) or (withdrawn and stream.last_on(f"{run}.*.cancel")))

    def ended(self) -> bool:
        concluded = {parse(kept.subject).run for kept in self._log() if kept.subject.endswith("event.concluded")}
        goals = {parse(kept.subject).run for kept in self._log() if parse(kept.subject).kind == "goal"}
        return not self._busy and goals <= concluded

    def _log(self) -> list[Kept]:
        name = f"LOG_{self.team.name}"
        return self.server.log(name) if name in self.server.streams else []

    async def run(self) -> History:
        async with anyio.create_task_group() as group:
            for process in (*self.processes, *self.clients):
                group.start_soon(_within, process)
            await self.trouble()
            with anyio.move_on_after(ENOUGH):
                while not self.ended():
                    await anyio.sleep(0.25)
            if not self.ended():
                self.history.late = ["some run has no end"]
            else:
                await anyio.sleep(DRAIN)
            for process in (*self.processes, *self.clients):
                process.kill(1e9)
            group.cancel_scope.cancel()
        self.history.log = self._log()
        self.history.effects = teams.sink.effects
        return self.history


async def _insist(act: Callable[[], Awaitable[object]]) -> None:
    """Do it again for as long as the broker does not answer."""
    while True:
        try:
            await act()
            return
        except Unanswered:
            await anyio.sleep(0.5)


FATAL = (
    "fold.after", "append.before", "append.between", "append.after", "take.before", "take.after", "answer.before",
    "answer.after", "ack.before", "ack.after", "back.after",
)  # fmt: skip


async def _within(process: Process) -> None:
    process.place.enter()
    await process.run()


def simulate(seed: int) -> History:
    """The history of a seed. Whatever goes wrong in the simulation itself is raised, with the seed."""
    loop = VirtualLoop()
    gc.disable()  # its rhythm costs a fifth
    try:
        with ExitStack() as stack:
            world = World(seed, loop)
            stack.enter_context(virtual(loop, seed))
            stack.enter_context(_model(world))
            history = loop.run_until_complete(world.run())
    except Exception as error:
        error.add_note(f"in seed {seed}")
        raise
    finally:
        gc.enable()
        loop.close()
        if loop.raised:  # instead of what came of it, which is its context
            raise BaseExceptionGroup(f"the simulation itself failed in seed {seed}", loop.raised)
    return history


@contextmanager
def _model(world: World) -> Iterator[None]:
    """While the block runs, hustings connects to the model, tells the world which points it reaches, logs nothing."""

    def model(url: str, *, name: str) -> AbstractAsyncContextManager[Connection]:
        return attach(world.server, name)

    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        with rebound({connect: model, failpoint: world.failpoint}):
            yield
    finally:
        structlog.configure(**before)
