"""Process: no child outlives its parent, the parent learns how a child ended, and no neighbour looks into either."""

import ctypes
import os
import signal
import sys
from contextlib import suppress
from typing import NoReturn

PARENT = "HUSTINGS_PARENT"  # the supervisor's pid, in the environment of its children
BLOCKED = 70  # exit code: the watchdog found the event loop blocked
RECYCLE = 75  # exit code: too many abandoned attempts still run; a new process takes over
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4


def die_with_parent(by: signal.Signals = signal.SIGTERM) -> bool:
    """Ask the kernel for this signal when the supervisor dies, however it dies (Linux; elsewhere only the check).

    False, and nothing is done, in a process that no supervisor started: nobody will restart it either.

    SIGKILL is for processes that have nothing to give back and run code that may never react to SIGTERM.

    Call it first in a child's entry point, from the main thread.
    Raises SystemExit if the supervisor is gone already, OSError if the kernel refuses.
    """
    parent = os.environ.pop(PARENT, "")  # popped, because a tool that the child starts has another parent
    if not parent:
        return False
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, by):
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if str(os.getppid()) != parent:  # the supervisor died before the request reached the kernel
        raise SystemExit(128 + by)
    return True


def keep_to_itself() -> None:
    """Let no process of the same user trace this one, or read its memory or environment: they have secrets (Linux).

    Root still can. A core dump is not written. Raises OSError if the kernel refuses.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_DUMPABLE) failed")


def begin_anew(code: int) -> NoReturn:
    """Without a supervisor, replace this process by a new one with the same command; else exit with this code.

    No thread or task of this process can delay that.
    """
    if code == RECYCLE:
        sys.stdout.flush()
        sys.stderr.flush()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - the same command again
    os._exit(code)


def ending(code: int) -> str:
    """How a process ended, in words, from its exit code in Python (negative: a signal)."""
    if code == BLOCKED:
        return "blocked its process for too long"
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {-code} ({signal.Signals(-code).name})"
    except ValueError:  # a real-time signal
        return f"signal {-code}"


def kill_group(pid: int) -> None:
    """Kill what is left of the process group of a child that was started in its own session."""
    with suppress(ProcessLookupError, PermissionError):  # macOS raises EPERM if the group is gone
        os.killpg(pid, signal.SIGKILL)
