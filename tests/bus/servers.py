"""Servers with a configuration of the test's own, and processes to kill."""

import json
import os
import signal
import socket
import subprocess
import sys
import sysconfig
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import anyio

from hustings.bus import Connection


@asynccontextmanager
async def configured(folder: Path, config: str) -> AsyncIterator[str]:
    """HOST:PORT of a nats-server with this configuration."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    (folder / "nats.conf").write_text(f'listen: "127.0.0.1:{port}"\n{config}')
    with _server(folder):
        with anyio.fail_after(300):
            await _listening(port)
        yield f"127.0.0.1:{port}"


@contextmanager
def process(code: str, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """A python process that runs `code`; killed at the end. What it prints is on its stdout."""
    child = subprocess.Popen([sys.executable, "-c", code, *arguments], stdin=-1, stdout=-1, text=True)
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


async def line(child: "subprocess.Popen[str]") -> str:
    """The next line it prints."""
    assert child.stdout
    await anyio.wait_readable(child.stdout.fileno())
    return child.stdout.readline().strip()


def server_pid(home: Path) -> int:
    """The process of the embedded broker of this directory."""
    return int(json.loads((home / "broker.json").read_text())["pid"])


def kill_server(home: Path) -> int:
    """kill -9 the embedded broker of this directory."""
    pid = server_pid(home)
    os.kill(pid, signal.SIGKILL)
    return pid


async def away(connection: Connection) -> None:
    """Wait until the connection has noticed that the broker went away, and then until it is back."""
    await connection.lost(0)
    await connection.ready()


@contextmanager
def _server(folder: Path) -> Iterator[None]:
    binary = Path(sysconfig.get_path("scripts")) / "nats-server"
    with (folder / "nats.log").open("wb") as log:
        server = subprocess.Popen([binary, "-c", folder / "nats.conf"], stderr=log, stdout=log)
    try:
        yield
    finally:
        server.kill()
        server.wait()


async def _listening(port: int) -> None:
    while True:
        try:
            async with await anyio.connect_tcp("127.0.0.1", port):
                return
        except OSError:
            await anyio.sleep(0.01)
