"""Processes: run a command within limits and walls, and leave nothing of it behind.

On Linux all that the command started is found and killed, whatever it did to hide (launcher.py), and where the kernel
offers Landlock and user namespaces it changes no file outside `writable` and reaches no network (walls.py). Not
prevented: reading files; where the kernel offers neither, also writing by absolute paths and using the network; on
macOS, leaving the session.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from anyio import from_thread

LAUNCHER = Path(__file__).with_name("launcher.py")
TOLD = "launcher: "  # begins the line in which the launcher says which limit was passed
GRACE = 10.0  # seconds that the launcher has for cleaning up


@dataclass(frozen=True)
class Limits:
    """What a command may use: seconds of wall time; CPU seconds, bytes of one file and open files of each process;
    bytes of memory and number of processes, each and all together."""

    seconds: float = 60.0
    cpu: int = 300
    memory: int = 4 * 2**30
    file: int = 256 * 2**20
    files: int = 1024
    processes: int = 256


@dataclass(frozen=True)
class Ran:
    """How a command ended. `code` is None if it had to be killed for its time, 128 + n if signal n ended it."""

    code: int | None
    out: str
    err: str


def run(
    command: Sequence[str],
    cwd: Path,
    env: Mapping[str, str],
    limits: Limits | None = None,
    writable: Sequence[Path] = (),
) -> Ran:
    """Run to its end or to its limit; afterwards all that it started is dead.

    It may change what is in `cwd`, its HOME, and the folders of `writable`. In a worker thread of anyio it also ends
    when the task that waits for it is cancelled.
    """
    limits = limits or Limits()
    folders = [str(folder) for folder in (cwd, env.get("HOME", cwd), *writable)]
    terms = json.dumps({**asdict(limits), "parent": os.getpid(), "writable": folders})
    caged = [sys.executable, "-I", "-S", str(LAUNCHER), terms, *command]
    # Files and no pipes: a grandchild that keeps a pipe open would make us wait for it.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            caged, cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
        )
        try:
            code = _wait(process, limits.seconds)
        finally:
            _end(process)
        return Ran(code, _text(out), _text(err))


def ended(ran: Ran, limits: Limits) -> str:
    """What ended the command from outside, a limit by its name; empty if it ended by itself."""
    told = [line for line in ran.err.splitlines() if line.startswith(TOLD)]
    if ran.code is None:
        return f"the limit of {limits.seconds:g} s was reached"
    if ran.code == 128 + signal.SIGXCPU:
        return f"the limit of {limits.cpu} s of CPU time was reached"
    if ran.code == 128 + signal.SIGKILL and told:
        return told[-1].removeprefix(TOLD)
    names = {128 + each: each.name for each in signal.Signals}
    return f"{names[ran.code]} killed the run" if ran.code in names else ""


def scrubbed(home: Path, first: Path | None = None, **more: str) -> dict[str, str]:
    """An environment without secrets: nothing of ours but PATH goes in, behind the folder `first` (that of this
    interpreter if none is given); equal runs get equal hash seeds."""
    path = os.pathsep.join([str(first or Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return {
        "PATH": path,
        "HOME": str(home),
        "TMPDIR": str(home),
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        **more,
    }


def _wait(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    slices = max(1, round(seconds / 0.2))
    for _ in range(slices):
        _stop_if_cancelled()
        try:
            return process.wait(seconds / slices)
        except subprocess.TimeoutExpired:
            continue
    return None


def _stop_if_cancelled() -> None:
    try:
        from_thread.check_cancelled()
    except RuntimeError:
        return  # not in a worker thread: nobody can cancel us


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()  # the launcher ends what it launched, then itself
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE)
    with suppress(ProcessLookupError, PermissionError):  # all gone already; macOS says so with EPERM
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _text(stream: IO[bytes], most: int = 16 * 2**20) -> str:
    stream.seek(max(0, stream.seek(0, os.SEEK_END) - most))  # why it ended is said last
    return stream.read().decode(errors="replace")
