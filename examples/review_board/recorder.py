"""A pytest plugin that writes down what becomes of each test, a JSON line each. Imports nothing of ours.

Runs inside the sandbox, from a copy; the file to write is named by REVIEW_RECORD.
"""

import json
import os
import signal
from collections.abc import Generator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest


@cache
def _given() -> tuple[str, float]:
    """The file to write, and the seconds for one test."""
    return os.environ.get("REVIEW_RECORD", os.devnull), float(os.environ.get("REVIEW_TEST_SECONDS", "60"))


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Read the environment before the repository's own code can change it."""
    _given()


def _say(kind: str, test: str, outcome: str, why: str = "") -> None:
    # Opened each time: whatever a test does to the process, earlier lines are on disk.
    with open(_given()[0], "a", encoding="utf-8") as record:
        record.write(json.dumps([kind, test, outcome, why[-500:]]) + "\n")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None, object, object]:
    """Record the tests that the repository deselects, whatever its own output says."""
    found = [item.nodeid for item in items]
    result = yield
    for name in sorted({*found} - {item.nodeid for item in items}):
        _say("test", name, "skipped", "deselected by the repository")
    return result


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> Generator[None, bool | None, bool | None]:
    """Record the test modules that the repository ignores: pytest does not report them."""
    ignored = yield
    if ignored and any(fnmatch(collection_path.name, each) for each in config.getini("python_files")):
        name = collection_path.relative_to(config.rootpath).as_posix()
        _say("test", name, "skipped", "ignored by the repository")
    return ignored


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
    if report.when == "call" or not report.passed:
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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that hangs, so that the others get their turn. If it cannot be interrupted, the whole run fails."""

    seconds = _given()[1]

    def late(*_: object) -> None:
        pytest.fail(f"not done after {seconds:g} s, the limit for one test", pytrace=False)

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return (yield)
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
    _say("end", "", str(int(exitstatus)))
