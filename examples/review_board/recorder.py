"""A pytest plugin that writes down what becomes of each test, a JSON line each. Imports nothing of ours.

Runs inside the sandbox, from a copy; the file to write is named by REVIEW_RECORD.
"""

import json
import os
import signal
from collections.abc import Generator

import pytest

_path = os.environ.get("REVIEW_RECORD", os.devnull)
_seconds = float(os.environ.get("REVIEW_TEST_SECONDS", "60"))


def _say(kind: str, test: str, outcome: str, why: str = "") -> None:
    # Opened each time: whatever a test does to the process, what was said before is on disk.
    with open(_path, "a", encoding="utf-8") as record:
        record.write(json.dumps([kind, test, outcome, why[-500:]]) + "\n")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Say what was found."""
    for item in session.items:
        _say("collected", item.nodeid, "")


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Say which modules could not be collected."""
    if report.failed:
        _say("test", report.nodeid, "error", report.longreprtext)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Say how each phase of a test ended, but for set-up and tear-down that went well."""
    if report.when == "call" or not report.passed:
        outcome = report.outcome if report.when == "call" or report.skipped else "error"
        _say("test", report.nodeid, outcome, "" if report.passed else report.longreprtext)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that hangs, so that the others get their turn. Where it cannot be interrupted the whole run is."""

    def late(*_: object) -> None:
        pytest.fail(f"not done after {_seconds:g} s", pytrace=False)

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, _seconds)
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Say that the end was reached."""
    _say("end", "", "")
