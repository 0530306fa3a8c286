"""A pytest plugin that writes down what becomes of each test, a JSON line each. Imports nothing of ours.

Runs inside the sandbox, from a copy; the file to write is named by REVIEW_RECORD.
"""

import json
import os

import pytest

_path = os.environ.get("REVIEW_RECORD", os.devnull)


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


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Say that the end was reached."""
    _say("end", "", "")
