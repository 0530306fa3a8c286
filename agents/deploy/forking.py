"""Forking: starts children from a fork server, a process that has imported the framework. They are ready sooner."""

import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from io import FileIO
from pathlib import Path

import anyio
from anyio.abc import Process
from pydantic import BaseModel, ConfigDict

from hustings.bus.broker.server import process_exited

from ..runtime.process import PARENT
from .supervisor import spawn

LONGEST = 2**20  # bytes of a command that are read at once
PROGRAM = (sys.executable, "-m", "hustings.agents.cli")  # the program that children of a fork server execute


class Command(BaseModel):
    """What a child of the fork server executes: the words behind the program, in this environment."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    words: tuple[str, ...]
    env: dict[str, str]


class ForkServer:
    """Starts children by forking one process; those that it cannot fork it starts as `supervisor.spawn` does."""

    def __init__(self, pid: int, control: socket.socket) -> None:
        self._pid, self._control = pid, control
        self._turn = anyio.Lock()
        self._outdated = False

    def saved(self, files: Iterable[Path]) -> None:
        """These files have changed. If the framework is among them, the fork server has the code of before: no more
        children are forked."""
        self._outdated = self._outdated or not {*files}.isdisjoint(_framework())

    async def spawn(self, argv: Sequence[str], env: Mapping[str, str], output: int) -> Process:
        """As `supervisor.spawn`; not to be cancelled."""
        if tuple(argv[: len(PROGRAM)]) == PROGRAM and not self._outdated:
            command = Command(words=tuple(argv[len(PROGRAM) :]), env={**env, PARENT: str(self._pid)})
            async with self._turn:
                with suppress(OSError):  # the fork server has ended
                    return await self._fork(command, output)
        return await spawn(argv, env, output)

    async def _fork(self, command: Command, output: int) -> "_Forked":
        read, write = os.pipe()
        os.set_blocking(read, False)
        reports = FileIO(read)
        try:
            with FileIO(write, "w"):
                socket.send_fds(self._control, [command.model_dump_json().encode() + b"\n"], [output, write])
            if line := await _line(reports):
                return _Forked(int(line), reports)
            raise OSError("the fork server has ended")
        except OSError:
            reports.close()
            raise


@asynccontextmanager
async def fork_server() -> AsyncIterator[ForkServer]:
    """A fork server while the block runs. It outlives no supervisor, and its children do not outlive it."""
    ours, its = socket.socketpair()
    env = {**os.environ, PARENT: str(os.getpid()), "PYTHONUNBUFFERED": "1"}
    command = (sys.executable, "-m", "hustings.agents.cli.fork_server")
    with ours:
        with its:
            process = await anyio.open_process(
                command, stdin=its.fileno(), stdout=None, stderr=None, env=env, start_new_session=True
            )
        async with process:
            try:
                yield ForkServer(process.pid, ours)
            finally:
                ours.close()  # it ends


class _Forked(Process):
    """A child of a fork server, which reports how it ended. Its streams were given to it."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int, reports: FileIO) -> None:
        self._pid, self._reports = pid, reports
        self._code: int | None = None

    @property
    def pid(self) -> int:
        return self._pid

    @property
    def returncode(self) -> int | None:
        return self._code

    async def wait(self) -> int:
        if self._code is None:
            line = await _line(self._reports)
            await process_exited(self._pid)  # if the fork server was killed, its children have SIGTERM
            self._code = int(line or -signal.SIGTERM)
        return self._code

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def send_signal(self, signal: int) -> None:
        if self._code is None:
            os.kill(self._pid, signal)

    async def aclose(self) -> None:
        with anyio.CancelScope(shield=True):
            with suppress(ProcessLookupError):
                self.kill()
            await self.wait()
        self._reports.close()


async def _line(reports: FileIO) -> bytes:
    """The next line of a fork server, a number; empty if it has ended."""
    await anyio.wait_readable(reports)
    return reports.read(16) or b""


def _framework() -> set[Path]:
    """The files of the framework that are imported here, and so in a fork server."""
    named = {name: getattr(module, "__file__", None) for name, module in [*sys.modules.items()]}
    ours = (file for name, file in named.items() if name.startswith("hustings.") and ".examples" not in name)
    return {Path(file).resolve() for file in ours if file}
