"""Run as a script in the sandbox where there is no pytest: unittest's discovery, recorded. Imports nothing of ours.

`unittests.py collect|run [ID...]`; the file to write is named by REVIEW_RECORD.
"""

import json
import os
import sys
import unittest
from collections.abc import Iterator
from functools import cache
from typing import Any


@cache
def _path() -> str:
    return os.environ.get("REVIEW_RECORD", os.devnull)


def _say(kind: str, test: str, outcome: str, why: str = "") -> None:
    with open(_path(), "a", encoding="utf-8") as record:
        record.write(json.dumps([kind, test, outcome, why[-500:]]) + "\n")


class Recorder(unittest.TextTestResult):
    """Says the outcome of each test."""

    def addSuccess(self, test: unittest.TestCase) -> None:
        _say("test", test.id(), "passed")

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        _say("test", test.id(), "failed", _reason(err))

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        _say("test", test.id(), "failed" if _runs(test) else "error", _reason(err))

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any) -> None:
        if err is not None:
            _say("test", test.id(), "failed", _reason(err))

    def addUnexpectedSuccess(self, test: unittest.TestCase) -> None:
        _say("test", test.id(), "failed", "unexpected success")

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        _say("test", test.id(), "skipped", reason)

    def addExpectedFailure(self, test: unittest.TestCase, err: Any) -> None:
        _say("test", test.id(), "xfailed", _reason(err))


def _runs(test: object) -> bool:
    """False for the placeholder of a module that cannot be imported, or of a class or module that cannot be set up."""
    return isinstance(test, unittest.TestCase) and type(test).__module__ != "unittest.loader"


def _reason(err: Any) -> str:
    return f"{err[0].__name__}: {err[1]}"


def _flat(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    for part in suite:
        if isinstance(part, unittest.TestSuite):
            yield from _flat(part)
        else:
            yield part


def main() -> None:
    """Discover below the working directory, then collect or run all tests, or those with the ids given."""
    _path()  # read before the repository's own code can change the environment
    only = set(sys.argv[2:])
    tests = [test for test in _flat(unittest.defaultTestLoader.discover(".")) if not only or test.id() in only]
    for test in tests:
        _say("collected", test.id(), "")
    if sys.argv[1] == "run":
        unittest.TextTestRunner(resultclass=Recorder).run(unittest.TestSuite(tests))  # type: ignore[arg-type]
    _say("end", "", "")


if __name__ == "__main__":
    main()
