"""Run by the launcher: isolate a process as far as this Linux lets an unprivileged process do so.

Landlock (Linux 5.13): files are changed, and with `readable` also read, only below the given folders; other processes
are neither traced nor, from Linux 6.12 on, signalled. https://docs.kernel.org/userspace-api/landlock.html. A network
namespace of its own: only its own loopback is reachable. What the kernel does not offer is left open: then only HOME,
TMPDIR and the working directory lead into scratch. Run as a script, it prints what this machine offers.
"""

import ctypes
import fcntl
import os
import socket
import struct
import sys
from contextlib import suppress
from typing import Any

CREATE, ADD, RESTRICT = 444, 445, 446  # numbers of the system calls, the same on every architecture since 5.13
NEWUSER, NEWNET = 0x10000000, 0x40000000
PR_SET_NO_NEW_PRIVS = 38
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
REMOVE_DIR, REMOVE_FILE = 1 << 4, 1 << 5
MAKE = 0b1111111 << 6  # characters, folders, files, sockets, fifos, blocks, links
REFER, TRUNCATE = 1 << 13, 1 << 14  # since version 2 and 3
CHANGE = WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE
READ = EXECUTE | READ_FILE | READ_DIR
ON_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE  # the rights that Landlock knows for plain files
SCOPES = 0b11  # since version 6: abstract sockets and signals
DEVICES = (
    *("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx", "/dev/pts"),
    *("/dev/shm", "/dev/fd"),  # noqa: S108
)
LOOPBACK_UP = struct.pack("16sH14x", b"lo", 0x1 | 0x40)
SIOCSIFFLAGS = 0x8914


def raise_walls(terms: dict[str, Any]) -> None:
    """Isolate this process and everything it will start. `terms`: writable and readable folders, network or not.

    What the kernel does not offer is left out, without an error."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not terms["network"]:
        alone(libc)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    version = landlock(libc)
    if version < 1:
        return
    change = CHANGE | (REFER if version >= 2 else 0) | (TRUNCATE if version >= 3 else 0)
    read = READ if terms["readable"] is not None else 0
    rules = struct.pack("=QQQ", change | read, 0, SCOPES if version >= 6 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = libc.syscall(CREATE, rules, size, 0)
    for path in (*terms["writable"], *DEVICES):
        allow(libc, ruleset, path, change | read)
    for path in terms["readable"] or ():
        allow(libc, ruleset, path, read)
    libc.syscall(RESTRICT, ruleset, 0)
    os.close(ruleset)


def landlock(libc: ctypes.CDLL) -> int:
    """The version of Landlock that the kernel has; below 1 if it has none."""
    version: int = libc.syscall(CREATE, None, 0, 1)
    return version


def allow(libc: ctypes.CDLL, ruleset: int, path: str, access: int) -> None:
    """Allow this below the path, if it exists."""
    with suppress(OSError):
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        fitting = access if os.path.isdir(path) else access & ON_FILES
        libc.syscall(ADD, ruleset, 1, struct.pack("=Qi", fitting, place), 0)
        os.close(place)


def alone(libc: ctypes.CDLL) -> None:
    """A network namespace with a loopback; the user id stays the same. Tried in a child first, because there is no way
    back from a namespace in which the user id is unmapped."""
    if not can_move_out(libc):
        return
    moved_out(libc)
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        fcntl.ioctl(link, SIOCSIFFLAGS, LOOPBACK_UP.ljust(40, b"\0"))


def can_move_out(libc: ctypes.CDLL) -> bool:
    """True if this process may have namespaces of its own. Tried in a child."""
    trying = os.fork()
    if not trying:
        try:
            moved_out(libc)
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitpid(trying, 0)[1] == 0


def moved_out(libc: ctypes.CDLL) -> None:
    """Enter new namespaces. Raises OSError if they are not available."""
    user, group = os.getuid(), os.getgid()
    if libc.unshare(NEWUSER | NEWNET):
        raise OSError(ctypes.get_errno(), "no namespaces")
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


if __name__ == "__main__":
    kernel = ctypes.CDLL(None, use_errno=True)
    sys.stdout.write(f"{max(landlock(kernel), 0)} {int(can_move_out(kernel))}\n")
