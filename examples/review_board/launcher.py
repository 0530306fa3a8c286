"""Run as a script: set the limits of this process, then become the command. Imports nothing of ours."""

import ctypes
import json
import os
import resource
import signal
import sys


def limit(kind: int, most: int) -> None:
    """Lower a limit, never above what is allowed already."""
    _, hard = resource.getrlimit(kind)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    try:
        resource.setrlimit(kind, (most, most))
    except (ValueError, OSError):
        return  # not enforced on this platform


def die_with(parent: int) -> None:
    """On Linux: be killed when the parent is, so that a killed agent leaves no test run behind."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(1)


def main() -> None:
    """`launcher.py LIMITS COMMAND...`"""
    limits = json.loads(sys.argv[1])
    die_with(limits["parent"])
    limit(resource.RLIMIT_AS, limits["memory"])
    limit(resource.RLIMIT_CPU, limits["cpu"])
    limit(resource.RLIMIT_FSIZE, limits["file"])
    limit(resource.RLIMIT_NOFILE, limits["files"])
    limit(resource.RLIMIT_CORE, 0)
    if os.getuid() != 0:
        limit(resource.RLIMIT_NPROC, limits["processes"])
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - becoming the command is the purpose


if __name__ == "__main__":
    main()
