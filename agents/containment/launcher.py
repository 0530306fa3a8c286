"""Run as a script: run a command within limits and walls, and end all that it started when it ends. Imports nothing of
ours.

This process stays, as the one that orphans are handed to (PR_SET_CHILD_SUBREAPER): a daemon that forked twice and left
its session is still found, and killed. Without Linux's /proc only the command's own session is.
"""

import ctypes
import json
import os
import resource
import runpy
import select
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
LINUX = sys.platform == "linux"
PAGE = resource.getpagesize()
LOOK = 0.2  # seconds between two checks of the running processes
TOO_MUCH = 137  # the exit code after a kill for too many processes or too much memory


def limit(kind: int, most: int, more: int = 0) -> None:
    """Lower a limit, never above its current one. `more`: the hard limit is so much higher."""
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        most, more = min(most, hard), min(more, max(0, hard - most))
    with suppress(ValueError, OSError):  # not enforced on this platform
        resource.setrlimit(kind, (most, most + more))


def prctl(option: int, value: int) -> None:
    """Linux only; elsewhere nothing happens."""
    if LINUX:
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def descendants() -> dict[int, int]:
    """Every process below this one, with its resident memory in bytes; zombies are left out."""
    below: dict[int, list[int]] = {}
    memory: dict[int, int] = {}
    for entry in os.scandir("/proc") if LINUX else ():
        if entry.name.isdigit():
            with suppress(OSError):  # it has ended since
                state, parent, *rest = Path(entry.path, "stat").read_text().rpartition(")")[2].split()
                below.setdefault(int(parent), []).append(int(entry.name))
                memory[int(entry.name)] = -1 if state in "ZX" else int(rest[19]) * PAGE
    found: list[int] = []
    front = [os.getpid()]
    while front:
        children = below.get(front.pop(), [])
        found += children
        front += children
    return {process: memory[process] for process in found if memory[process] >= 0}


def send(processes: Iterable[int], number: int) -> None:
    """Signal them all, except those already gone."""
    for process in processes:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(process, number)


def end(session: int) -> None:
    """Kill the command's session and every descendant: stop them first, because a stopped process cannot fork."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(session, signal.SIGKILL)
    while found := descendants():
        stopped: set[int] = set()
        while fresh := set(found) - stopped:
            send(fresh, signal.SIGSTOP)
            stopped |= fresh
            found = descendants()
        send(stopped, signal.SIGKILL)
        reap()
    reap()


def reap() -> dict[int, int]:
    """Collect the children that have ended: process -> status."""
    ended: dict[int, int] = {}
    with suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            ended[found[0]] = found[1]
    return ended


def become(command: list[str], limits: dict[str, Any]) -> None:
    """In the child: its own session, its limits, its walls; then the command. Does not return."""
    os.setsid()
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    limit(resource.RLIMIT_AS, limits["memory"])
    limit(resource.RLIMIT_CPU, limits["cpu"], more=5)  # SIGXCPU comes first and gives the reason
    limit(resource.RLIMIT_FSIZE, limits["file"])
    limit(resource.RLIMIT_NOFILE, limits["files"])
    limit(resource.RLIMIT_CORE, 0)
    if os.getuid() != 0:
        limit(resource.RLIMIT_NPROC, 4096)  # counts all of this user's; `processes` counts only what is below us
    if LINUX:
        runpy.run_path(str(Path(__file__).with_name("walls.py")))["raise_walls"](limits)
    os.execvp(command[0], command)  # noqa: S606 - becoming the command is the purpose


def _noted(number: int, frame: object) -> None:
    """Nothing more is to be done: the file has the byte."""


def woken() -> int:
    """A file that each SIGCHLD and SIGTERM from now on is written to, as one byte."""
    reads, writes = os.pipe()
    os.set_blocking(writes, False)
    signal.set_wakeup_fd(writes, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, _noted)
    return reads


def watch(child: int, signals: int, limits: dict[str, Any]) -> int:
    """Wait for the command, or for the order to stop; gives the exit code."""
    while True:
        ended = reap()
        if child in ended:
            code = os.waitstatus_to_exitcode(ended[child])
            return code if code >= 0 else 128 - code
        told, _, _ = select.select([signals], [], [], LOOK)
        if told and signal.SIGTERM in os.read(signals, 512):
            return 128 + signal.SIGTERM
        if passed := too_much(descendants(), limits):
            sys.stderr.write(f"\nlauncher: the limit of {passed} was passed\n")
            sys.stderr.flush()
            return TOO_MUCH


def too_much(running: dict[int, int], limits: dict[str, Any]) -> str:
    """The limit that the running processes exceed together; empty if none."""
    if len(running) > limits["processes"]:
        return f"{limits['processes']} processes"
    return f"{limits['memory'] // 2**20} MiB of memory" if sum(running.values()) > limits["memory"] else ""


def main() -> None:
    """`launcher.py LIMITS COMMAND...`"""
    limits = json.loads(sys.argv[1])
    signals = woken()
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    prctl(PR_SET_PDEATHSIG, signal.SIGTERM)  # a killed agent leaves no test run behind
    if LINUX and os.getppid() != limits["parent"]:
        os._exit(1)
    child = os.fork()
    if not child:
        try:
            become(sys.argv[2:], limits)
        except OSError as error:
            sys.stderr.write(f"{sys.argv[2]} cannot be run: {error}\n")
            sys.stderr.flush()
        finally:
            os._exit(126)
    code = watch(child, signals, limits)
    end(child)
    os._exit(code)


if __name__ == "__main__":
    main()
