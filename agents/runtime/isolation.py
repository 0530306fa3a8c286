"""Isolation: suspected poison tasks run in child processes of a worker, so that a crash ends no other task.

A suspect is a task that was delivered before, so it may have crashed the worker that had it.
"""

import os
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from subprocess import PIPE

import anyio
from anyio import BrokenResourceError, CancelScope, EndOfStream
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream
from pydantic import ValidationError

from hustings.bus import Bus, background
from hustings.protocols import Assigned, Completion, Failure, Message, timing
from hustings.protocols.envelope import traceparent
from hustings.protocols.wire import LARGEST

from ..models.endpoints import here
from ..observe.logger import structlog
from ..observe.telemetry import continuing
from ..skills.attempt import Attempts, failure
from ..skills.specialist import Specialist
from .process import PARENT, ending, kill_group

DEATHS = 5  # processes that a task may end: a worker (unobserved), then isolated workers
WORKERS = 4  # isolated workers of one worker, at most


class SuspectedTask(Message, contract="hustings.isolated.SuspectedTask.v1"):
    """The request to an isolated worker; `trace` is its W3C trace context, if there is one."""

    run: str
    assigned: Assigned
    trace: str = ""


class Tried(Message, contract="hustings.isolated.Tried.v1"):
    """The reply of an isolated worker."""

    answer: Completion


class _Died(Exception):
    """The isolated worker's process ended; the text says how."""


class _Unfit(Exception):
    """The isolated worker could not be started, or ended before it got a task."""


class IsolatedWorkers:
    """The isolated workers of a worker process. They start when needed, are reused, and end when idle for a while."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], terminal: int | None = None) -> None:
        self._argv = argv if terminal is None else [*argv, f"--terminal={terminal}"]
        self._env = env
        self._terminal = terminal
        self._room = anyio.Semaphore(WORKERS if terminal is None else 1)
        self._idle: list[_IsolatedWorker] = []
        self._deaths: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        self._log = structlog.get_logger()

    async def attempt(self, run: str, assigned: Assigned) -> Completion:
        """The answer; or a Failure if the task ended too many processes, or its deadline passed.

        If cancelled, it ends the isolated worker. The deaths of a task are counted across its attempts.
        """
        deaths = self._deaths[run, assigned.task]
        suspect = SuspectedTask(run=run, assigned=assigned, trace=traceparent.get() or "")
        with anyio.move_on_after(assigned.deadline - time.time() + timing.ISOLATED_GRACE):
            async with self._room:
                while len(deaths) < DEATHS - 1:
                    try:
                        answer = await self._try(suspect)
                    except _Unfit as why:
                        self._log.error("no isolated worker could be started", why=str(why))
                        await anyio.sleep(timing.ISOLATED_RETRY)
                    except _Died as how:
                        deaths.append(str(how))
                        self._log.warning("an isolated worker died", task=assigned.task, how=str(how))
                    else:
                        self._deaths.pop((run, assigned.task), None)
                        return answer
            return failure(assigned, "killed", _told(deaths))
        return failure(assigned, "timed_out", "the deadline passed")

    def suspects(self, run: str, task: str) -> bool:
        """True if an earlier attempt of this task was a suspect here and has not been answered since."""
        return (run, task) in self._deaths

    def forget(self, run: str) -> None:
        """The run has ended: forget the deaths of its tasks."""
        for key in [key for key in self._deaths if key[0] == run]:
            del self._deaths[key]

    async def _try(self, suspect: SuspectedTask) -> Completion:
        worker = self._idle.pop() if self._idle else await self._start()
        fit = False
        try:
            answer = await worker.ask(suspect)
            fit = not (isinstance(answer, Failure) and answer.kind == "timed_out")  # its thread may still run there
            return answer
        finally:
            if fit:
                worker.since = anyio.current_time()
                self._idle.append(worker)
            else:
                await worker.end()

    async def _start(self) -> "_IsolatedWorker":
        env = {**os.environ, **self._env, PARENT: str(os.getpid())}
        try:
            with CancelScope(shield=True):  # cancelled half-way, asyncio kills the process but does not wait for it
                process = await anyio.open_process(
                    self._argv,
                    stdin=PIPE,
                    stdout=PIPE,
                    stderr=None,
                    env=env,
                    start_new_session=True,
                    pass_fds=() if self._terminal is None else (self._terminal,),
                )
        except OSError as error:
            raise _Unfit(f"{self._argv[0]}: {error.strerror or error}") from None
        worker = _IsolatedWorker(process)
        try:
            await worker.hear()
        except _Died as how:
            raise _Unfit(str(how)) from None
        except BaseException:
            await worker.end()
            raise
        return worker

    async def tend(self) -> None:
        """End the isolated workers that are idle for too long; when cancelled, all of them."""
        try:
            while True:
                await anyio.sleep(timing.ISOLATED_IDLE / 4)
                await self._end_idle(anyio.current_time() - timing.ISOLATED_IDLE)
        finally:
            await self._end_idle(anyio.current_time())

    async def _end_idle(self, before: float) -> None:
        old = [worker for worker in self._idle if worker.since <= before]
        self._idle = [worker for worker in self._idle if worker not in old]
        with CancelScope(shield=True):
            async with anyio.create_task_group() as ends:
                for worker in old:
                    ends.start_soon(worker.end)


@asynccontextmanager
async def open_isolated(
    argv: Sequence[str], *, terminal: int | None = None, **env: str
) -> AsyncIterator[IsolatedWorkers]:
    """Isolated workers with this command and environment, while the block runs.

    With `terminal`, a descriptor, there is one at a time, and the command gets it as `--terminal`, for its stdin.
    """
    isolated = IsolatedWorkers(argv, env, terminal)
    async with background(isolated.tend):
        yield isolated


class _IsolatedWorker:
    """One child process, which runs one suspect at a time."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.since = 0.0
        self._process = process
        self._stdin = process.stdin
        self._stdout = BufferedByteReceiveStream(process.stdout)

    async def ask(self, suspect: SuspectedTask) -> Completion:
        """The answer to the suspect. Raises _Died, or _Unfit if the process was dead already."""
        try:
            await self._stdin.send(suspect.model_dump_json().encode() + b"\n")
        except (BrokenResourceError, OSError):
            raise _Unfit("it died while it was idle") from None
        line = await self.hear()
        try:
            return Tried.model_validate_json(line).answer
        except ValidationError:
            raise _Died("an answer that cannot be read") from None

    async def hear(self) -> bytes:
        """The next line from the process. Raises _Died."""
        line: bytes | None = None
        async with anyio.create_task_group() as group:
            group.start_soon(self._until_dead, group.cancel_scope)
            with suppress(EndOfStream, anyio.IncompleteRead):
                line = await self._stdout.receive_until(b"\n", 2 * LARGEST)
                group.cancel_scope.cancel()
        if line is None:
            raise _Died(ending(await self._process.wait()))
        return line

    async def _until_dead(self, reading: CancelScope) -> None:
        """Stop reading when the process ends: a child that it leaves behind may keep the pipe open."""
        await self._process.wait()
        await anyio.sleep(timing.ISOLATED_GRACE)
        reading.cancel()

    async def end(self) -> None:
        """Tell it to end, then kill it, with all processes that it has started."""
        with CancelScope(shield=True):
            if self._process.returncode is None:
                with suppress(ProcessLookupError):
                    self._process.terminate()
                with anyio.move_on_after(timing.ISOLATED_GRACE):
                    await self._process.wait()
            kill_group(self._process.pid)
            await self._process.aclose()


def _told(deaths: Sequence[str]) -> str:
    """The reason: how the task ended processes. The cause in the worker that had it first is not known."""
    counted = [f"{how} {times} times" if times > 1 else how for how, times in Counter(deaths).items()]
    return f"ended its process {len(deaths) + 1} times: {', '.join(counted)}, and once for an unknown reason"


class Pipes:
    """An isolated worker's own two pipes: the former stdin and stdout, so that no skill reads or prints there.

    Its stdin is then the `terminal`, or empty.
    """

    def __init__(self, stdin: int, stdout: int, terminal: int | None = None) -> None:
        self._incoming, self._outgoing = os.dup(stdin), os.dup(stdout)
        with open(os.devnull, "rb") as nothing:
            os.dup2(nothing.fileno() if terminal is None else terminal, 0)
        os.dup2(2, 1)
        os.set_blocking(self._outgoing, False)

    async def lines(self) -> AsyncIterator[bytes]:
        """The incoming lines, until the other end is closed."""
        held = bytearray()
        while True:
            await anyio.wait_readable(self._incoming)
            chunk = os.read(self._incoming, 2**16)
            if not chunk:
                return
            held += chunk
            if chunk.endswith(b"\n"):
                yield bytes(held)
                held.clear()

    async def send(self, line: bytes = b"") -> None:
        """Write one line."""
        rest = memoryview(line + b"\n")
        while rest:
            await anyio.wait_writable(self._outgoing)
            rest = rest[os.write(self._outgoing, rest[: 2**16]) :]


async def serve_isolated(pipes: Pipes, specialists: Sequence[Specialist], bus: Bus) -> None:
    """The isolated worker itself: run each suspect that comes in, until the pipe is closed."""
    attempts = {specialist.name: Attempts(specialist, bus, here().model) for specialist in specialists}
    async with AsyncExitStack() as lifespans:
        for specialist in specialists:
            await lifespans.enter_async_context(specialist.lifespan())
        await pipes.send()
        async for line in pipes.lines():
            suspect = SuspectedTask.model_validate_json(line)
            with continuing(suspect.trace):
                answer = await attempts[suspect.assigned.agent].attempt(suspect.run, suspect.assigned)
            await pipes.send(Tried(answer=answer).model_dump_json().encode())
