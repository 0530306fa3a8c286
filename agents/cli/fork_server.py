"""Fork server: a process that has imported the framework, and forks a child for each command that it is sent.

`hustings dev` has one. Its children have only the user's modules left to import. It runs no thread, no event loop and
no code of the user, so there is nothing that a fork could break.
"""

import gc
import os
import select
import signal
import socket
import sys
import threading
from importlib import import_module

from ..deploy.forking import LONGEST, Command
from ..runtime.process import die_with_parent, keep_to_itself

PRELOADED = ("agent", "coordinator")  # the verbs of the parts of a team


def serve(control: socket.socket) -> list[str]:
    """Fork a child for each command, and report its pid and then its exit code. Returns in the children only, with the
    words to execute. Raises SystemExit when the other end of the socket is closed."""
    reports: dict[int, int] = {}  # the descriptor for the reports on each child, by its pid
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # without a handler nothing is written to `wake`
    signal.set_wakeup_fd(wake)
    while True:
        ready, _, _ = select.select([control.fileno(), woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            _report_ended(reports)
        if control.fileno() in ready and (words := _fork(control, reports)) is not None:
            os.close(woken)
            os.close(wake)
            return words


def _fork(control: socket.socket, reports: dict[int, int]) -> list[str] | None:
    """Fork a child for the next command. Gives its words in the child, None in the fork server."""
    command, output, report = _received(control)
    if pid := os.fork():
        os.close(output)
        os.write(report, b"%d\n" % pid)
        reports[pid] = report
        return None
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    _redirect(output)
    for descriptor in (report, *reports.values()):
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(command.env)
    return list(command.words)


def _received(control: socket.socket) -> tuple[Command, int, int]:
    """The next command, with the descriptors for its output and for the reports on it."""
    line, descriptors, _, _ = socket.recv_fds(control, LONGEST, 2)
    while not line.endswith(b"\n"):
        if not (more := control.recv(LONGEST)):
            raise SystemExit(0)
        line += more
    output, report = descriptors
    return Command.model_validate_json(line), output, report


def _redirect(output: int) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, place in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(descriptor, place)
    os.close(nothing)
    os.close(output)


def _report_ended(reports: dict[int, int]) -> None:
    while reports:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        report = reports.pop(pid)
        os.write(report, b"%d\n" % os.waitstatus_to_exitcode(status))
        os.close(report)


def main() -> None:
    """Serve the commands that come over the socket on stdin; in a child, execute the command."""
    die_with_parent()
    keep_to_itself()
    from .app import main as execute

    for name in PRELOADED:
        import_module(f".verbs.{name}", __package__)
    assert threading.active_count() == 1, "a child would wait for ever for what another thread holds"
    gc.freeze()  # else the first collection in a child would copy all that they share
    with socket.socket(fileno=os.dup(0)) as control:
        sys.argv[1:] = serve(control)
    execute()


if __name__ == "__main__":
    main()
