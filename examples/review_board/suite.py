"""Suite: how a repository's tests are run: with which interpreter, by which command, with which options in force."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import Any

from .environment import SECONDS, arguments

PROBE = Path(__file__).with_name("probe.py")
OLDEST_PYTEST = 7
ALWAYS = ("--continue-on-collection-errors", "--maxfail=0")
QUIET = {
    "xdist": ("-n0",),
    "pytest_cov": ("--no-cov",),
    "pytest_randomly": ("-p", "no:randomly"),
    "pytest_benchmark": ("--benchmark-disable",),
}
SETTINGS = ("pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml", "pyproject.toml", "tox.ini", "setup.cfg")


@dataclass(frozen=True)
class Suite:
    """`python`: an interpreter of the repository's own; empty: hustings's. `tests`: a command, its first word "python"
    for that interpreter; empty: pytest, or unittest's discovery where there is no pytest."""

    python: str = ""
    tests: str = ""

    @property
    def interpreter(self) -> str:
        """The path of the interpreter."""
        return self.python or sys.executable

    @cached_property
    def has(self) -> Mapping[str, Any]:
        """The versions of pytest and of some plugins that the interpreter has; empty for what it lacks."""
        ran = subprocess.run(
            [self.interpreter, "-I", str(PROBE)], capture_output=True, text=True, timeout=SECONDS, check=True
        )
        found: dict[str, Any] = json.loads(ran.stdout)
        return found

    @cached_property
    def words(self) -> list[str]:
        """The command in words, the interpreter in place."""
        words = arguments(self.tests or f"python -m {'pytest' if self.has['pytest'] else 'unittest'}")
        if words[0] == "pytest":
            words[:1] = ["python", "-m", "pytest"]
        return [self.interpreter, *words[1:]] if words[0] in ("python", "python3") else words

    @property
    def runner(self) -> str:
        """pytest, unittest, or empty for a command that may run anything."""
        return self.words[2] if self.words[1:2] == ["-m"] and self.words[2:3] in (["pytest"], ["unittest"]) else ""

    @cached_property
    def lacks(self) -> str:
        """Why the tests cannot be run in this environment; empty if they can."""
        if self.runner != "pytest":
            return ""
        if not self.has["pytest"]:
            return f"{self.interpreter} has no pytest"
        if int(self.has["pytest"].partition(".")[0]) < OLDEST_PYTEST:
            return f"{self.interpreter} has pytest {self.has['pytest']}; it has to be {OLDEST_PYTEST} or newer"
        return ""

    def command(self, scripts: Path) -> list[str]:
        """What to execute; unittest runs under our own recorder."""
        if self.runner == "unittest":
            return [self.interpreter, str(scripts / "unittests.py"), *self.words[3:]]
        return self.words

    def environment(self, code: Path, roots: Sequence[str], scripts: Path, collect: bool) -> dict[str, str]:
        """The variables that the interpreter and pytest read. `roots`: where packages lie in the code."""
        path = os.pathsep.join(str(folder) for folder in [*(code / root for root in roots), scripts])
        options = [*ALWAYS, "-o", f"cache_dir={scripts / 'cache'}", *(["--collect-only"] if collect else [])]
        options += self._plugins() if self.python else ["-o", "addopts="]
        options += [] if _settings(code, scripts) else ["-c", str(_no_settings(scripts)), "--rootdir", str(code)]
        found = {
            "PYTHONPATH": path,
            "PYTEST_ADDOPTS": shlex.join(options),
            "PYTEST_PLUGINS": "review_board_recorder",
        }
        return found if self.python else {**found, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}

    def _plugins(self) -> list[str]:
        """One process, no measuring, one order: a run is like the one before it."""
        return [word for plugin, words in QUIET.items() if self.has[plugin] for word in words]


def _settings(code: Path, scripts: Path) -> bool:
    """True if pytest finds settings in the copy of the checkout. Without any it would look above it."""
    folders = takewhile(lambda folder: folder != scripts.parent, [code, *code.parents])
    return any((folder / name).exists() for folder in folders for name in SETTINGS)


def _no_settings(scripts: Path) -> Path:
    """An empty file of settings."""
    path = scripts / "pytest.ini"
    path.write_text("[pytest]\n", encoding="utf-8")
    return path
