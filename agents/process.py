"""Process: what a child does, in itself, so that it never outlives the supervisor that started it."""

import ctypes
import os
import signal
import sys

PARENT = "MOOT_PARENT"  # the supervisor's pid, in the environment of its children
_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Ask the kernel for a SIGTERM when the supervisor dies, however it dies (Linux; elsewhere only the check).

    Called first thing by a child's entry, from the main thread. Does nothing in a process that no supervisor started.
    Raises SystemExit if the supervisor is gone already, OSError if the kernel refuses.
    """
    parent = os.environ.pop(PARENT, "")  # popped: a tool that the child starts has another parent
    if not parent:
        return
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM):
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if str(os.getppid()) != parent:  # it died before the kernel knew whom to tell
        raise SystemExit(128 + signal.SIGTERM)
