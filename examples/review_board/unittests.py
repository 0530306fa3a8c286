"""Run as a script in the sandbox: unittest, recorded. Imports nothing of ours.

Takes the arguments of `python -m unittest`. The JSON file that REVIEW_GIVEN names has: `record`, the file to write;
`seconds` for one test; `tests`, those to run, none for all; `without`, those to leave out; `backwards`, to run the last
module first; `collect`, to find tests and run none.
"""

import json
import os
import signal
import sys
import unittest
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any


@lru_cache(None)
def _given() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(os.environ["REVIEW_GIVEN"]).read_text(encoding="utf-8"))
    return found


def _say(kind: str, test: str, outcome: str, why: str = "") -> None:
    with open(_given()["record"], "a", encoding="utf-8") as record:
        record.write(json.dumps([kind, test, outcome, why[-500:]]) + "\n")


class Recorder(unittest.TextTestResult):
    """Says the outcome of each test, and fails one that hangs."""

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        _say("began", test.id(), "")
        signal.setitimer(signal.ITIMER_REAL, float(_given()["seconds"]))

    def stopTest(self, test: unittest.TestCase) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        super().stopTest(test)

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


class Runner:
    """What unittest's own program hands its tests to."""

    def run(self, suite: unittest.TestSuite) -> unittest.TestResult:
        """Record the tests that are asked, and run them unless they are only collected."""
        wanted, without = set(_given()["tests"]), set(_given()["without"])
        tests = [test for test in _flat(suite) if (not wanted or test.id() in wanted) and test.id() not in without]
        if _given()["backwards"]:
            modules = [list(some) for _, some in groupby(tests, key=lambda test: type(test).__module__)]
            tests = [test for some in reversed(modules) for test in some]
        for test in tests:
            _say("collected", test.id(), "")
        if _given()["collect"]:
            return unittest.TestResult()
        signal.signal(signal.SIGALRM, _late)
        return unittest.TextTestRunner(resultclass=Recorder).run(unittest.TestSuite(tests))  # type: ignore[arg-type]


def _late(*_: object) -> None:
    raise TimeoutError(f"not done after {_given()['seconds']:g} s, the limit for one test")


def main() -> None:
    """Load the tests as `python -m unittest` does."""
    _given()  # read before the repository's own code can change the environment
    sys.path.insert(0, os.getcwd())
    unittest.main(module=None, argv=["python -m unittest", *sys.argv[1:]], testRunner=Runner(), exit=False)  # type: ignore[arg-type]
    _say("end", "", "")


if __name__ == "__main__":
    main()
