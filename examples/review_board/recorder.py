"""A pytest plugin that writes down what becomes of each test, a JSON line each. Imports nothing of ours.

Runs inside the sandbox, from a copy, on whatever Python (3.9 or newer) and pytest (7 or newer) the repository has. The
JSON file that REVIEW_GIVEN names has: `record`, the file to write; `seconds` for one test; `tests`, those to run, none
for all; `without`, those to leave out; `backwards`, to run the last module first.
"""

import faulthandler
import json
import os
import signal
import time
from collections.abc import Generator
from fnmatch import fnmatch
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any, TextIO

import pytest

PATIENCE = 5.0  # seconds, for a test that was told to end
RENEWED = 1.0  # seconds for which a watchdog is not renewed
OURS = ("REVIEW_GIVEN", "PYTEST_ADDOPTS", "PYTEST_PLUGINS")  # variables that this run was started with
ENDS = ("passed", "failed", "skipped")
NOTHING: dict[str, Any] = {"record": os.devnull, "seconds": 60, "tests": [], "without": [], "backwards": False}


@lru_cache(None)
def _given() -> dict[str, Any]:
    given = os.environ.get("REVIEW_GIVEN")
    if not given or "PYTEST_XDIST_WORKER" in os.environ:  # the controller records what its workers do
        return NOTHING
    found: dict[str, Any] = json.loads(Path(given).read_text(encoding="utf-8"))
    return {**found, "files": {name.partition("::")[0] for name in found["tests"]}}


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Read the environment before the repository's own code can change it. A pytest that a test starts is not ours to
    record: it has options of its own."""
    _given()
    for name in OURS:
        os.environ.pop(name, None)


@lru_cache(None)
def _nowhere() -> TextIO:
    """For a traceback that nobody reads: sys.stderr may be whatever a test has put there."""
    return open(os.devnull, "w", encoding="utf-8")


def _say(kind: str, test: str, outcome: str, why: str = "") -> None:
    # Opened each time: whatever a test does to the process, earlier lines are on disk.
    with open(_given()["record"], "a", encoding="utf-8") as record:
        record.write(json.dumps([kind, test, outcome, why[-500:]]) + "\n")


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item], config: pytest.Config) -> Generator[None, Any, None]:
    """Record the tests that the repository deselects, whatever its own output says; then take out what is not asked."""
    found = [item.nodeid for item in items]
    yield
    for name in sorted({*found} - {item.nodeid for item in items}):
        _say("test", name, "deselected", "deselected by the repository")
    wanted, without = set(_given()["tests"]), set(_given()["without"])
    items[:] = [item for item in items if (not wanted or item.nodeid in wanted) and item.nodeid not in without]
    if _given()["backwards"]:
        modules = [list(some) for _, some in groupby(items, key=lambda item: item.nodeid.partition("::")[0])]
        items[:] = [item for some in reversed(modules) for item in some]


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> Generator[None, Any, None]:
    """Record the test modules that the repository ignores: pytest does not report them. Pass over those without a test
    that is asked."""
    came = yield
    if not collection_path.is_file() or not any(
        fnmatch(collection_path.name, each) for each in config.getini("python_files")
    ):
        return
    name = os.path.relpath(collection_path, config.rootpath).replace(os.sep, "/")
    if came.get_result():
        _say("test", name, "deselected", "ignored by the repository")
    elif _given()["tests"] and name not in _given()["files"]:
        came.force_result(True)


def pytest_runtest_logstart(nodeid: str) -> None:
    """Record which test begins."""
    _say("began", nodeid, "")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Record the collected tests."""
    for item in session.items:
        _say("collected", item.nodeid, "")


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Record modules that could not be collected, or skip themselves."""
    if not report.passed:
        _say("test", report.nodeid or ".", "error" if report.failed else "skipped", _why(report))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Record how each phase of a test ended, except a good set-up or tear-down."""
    if report.outcome in ENDS and (report.when == "call" or not report.passed):  # a plugin may have more outcomes
        _say("test", report.nodeid, _kind(report), "" if report.passed else _why(report))


def _kind(report: pytest.TestReport) -> str:
    if report.when == "call":
        return "xfailed" if report.skipped and hasattr(report, "wasxfail") else report.outcome
    return "skipped" if report.skipped else "error"


def _why(report: pytest.TestReport | pytest.CollectReport) -> str:
    """The end of what pytest prints; of a test that was skipped or is expected to fail only its reason."""
    if hasattr(report, "wasxfail"):
        return str(report.wasxfail) or "no reason given"
    if report.skipped and isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    return report.longreprtext


class Watchdog:
    """Ends the process when its time is up, even where no signal is handled. It is a thread, which takes longer to
    start and stop than most tests; so it is left running from test to test, and begins anew after a second."""

    def __init__(self) -> None:
        self.armed = 0.0

    def arm(self, seconds: float) -> None:
        """Give so many seconds from now, or from at most a second ago."""
        if time.monotonic() - self.armed > RENEWED:
            faulthandler.dump_traceback_later(seconds, exit=True, file=_nowhere())
            self.armed = time.monotonic()

    def disarm(self) -> None:
        """Let it take any time."""
        if self.armed:
            faulthandler.cancel_dump_traceback_later()
            self.armed = 0.0


_watchdog = Watchdog()


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: Any) -> None:
    """A fixture of many tests may take long."""
    if fixturedef.scope != "function":
        _watchdog.disarm()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, None]:
    """Fail a test that hangs, so that the others get their turn. If it cannot be interrupted, end the process."""

    seconds = float(_given()["seconds"])

    def late(*_: object) -> None:
        pytest.fail(f"not done after {seconds:g} s, the limit for one test", pytrace=False)

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    _watchdog.arm(seconds + PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def pytest_keyboard_interrupt(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Record who stopped the run."""
    _say("stopped", "", "", excinfo.exconly())


def pytest_internalerror(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Record an error of pytest or a plugin."""
    _say("stopped", "", "", excinfo.exconly())


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Record that the run reached its end, and how."""
    _watchdog.disarm()
    _say("end", "", str(int(exitstatus)))
