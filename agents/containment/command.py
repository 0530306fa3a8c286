"""Commands: run one within limits and walls, and leave nothing of it behind.

On Linux all that the command started is found and killed, whatever it did to hide (launcher.py). Where the kernel
offers Landlock it reads and changes files only where it may, and signals and traces no other process; where it offers
user namespaces it reaches no network (walls.py). `hustings doctor` says what this machine offers.
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

from hustings.protocols import timing

LAUNCHER = Path(__file__).with_name("launcher.py")
TOLD = "launcher: "  # begins the line in which the launcher says which limit was passed
SYSTEM = [Path(path) for path in (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/nix", "/snap", "/proc", "/sys",
)]  # fmt: skip


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
class Completed:
    """How a command ended.

    `code` is its exit code, 128 + n if signal n ended it, None if it had to be killed for its time. `out` and `err` are
    the last 16 MiB of what it printed. `stopped` is what ended it from outside, a limit by its name; empty if it ended
    by itself.
    """

    code: int | None
    out: str
    err: str
    stopped: str = ""


def run_contained(
    command: Sequence[str],
    cwd: Path,
    env: Mapping[str, str],
    limits: Limits | None = None,
    *,
    writable: Sequence[Path] = (),
    readable: Sequence[Path] | None = (),
    network: bool = False,
) -> Completed:
    """Run to its end or to its limit; afterwards all that it started is dead.

    It may change what is in `cwd`, its HOME, and the folders of `writable`. Besides these it may read the system's
    programs, this interpreter and the folders of `readable`; with None, everything. In a worker thread of anyio it also
    ends when the task that waits for it is cancelled. Raises OSError if `cwd` does not exist.
    """
    limits = limits or Limits()
    changes = [cwd, Path(env.get("HOME", cwd)), *writable]
    reads = None if readable is None else [*SYSTEM, *interpreter(), *readable]
    terms = {
        **asdict(limits),
        "parent": os.getpid(),
        "writable": [str(folder) for folder in changes],
        "readable": None if reads is None else [str(folder) for folder in reads],
        "network": network,
    }
    contained = [sys.executable, "-I", "-S", str(LAUNCHER), json.dumps(terms), *command]
    # Files and no pipes: a grandchild that keeps a pipe open would make us wait for it.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            contained, cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
        )
        try:
            code = _wait(process, limits.seconds)
        finally:
            _end(process)
        said = _text(err)
        return Completed(code, _text(out), said, _stopped(code, said, limits))


def interpreter() -> list[Path]:
    """The folders of this Python and of what is installed for it."""
    return [Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).resolve().parent]


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


def _stopped(code: int | None, err: str, limits: Limits) -> str:
    told = [line for line in err.splitlines() if line.startswith(TOLD)]
    if code is None:
        return f"the limit of {limits.seconds:g} s was reached"
    if code == 128 + signal.SIGXCPU:
        return f"the limit of {limits.cpu} s of CPU time was reached"
    if code == 128 + signal.SIGKILL and told:
        return told[-1].removeprefix(TOLD)
    names = {128 + each: each.name for each in signal.Signals}
    return f"{names[code]} killed the run" if code in names else ""


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
        process.wait(timing.LAUNCHER_GRACE)
    with suppress(ProcessLookupError, PermissionError):  # all gone already; macOS says so with EPERM
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _text(stream: IO[bytes], most: int = 16 * 2**20) -> str:
    stream.seek(max(0, stream.seek(0, os.SEEK_END) - most))  # why it ended is said last
    return stream.read().decode(errors="replace")
