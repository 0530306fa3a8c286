"""Bench: a folder's imports and tests, run on a scratch copy with some files replaced."""

import importlib.util
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from .messages import Counts
from .process import Limits, run, scrubbed

Overlay = Mapping[str, str]  # path -> new text of the files that differ from the folder
HERE = Path(__file__).parent
LEFT_OUT = shutil.ignore_patterns(".git", ".hg", ".venv", "venv", "node_modules", "__pycache__", ".moot", ".*_cache")
SETTINGS = ("pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml", "pyproject.toml", "tox.ini", "setup.cfg")
WORST = ("passed", "skipped", "failed", "error")


@dataclass(frozen=True)
class Outcome:
    """How a test ended: passed, skipped, failed or error, and the end of its report."""

    kind: str
    why: str = ""

    @property
    def red(self) -> bool:
        """True if it failed, in whatever way."""
        return self.kind in ("failed", "error")


@dataclass(frozen=True)
class Record:
    """What a run of the tests wrote down. A run that was killed has no outcome for the tests it did not reach."""

    collected: frozenset[str]
    outcomes: Mapping[str, Outcome]
    complete: bool

    @cached_property
    def counts(self) -> Counts:
        """The tests by outcome."""
        kinds = [outcome.kind for outcome in self.outcomes.values()]
        return Counts(
            passed=kinds.count("passed"),
            failed=kinds.count("failed"),
            errors=kinds.count("error"),
            skipped=kinds.count("skipped"),
        )


@dataclass(frozen=True)
class Place:
    """A scratch copy: the code under test, and beside it a home folder and our scripts."""

    code: Path
    home: Path
    scripts: Path
    record: Path

    def lines(self) -> Iterator[list[str]]:
        """What was written down; a line that a killed process left half written is passed over."""
        text = self.record.read_text(encoding="utf-8") if self.record.exists() else ""
        return (json.loads(self.tidy(line)) for line in text.split("\n")[:-1])

    def tidy(self, text: str) -> str:
        """Without what differs from run to run: the scratch folder's name, addresses of objects."""
        return re.sub(r"\b0x[0-9a-f]{6,}", "0x...", text.replace(str(self.code) + "/", "").replace(str(self.code), "."))


class Bench:
    """Runs imports and tests of `root`, each time on a fresh copy that is deleted afterwards.

    The copy comes first on the path, so that it is what is imported and not an installed package of that name.
    """

    def __init__(self, root: Path, limits: Limits | None = None) -> None:
        self.root = root
        self._limits = limits or Limits(seconds=180.0)
        self._pytest = importlib.util.find_spec("pytest") is not None

    def within(self, seconds: float) -> "Bench":
        """The same bench for runs that take this long at most."""
        return Bench(self.root, replace(self._limits, seconds=min(seconds, self._limits.seconds)))

    def imports(self, overlay: Overlay, files: Sequence[str], modules: Sequence[str]) -> dict[str, str]:
        """Compile the files and import the modules, all in one process: name -> error, empty where it went well."""
        with self._place(overlay) as place:
            wanted = place.home / "wanted.json"
            wanted.write_text(json.dumps({"files": list(files), "modules": list(modules)}), encoding="utf-8")
            self._run(place, [str(place.scripts / "importer.py"), str(wanted), str(place.record)])
            found = {line[0]: line[1] for line in place.lines()}
        return {name: found.get(name, "the process ended before") for name in [*files, *modules]}

    def collect(self, overlay: Overlay) -> Record:
        """Find the tests without running them."""
        return self._tests(overlay, ["--collect-only"] if self._pytest else ["collect"])

    def tests(self, overlay: Overlay, only: Sequence[str] = ()) -> Record:
        """Run all tests, or those with the given ids."""
        return self._tests(overlay, [*([] if self._pytest else ["run"]), *only])

    def _tests(self, overlay: Overlay, arguments: Sequence[str]) -> Record:
        with self._place(overlay) as place:
            self._run(place, [*(_pytest(place) if self._pytest else [str(place.scripts / "unittests.py")]), *arguments])
            return _record(place)

    def _run(self, place: Place, arguments: Sequence[str]) -> None:
        roots = [place.code / "src"] if (place.code / "src").is_dir() else []
        path = ":".join(str(folder) for folder in [*roots, place.code, place.scripts])
        env = scrubbed(
            place.home,
            PYTHONPATH=path,
            CI="true",  # where hypothesis and its like draw the same examples each time
            PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",
            REVIEW_RECORD=str(place.record),
            REVIEW_TEST_SECONDS=str(self._limits.seconds / 3),
        )
        run([sys.executable, *arguments], place.code, env, self._limits, writable=[place.code.parent])

    @contextmanager
    def _place(self, overlay: Overlay) -> Iterator[Place]:
        with tempfile.TemporaryDirectory(prefix="moot-proof-", ignore_cleanup_errors=True) as name:
            scratch = Path(name).resolve()
            place = Place(scratch / "code", scratch / "home", scratch / "scripts", scratch / "record.jsonl")
            shutil.copytree(self.root, place.code, symlinks=True, ignore=LEFT_OUT)
            for path, text in overlay.items():
                (place.code / path).write_bytes(text.encode())
            place.home.mkdir()
            place.scripts.mkdir()
            for script in ("recorder.py", "importer.py", "unittests.py"):
                target = "review_board_recorder.py" if script == "recorder.py" else script
                shutil.copyfile(HERE / script, place.scripts / target)
            yield place


def _pytest(place: Place) -> list[str]:
    settings = [] if any((place.code / name).exists() for name in SETTINGS) else ["-c", str(_no_settings(place))]
    plugins = ["-p", "review_board_recorder", "-p", "no:cacheprovider"]
    return ["-m", "pytest", "-q", "--rootdir", str(place.code), "-o", "addopts=", *settings, *plugins]


def _no_settings(place: Place) -> Path:
    """An empty file of settings: without one pytest would look for some above the scratch folder."""
    path = place.scripts / "pytest.ini"
    path.write_text("[pytest]\n", encoding="utf-8")
    return path


def _record(place: Place) -> Record:
    collected: set[str] = set()
    outcomes: dict[str, Outcome] = {}
    complete = False
    for kind, test, outcome, why in place.lines():
        complete = complete or kind == "end"
        if kind == "collected":
            collected.add(test)
        elif kind == "test":
            before = outcomes.get(test, Outcome("passed"))
            outcomes[test] = max(before, Outcome(outcome, why), key=lambda seen: WORST.index(seen.kind))
    return Record(frozenset(collected), outcomes, complete)
