"""Implied: what tests are seen to use although no file says that they need it. Only well-known test tools: nothing is
installed because its name looks like that of a module."""

import re
from collections.abc import Iterator
from pathlib import Path

from .sources import is_test, paths

SETTINGS = ("pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml", "pyproject.toml", "tox.ini", "setup.cfg")
BY_SETTINGS = {  # options and settings of plugins, without which pytest refuses to begin
    r"--(no-)?cov\b": "pytest-cov",
    r"--numprocesses\b|\s-n[ =]?(auto|\d+)\b|--dist[ =]": "pytest-xdist",
    r"--timeout\b": "pytest-timeout",
    r"\basyncio_(mode|default)": "pytest-asyncio",
    r"\btrio_mode": "pytest-trio",
    r"--benchmark-": "pytest-benchmark",
    r"--reruns\b": "pytest-rerunfailures",
    r"--(doctest-plus|doctest-rst)|\bdoctest_plus": "pytest-doctestplus",
    r"--codspeed": "pytest-codspeed",
    r"--mypy\b": "pytest-mypy",
    r"--ruff\b": "pytest-ruff",
    r"--flake8\b": "pytest-flake8",
    r"--strict-order|--random-order": "pytest-random-order",
}
BY_TESTS = {  # modules that are imported, fixtures and marks
    r"^\s*(import|from) hypothesis\b": "hypothesis",
    r"^\s*(import|from) freezegun\b": "freezegun",
    r"^\s*(import|from) time_machine\b": "time-machine",
    r"^\s*(import|from) mock\b": "mock",
    r"^\s*(import|from) pretend\b": "pretend",
    r"^\s*(import|from) trustme\b": "trustme",
    r"^\s*(import|from) trio\b": "trio",
    r"^\s*(import|from) parameterized\b": "parameterized",
    r"^\s*(import|from) ddt\b": "ddt",
    r"^\s*(import|from) testfixtures\b": "testfixtures",
    r"^\s*(import|from) responses\b": "responses",
    r"^\s*(import|from) respx\b": "respx",
    r"^\s*(import|from) psutil\b": "psutil",
    r"^\s*(import|from) dirty_equals\b": "dirty-equals",
    r"^\s*(import|from) zope\.testrunner\b": "zope.testrunner",
    r"^\s*(import|from) pytest_asyncio\b|@pytest\.mark\.asyncio\b": "pytest-asyncio",
    r"^\s*(import|from) pytest_trio\b|@pytest\.mark\.trio\b": "pytest-trio",
    r"@pytest\.mark\.anyio\b": "anyio",
    r"^\s*(import|from) pytest_httpbin\b|\(.*\bhttpbin(_secure)?\b.*\):": "pytest-httpbin",
    r"^\s*(import|from) pytest_httpserver\b|\(.*\bhttpserver\b.*\):": "pytest-httpserver",
    r"\(.*\bmocker\b.*\)( -> .*)?:": "pytest-mock",
    r"\(.*\bbenchmark\b.*\)( -> .*)?:": "pytest-benchmark",
    r"\(.*\bsubtests\b.*\)( -> .*)?:": "pytest-subtests",
    r"\(.*\brequests_mock\b.*\)( -> .*)?:": "requests-mock",
    r"\(.*\bdatadir\b.*\)( -> .*)?:": "pytest-datadir",
    r"\(.*\b(data|file|num)_regression\b.*\)( -> .*)?:": "pytest-regressions",
}


def implied(root: Path) -> Iterator[str]:
    """The distributions, each once."""
    settings = "\n".join(_text(root / name) for name in SETTINGS)
    tests = "\n".join(_text(path) for path in paths(root) if is_test(path.relative_to(root).as_posix()))
    for patterns, text in ((BY_SETTINGS, settings), (BY_TESTS, tests)):
        for pattern, distribution in patterns.items():
            if re.search(pattern, text, re.MULTILINE):
                yield distribution


def _text(path: Path) -> str:
    return path.read_bytes().decode(errors="replace") if path.is_file() else ""
