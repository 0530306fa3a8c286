"""Process: what parents and children know of each other: that no child outlives its parent, and how it ended."""

import ctypes
import os
import signal
import sys
from contextlib import suppress
from typing import NoReturn

PARENT = "HUSTINGS_PARENT"  # the supervisor's pid, in the environment of its children
BLOCKED = 70  # exit code: the watchdog found the event loop blocked
RECYCLE = 75  # exit code: too many attempts were left behind, a fresh process shall go on
_PR_SET_PDEATHSIG = 1


def die_with_parent(by: signal.Signals = signal.SIGTERM) -> bool:
    """Ask the kernel for this signal when the supervisor dies, however it dies (Linux; elsewhere only the check).

    False in a process that no supervisor started: then nothing is done, and nobody will start another in its place.

    SIGKILL is for who has nothing to hand back, and runs what may never yield to a SIGTERM.

    Called first thing by a child's entry, from the main thread.
    Raises SystemExit if the supervisor is gone already, OSError if the kernel refuses.
    """
    parent = os.environ.pop(PARENT, "")  # popped: a tool that the child starts has another parent
    if not parent:
        return False
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, by):
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if str(os.getppid()) != parent:  # it died before the kernel knew whom to tell
        raise SystemExit(128 + by)
    return True


def begin_anew(code: int) -> NoReturn:
    """Replace a worn process that has no supervisor by a fresh one of the same command; else end it, with this code.

    Nothing in this process can hold that up: no thread, and no task.
    """
    if code == RECYCLE:
        sys.stdout.flush()
        sys.stderr.flush()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - what was run, again
    os._exit(code)


def ending(code: int) -> str:
    """How a process ended, in words, from its exit code as Python has it: a negative one is a signal."""
    if code == BLOCKED:
        return "blocked its process for too long"
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {-code} ({signal.Signals(-code).name})"
    except ValueError:  # a real-time signal
        return f"signal {-code}"


def kill_group(pid: int) -> None:
    """Kill all that is left in the process group of a child that was started in a session of its own."""
    with suppress(ProcessLookupError, PermissionError):  # macOS says EPERM of a group that is gone
        os.killpg(pid, signal.SIGKILL)
