"""Supervisor: keeps child processes running, and stops them in order. It does not use NATS."""

import os
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from io import FileIO
from subprocess import DEVNULL, STDOUT
from typing import Any, Literal

import anyio
from anyio.abc import Process, TaskGroup, TaskStatus

from hustings.protocols import timing

from ..runtime.process import PARENT, kill_group

LINE = 64 * 1024  # bytes kept of a line
CANNOT_START = 127  # as a shell reports a command that it cannot find
MISUSED = 2  # exit code of a command that cannot use what it was given; a restart changes nothing
PIPE = 64 * 1024  # bytes that a pipe holds (Linux), and so the most that a dead child has left to read

State = Literal["starting", "running", "waiting", "gave up", "stopped"]
OnChange = Callable[[Sequence["Status"]], None]
OnLine = Callable[[str, str], None]
Spawn = Callable[[Sequence[str], Mapping[str, str], int], Awaitable[Process]]


@dataclass(frozen=True)
class Child:
    """A command to keep running; `env` is added to the supervisor's own environment."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Status:
    """The state of a child. `restarts` counts all of them, `exit_code` is of its last process (-9: by signal 9);
    `ready` is whether its process has said that it is ready."""

    name: str
    pid: int | None = None
    state: State = "starting"
    restarts: int = 0
    exit_code: int | None = None
    ready: bool = False


@dataclass(frozen=True)
class _Rules:
    restarts: int
    within: float
    backoff: tuple[float, float]
    grace: float
    ready: Callable[[str], bool]
    spawn: Spawn


async def spawn(argv: Sequence[str], env: Mapping[str, str], output: int) -> Process:
    """Start a command in a session of its own; its stdout and stderr go to `output`. Raises OSError."""
    return await anyio.open_process(argv, stdin=DEVNULL, stdout=output, stderr=STDOUT, env=env, start_new_session=True)


class Supervisor:
    """Starts children in parallel, restarts those that end, and stops them in reverse order.

    `children` is in order of dependence: the first is started first and stopped last. An entry that is itself a
    sequence is a group, stopped together. Any end counts as a failure, exit code 0 too. A child that would need more
    than `restarts` restarts `within` so many seconds is given up, at once if its exit code is 2 (it cannot use what it
    was given), and the others go on; the wait before a restart
    doubles from `backoff[0]` to at most `backoff[1]` seconds. Restarts older than `within` are forgotten, and all of
    them by `forgive`. `on_change` gets every child's Status, in order, after each change; `on_line` gets (name, line)
    for each line of stdout or stderr, cut after 64 KiB, with bytes that are not UTF-8 replaced. A child is ready at its
    first line for which `ready` is true. All three must be quick. `spawn` starts a process.

    Children run in sessions of their own, so ^C in the terminal reaches only the supervisor; their environment has its
    pid for `die_with_parent`. When a child ends, what it left in its process group is killed. Raises ValueError if two
    children have one name.
    """

    def __init__(
        self,
        children: Sequence[Child | Sequence[Child]],
        *,
        on_change: OnChange,
        on_line: OnLine,
        restarts: int = 5,
        within: float = 60.0,
        backoff: tuple[float, float] = (0.25, 4.0),
        grace: float = timing.SUPERVISOR_GRACE,
        ready: Callable[[str], bool] = lambda line: True,
        spawn: Spawn = spawn,
    ) -> None:
        groups = [(entry,) if isinstance(entry, Child) else tuple(entry) for entry in children]
        self._rules = _Rules(restarts, within, backoff, grace, ready, spawn)
        self._on_change, self._on_line = on_change, on_line
        self._tasks: TaskGroup
        self._news = anyio.Event()
        self._next: dict[str, _Keeper] = {}  # that shall take over, once they are ready
        self._restarting: defaultdict[str, anyio.Lock] = defaultdict(anyio.Lock)
        self._groups = [[self._keeper(child) for child in group] for group in groups]
        if len({status.name for status in self.statuses}) < len(self._keepers):
            raise ValueError("two children of a supervisor have the same name")

    def _keeper(self, child: Child, restarts: int = 0) -> "_Keeper":
        return _Keeper(child, self._rules, self._changed, self._on_line, restarts)

    @property
    def _keepers(self) -> "list[_Keeper]":
        return [keeper for group in self._groups for keeper in group]

    @property
    def statuses(self) -> tuple[Status, ...]:
        """The current status of every child, in order."""
        return tuple(keeper.status for keeper in self._keepers)

    async def until(self, fits: Callable[[Sequence[Status]], bool]) -> None:
        """Return once this is true of the statuses."""
        while not fits(self.statuses):
            await self._news.wait()

    def forgive(self, name: str) -> None:
        """This child has done useful work: forget its restarts so far, and begin the back-off anew."""
        for keeper in self._keepers:
            if keeper.status.name == name:
                keeper.forgive()

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Run until cancelled, then stop the children: SIGTERM, `grace` seconds, SIGKILL, group by group. Once only.

        Calls `started()` when each child has been started once, or could not be. Call it from the main thread, because
        the kernel takes the end of the thread that started a child for the end of its parent.
        """
        async with anyio.create_task_group() as tasks:
            self._tasks = tasks
            try:
                for keeper in self._keepers:
                    tasks.start_soon(keeper.run)
                for keeper in self._keepers:
                    await keeper.tried.wait()
                task_status.started()
                await anyio.sleep_forever()
            finally:
                with anyio.CancelScope(shield=True):
                    await self._stop()

    async def restart(self, name: str, *, within: float = timing.CHILD_READY) -> bool:
        """Start a new process of this child; once it is ready, stop the old one, and return when that has ended.

        False, and the old one goes on, if the new one ends before it is ready or is not ready `within` so many seconds.
        Raises KeyError for an unknown name. Call this, `add` and `remove` only while `run` runs.
        """
        async with self._restarting[name]:
            group, old = self._find(name)
            new = self._next[name] = self._keeper(old.child, old.status.restarts + 1)
            self._tasks.start_soon(new.run)
            try:
                with anyio.move_on_after(within):
                    await new.settled.wait()
                if new.ready:
                    group[group.index(old)] = new
                    self._changed()
            finally:
                del self._next[name]
                with anyio.CancelScope(shield=True):
                    await (old if new.ready else new).stop()
            return new.ready

    async def add(self, child: Child, *, group: int) -> bool:
        """Keep one more child running, in that group; returns once it is ready, or False if its first process ends.

        Raises ValueError if there is a child of that name.
        """
        if any(status.name == child.name for status in self.statuses):
            raise ValueError(f"there is a child {child.name} already")
        keeper = self._keeper(child)
        self._groups[group].append(keeper)
        self._tasks.start_soon(keeper.run)
        await keeper.settled.wait()
        return keeper.ready

    async def remove(self, name: str) -> None:
        """Stop this child, and forget it once it has ended. Raises KeyError for an unknown name."""
        group, keeper = self._find(name)
        with anyio.CancelScope(shield=True):
            await keeper.stop()
        group.remove(keeper)
        self._changed()

    def _find(self, name: str) -> "tuple[list[_Keeper], _Keeper]":
        for group in self._groups:
            for keeper in group:
                if keeper.status.name == name:
                    return group, keeper
        raise KeyError(name)

    async def _stop(self) -> None:
        for group in (*reversed(self._groups), list(self._next.values())):
            async with anyio.create_task_group() as tasks:
                for keeper in group:
                    tasks.start_soon(keeper.stop)

    def _changed(self) -> None:
        self._on_change(self.statuses)
        self._news.set()
        self._news = anyio.Event()


class _Keeper:
    """The processes of one child, one after the other, until it is stopped or has used up its restarts."""

    def __init__(
        self, child: Child, rules: _Rules, changed: Callable[[], None], on_line: OnLine, restarts: int
    ) -> None:
        self.child, self.status = child, Status(child.name, restarts=restarts)
        self.ready = False
        self.settled = anyio.Event()  # a process is ready, or the first one has ended before it was
        self.tried, self._stopping, self._ended = anyio.Event(), anyio.Event(), anyio.Event()
        self._rules, self._changed, self._on_line = rules, changed, on_line
        self._recent: deque[float] = deque()

    async def run(self) -> None:
        """Keep the child running. Shielded: a cancellation would reach all children at once; `stop` ends it."""
        try:
            with anyio.CancelScope(shield=True):
                while not self._stopping.is_set():
                    await self._live()
                    if not self._stopping.is_set() and not await self._back_off():
                        return self._say(state="gave up")
                self._say(state="stopped")
        finally:
            self.tried.set()
            self._ended.set()

    def forgive(self) -> None:
        """Forget the restarts so far."""
        self._recent.clear()

    async def stop(self) -> None:
        """End the child and wait until it has ended."""
        self._stopping.set()
        await self._ended.wait()

    async def _live(self) -> None:
        self._say(state="starting")
        try:
            process, output = await self._spawn()
        except OSError as error:
            self._on_line(self.child.name, f"cannot start {self.child.argv[0]}: {error.strerror or error}")
            self._say(exit_code=CANNOT_START)
        else:
            self._say(state="running", pid=process.pid)
            self.tried.set()
            with output:
                self._say(pid=None, exit_code=await self._attend(process, output), ready=False)
        finally:
            self.tried.set()
            self.settled.set()

    async def _spawn(self) -> tuple[Process, FileIO]:
        """The process, and the end of the pipe where its output is read, without ever blocking."""
        own = {
            PARENT: str(os.getpid()),
            "PYTHONUNBUFFERED": "1",
        }  # unbuffered, or a child's output would arrive late, in blocks
        env = {**os.environ, **own, **self.child.env}
        read, write = os.pipe()
        os.set_blocking(read, False)
        output = FileIO(read)
        try:
            with FileIO(write, "w") as its_output:
                process = await self._rules.spawn(self.child.argv, env, its_output.fileno())
        except OSError:
            output.close()
            raise
        return process, output

    async def _attend(self, process: Process, output: FileIO) -> int:
        """Pass on its lines until it ends, and then what the pipe still holds; gives the exit code.

        Descendants may keep the pipe open for longer; nobody waits for them.
        """
        lines = Lines()
        async with process, anyio.create_task_group() as tasks:
            tasks.start_soon(self._end_when_told, process)
            tasks.start_soon(self._relay, output, lines)
            try:
                code = await process.wait()
            finally:
                kill_group(process.pid)
            tasks.cancel_scope.cancel()
        self._pass_on(lines.feed(output.read(PIPE) or b""))
        self._pass_on(lines.rest())
        return code

    async def _end_when_told(self, process: Process) -> None:
        await self._stopping.wait()
        with suppress(ProcessLookupError):
            process.terminate()  # not to its group: the child ends its own processes itself
        await anyio.sleep(self._rules.grace)
        kill_group(process.pid)

    async def _relay(self, output: FileIO, lines: "Lines") -> None:
        ended = False
        while not ended:
            await anyio.wait_readable(output)
            chunk = output.read(PIPE)
            self._pass_on(lines.feed(chunk or b""))
            ended = chunk == b""

    def _pass_on(self, lines: Iterator[str]) -> None:
        for line in lines:
            self._on_line(self.child.name, line)
            if not self.status.ready and self._rules.ready(line):
                self._say(ready=True)
                self.ready = True
                self.settled.set()

    async def _back_off(self) -> bool:
        """Wait before the next start, or until stopped. False at once if there were too many restarts lately, or if
        another one would end in the same way."""
        if self.status.exit_code == MISUSED:
            return False
        now, rules = anyio.current_time(), self._rules
        while self._recent and self._recent[0] <= now - rules.within:
            self._recent.popleft()
        if len(self._recent) >= rules.restarts:
            return False
        self._recent.append(now)
        self._say(state="waiting")
        first, most = rules.backoff
        with anyio.move_on_after(min(first * 2 ** (len(self._recent) - 1), most)):
            await self._stopping.wait()
        if not self._stopping.is_set():
            self._say(restarts=self.status.restarts + 1)
        return True

    def _say(self, **changes: Any) -> None:
        self.status = replace(self.status, **changes)
        self._changed()


class Lines:
    """Bytes in, lines of text out. Holds at most `LINE` bytes; the rest of a longer line is left out and marked."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, chunk: bytes) -> Iterator[str]:
        """The lines that this chunk completes."""
        first, *more = chunk.split(b"\n")
        self._hold(first)
        for part in more:
            yield self._line()
            self._hold(part)

    def rest(self) -> Iterator[str]:
        """The last line, if it had no end."""
        if self._held:
            yield self._line()

    def _hold(self, part: bytes) -> None:
        self._held += part[: LINE + 1 - len(self._held)]

    def _line(self) -> str:
        text = self._held[:LINE].decode("utf-8", "replace").rstrip("\r")
        cut = len(self._held) > LINE
        self._held.clear()
        return f"{text} […]" if cut else text
