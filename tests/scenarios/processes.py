"""The command line as its user has it: processes in folders of their own, whose output is read line by line."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE
from typing import Any
from uuid import uuid4

import anyio
from anyio.abc import ByteReceiveStream, Process, TaskStatus

from hustings.agents import Client
from hustings.bus import Bus, find_embedded, open_bus
from hustings.bus.broker.server import process_exited
from hustings.protocols import Progress

from . import court

PATIENCE = 300.0  # seconds: long enough for any machine, and there only so that nothing hangs for ever
MARK = "HUSTINGS_SCENARIO"  # in the environment of all that a scenario starts, so that what is left of it can be found
TEXT = "alpha\nbeta\nfatal\n"
OUTSIDER = '''\
from hustings.agents import Specialist
from hustings.protocols import Claim, Goal, Testimony

class Case(Goal, contract="court.Case.v1"):
    hold: tuple[str, ...] = ()

class Findings(Testimony, contract="court.Findings.v1"): ...

outsider = Specialist("outsider", "knows better")

@outsider.skill
def know(case: Case) -> Findings:
    return Findings(claims=(Claim(about="weather", value="fine"), Claim(about="lines", value=4)))
'''  # fmt: skip


@dataclass(frozen=True)
class Said:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> list[str]:
        """The three lines of an error."""
        rows = self.err.splitlines()
        begin = next((number for number, row in enumerate(rows) if row.startswith("error: ")), len(rows))
        return rows[begin : begin + 3]


@dataclass
class Running:
    """A command at work. `rows` has every line it said on stderr so far, `said` what is on stdout."""

    process: Process
    rows: list[str] = field(default_factory=list)
    said: bytearray = field(default_factory=bytearray)
    news: anyio.Event = field(default_factory=anyio.Event)
    ended: bool = False

    @property
    def pid(self) -> int:
        return self.process.pid

    async def until(self, words: str, seconds: float = PATIENCE) -> str:
        """Wait for a line that has these words in it, and give it."""
        seen = 0
        with anyio.move_on_after(seconds):
            while True:
                for row in self.rows[seen:]:
                    seen += 1
                    if words in row:
                        return row
                if self.ended:
                    break
                await self.news.wait()
        raise AssertionError(f"never said {words!r}:\n" + "\n".join(self.rows))

    async def end(self, seconds: float = PATIENCE) -> Said:
        """Wait for its end."""
        try:
            with anyio.fail_after(seconds):
                await self.process.wait()
                while not self.ended:
                    await self.news.wait()
        except TimeoutError:
            raise AssertionError("did not end:\n" + "\n".join(self.rows)) from None
        return Said(self.process.returncode or 0, self.said.decode(), "\n".join(self.rows))

    async def _listen(self) -> None:
        async with anyio.create_task_group() as group:
            for stream, into in ((self.process.stdout, self.said), (self.process.stderr, bytearray())):
                assert stream is not None
                group.start_soon(self._read, stream, into)
        self.ended = True
        self._tell()

    async def _read(self, stream: ByteReceiveStream, into: bytearray) -> None:
        async for chunk in stream:
            into += chunk
            if stream is self.process.stderr:
                *rows, rest = into.split(b"\n")
                self.rows += [row.decode() for row in rows]
                into[:] = rest
            self._tell()

    def _tell(self) -> None:
        self.news.set()
        self.news = anyio.Event()


class Place:
    """A folder with the module `court` in it, in the environment of a user who has nothing but hustings."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stdin = subprocess.DEVNULL
        folder.mkdir(exist_ok=True)
        for name in ("home", "runtime"):
            (folder / name).mkdir(exist_ok=True)
        shutil.copy(court.__file__, folder / "court.py")
        (folder / "text").write_text(TEXT)
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR", "PYTHONPATH") if name in os.environ}
        self.env = {
            **kept,
            "HOME": str(folder / "home"),
            "XDG_RUNTIME_DIR": str(folder / "runtime"),
            "HUSTINGS_DURABILITY": "process",
            MARK: str(uuid4()),
        }

    @property
    def home(self) -> Path:
        """Where `hustings` keeps what it has to keep."""
        return self.folder / ".hustings"

    @property
    def url(self) -> str:
        """The broker that runs here."""
        url = find_embedded(self.home)
        assert url
        return url

    @property
    def store(self) -> Path:
        """Where an embedded broker would keep what is said."""
        return self.home / "store"

    def another(self, name: str) -> "Place":
        """Another folder of the same user."""
        place = Place(self.folder / name)
        place.env = self.env
        return place

    @asynccontextmanager
    async def hustings(self, *args: str, **env: str) -> AsyncIterator[Running]:
        """Run a command while the block runs; then it is told to stop, unless it has ended."""
        command = [sys.executable, "-m", "hustings.agents.cli", *args]
        async with await anyio.open_process(
            command, stdin=self.stdin, stdout=PIPE, stderr=PIPE, cwd=self.folder, env=self.env | env
        ) as process:
            running = Running(process)
            async with anyio.create_task_group() as group:
                group.start_soon(running._listen)
                try:
                    yield running
                finally:
                    with anyio.CancelScope(shield=True):
                        await _stop(process)

    async def call(self, *args: str, seconds: float = PATIENCE, **env: str) -> Said:
        """Run a command to its end."""
        async with self.hustings(*args, **env) as running:
            return await running.end(seconds)

    @asynccontextmanager
    async def up(self, target: str = "court:team", *args: str) -> AsyncIterator[Running]:
        """A team that is up, with nobody missing."""
        async with self.hustings("up", target, *args) as running:
            await running.until("is up: coordinator and")
            yield running

    def pids(self, team: str = "court") -> dict[str, int]:
        """The processes of the team's parts, by name."""
        return {child["name"]: child["pid"] for child in self.children(team) if child["pid"]}

    def children(self, team: str = "court") -> list[dict[str, Any]]:
        """What the supervisors of the team say of their children."""
        records = self.home.glob(f"up-{team}.*.json")
        return [child for record in records for child in json.loads(record.read_text())["children"]]

    async def all_gone(self) -> None:
        """Nothing that was started here is left, or it ends by itself."""
        with anyio.fail_after(PATIENCE):
            for pid in self.left():
                await process_exited(pid)
        assert not list(self.left())

    def left(self) -> Iterator[int]:
        """The processes that run here."""
        mark = f"{MARK}={self.env[MARK]}".encode()
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and mark in (entry / "environ").read_bytes():
                    yield int(entry.name)
            except OSError:  # ended meanwhile, or somebody else's
                continue


async def _stop(process: Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGTERM)  # Process.terminate() may reap it, and its exit code would be lost
        with anyio.move_on_after(PATIENCE / 3):
            await process.wait()
            return
        process.kill()


@asynccontextmanager
async def nats_server(folder: Path, config: str) -> AsyncIterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """HOST:PORT and the process of a nats-server that somebody started by hand."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with _server(folder, f'listen: "127.0.0.1:{port}"\n{config}') as server:
        with anyio.fail_after(PATIENCE):
            await _listening(port)
        yield f"127.0.0.1:{port}", server


@contextmanager
def _server(folder: Path, config: str) -> Iterator["subprocess.Popen[bytes]"]:
    folder.mkdir(exist_ok=True)
    (folder / "nats.conf").write_text(config)
    binary = Path(sysconfig.get_path("scripts")) / "nats-server"
    with (folder / "nats.log").open("wb") as log:
        server = subprocess.Popen([binary, "-c", folder / "nats.conf"], stdout=log, stderr=log)
    try:
        yield server
    finally:
        server.kill()
        server.wait()


async def _listening(port: int) -> None:
    while True:
        try:
            async with await anyio.connect_tcp("127.0.0.1", port):
                return
        except OSError:
            await anyio.sleep(0.01)


class Held:
    """Follows who says that it waits at its gate, and in which process."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.said: list[Progress] = []
        self._news = anyio.Event()

    async def at(self, run: str, agent: str) -> int:
        """The process in which this agent waits in this run."""
        return int((await self.until(lambda each: (each.run, each.agent) == (run, agent))).says)

    async def until(self, fits: Callable[[Progress], bool]) -> Progress:
        with anyio.fail_after(PATIENCE):
            while True:
                for each in self.said:
                    if fits(each):
                        return each
                await self._news.wait()

    async def listen(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        async with self.bus.live.watch() as live:
            task_status.started()
            async for each in live:
                if isinstance(each, Progress):
                    self.said.append(each)
                    self._news.set()
                    self._news = anyio.Event()


@asynccontextmanager
async def following(place: Place, team: str = "court") -> AsyncIterator[tuple[Client, Held]]:
    """A client of a team that is up."""
    async with open_bus(place.url, team, name="client") as bus, anyio.create_task_group() as group:
        held = Held(bus)
        await group.start(held.listen)
        yield Client(bus), held
        group.cancel_scope.cancel()
