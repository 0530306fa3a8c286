"""Run by the launcher: isolate a process as far as this Linux lets an unprivileged process do so.

Landlock (Linux 5.13): files can be changed only below the given folders, and signals reach only processes inside.
https://docs.kernel.org/userspace-api/landlock.html. A network namespace of its own: only its own loopback is reachable.
If the kernel offers neither, nothing happens: then only HOME, TMPDIR and the working directory lead into scratch.
"""

import ctypes
import fcntl
import os
import socket
import struct
from contextlib import suppress

CREATE, ADD, RESTRICT = 444, 445, 446  # numbers of the system calls, the same on every architecture since 5.13
NEWUSER, NEWNET = 0x10000000, 0x40000000
PR_SET_NO_NEW_PRIVS = 38
WRITE_FILE, REMOVE_DIR, REMOVE_FILE = 1 << 1, 1 << 4, 1 << 5
MAKE = 0b1111111 << 6  # characters, folders, files, sockets, fifos, blocks, links
REFER, TRUNCATE = 1 << 13, 1 << 14  # since version 2 and 3
CHANGE = WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE
SCOPES = 0b11  # since version 6: abstract sockets and signals
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/tty", "/dev/ptmx", "/dev/pts", "/dev/shm")  # noqa: S108
LOOPBACK_UP = struct.pack("16sH14x", b"lo", 0x1 | 0x40)
SIOCSIFFLAGS = 0x8914


def raise_walls(writable: list[str]) -> None:
    """Isolate this process and everything it will start. A failure is not an error."""
    libc = ctypes.CDLL(None, use_errno=True)
    alone(libc)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    version = libc.syscall(CREATE, None, 0, 1)
    if version < 1:
        return
    change = CHANGE | (REFER if version >= 2 else 0) | (TRUNCATE if version >= 3 else 0)
    rules = struct.pack("=QQQ", change, 0, SCOPES if version >= 6 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = libc.syscall(CREATE, rules, size, 0)
    for path in (*writable, *DEVICES):
        allow(libc, ruleset, path, change)
    libc.syscall(RESTRICT, ruleset, 0)
    os.close(ruleset)


def allow(libc: ctypes.CDLL, ruleset: int, path: str, change: int) -> None:
    """Allow changes below the path."""
    with suppress(OSError):
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        only_file = 0 if os.path.isdir(path) else ~(WRITE_FILE | TRUNCATE)
        libc.syscall(ADD, ruleset, 1, struct.pack("=Qi", change & ~only_file, place), 0)
        os.close(place)


def alone(libc: ctypes.CDLL) -> None:
    """A network namespace with a loopback; the user id stays the same. Tried in a child first, because there is no way
    back from a namespace in which the user id is unmapped."""
    trying = os.fork()
    if not trying:
        try:
            moved_out(libc)
            os._exit(0)
        finally:
            os._exit(1)
    if os.waitpid(trying, 0)[1]:
        return
    moved_out(libc)
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        fcntl.ioctl(link, SIOCSIFFLAGS, LOOPBACK_UP.ljust(40, b"\0"))


def moved_out(libc: ctypes.CDLL) -> None:
    """Enter new namespaces. Raises OSError if they are not available."""
    user, group = os.getuid(), os.getgid()
    if libc.unshare(NEWUSER | NEWNET):
        raise OSError(ctypes.get_errno(), "no namespaces")
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
