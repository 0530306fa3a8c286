"""Bench: a folder's imports and tests, run on a scratch copy with some files replaced."""

import importlib.util
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from .gaps import said
from .messages import Counts
from .process import Limits, Ran, ended, run, scrubbed

Overlay = Mapping[str, str]  # path -> new text of the files that differ from the folder
HERE = Path(__file__).parent
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".hg", ".venv", "venv", "node_modules", "__pycache__", ".hustings", ".*_cache"
)
SETTINGS = ("pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml", "pyproject.toml", "tox.ini", "setup.cfg")
WORST = ("passed", "skipped", "failed", "error")
UNREACHED = "unreached"
BROKEN_OFF = ("2", "3", "4")  # exit codes of pytest: interrupted, an error of its own, a wrong option


@dataclass(frozen=True)
class Outcome:
    """How a test ended: passed, skipped, failed, error or unreached, and the end of its report.

    `ran`: its body was run; one that is expected to fail ran and is "skipped". A module that cannot be collected, or
    skips itself, has an outcome as a test has.
    """

    kind: str
    why: str = ""
    ran: bool = False

    @property
    def red(self) -> bool:
        """True if it failed, in whatever way."""
        return self.kind in ("failed", "error")


@dataclass(frozen=True)
class Record:
    """What became of each test in a run of them. `stopped`: why the run did not come to its end, and how far it got;
    empty if it did."""

    collected: frozenset[str]
    outcomes: Mapping[str, Outcome]
    stopped: str = ""

    @property
    def complete(self) -> bool:
        """True if the run came to its end."""
        return not self.stopped

    @cached_property
    def counts(self) -> Counts:
        """The tests by outcome."""
        kinds = [outcome.kind for outcome in self.outcomes.values()]
        return Counts(
            passed=kinds.count("passed"),
            failed=kinds.count("failed"),
            errors=kinds.count("error"),
            skipped=kinds.count("skipped"),
            unreached=kinds.count(UNREACHED),
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
            runner = _pytest(place) if self._pytest else [str(place.scripts / "unittests.py")]
            ran = self._run(place, [*runner, *arguments])
            return _record([*place.lines()], lambda: self._how(place, ran))

    def _how(self, place: Place, ran: Ran) -> str:
        """How a run ended that did not come to its end, in words; with what it printed last if it gave up by itself."""
        if why := ended(ran, self._limits):
            return why
        last = said(place.tidy(ran.err)) or said(place.tidy(ran.out))
        return f"the run ended with exit code {ran.code}" + (f" ({last})" if last and ran.code else "")

    def _run(self, place: Place, arguments: Sequence[str]) -> Ran:
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
        return run([sys.executable, *arguments], place.code, env, self._limits, writable=[place.code.parent])

    @contextmanager
    def _place(self, overlay: Overlay) -> Generator[Place]:
        with tempfile.TemporaryDirectory(prefix="hustings-proof-", ignore_cleanup_errors=True) as name:
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
    options = ["--rootdir", str(place.code), "-o", "addopts=", "--continue-on-collection-errors"]
    return ["-m", "pytest", "-q", *options, *settings, *plugins]


def _no_settings(place: Place) -> Path:
    """An empty file of settings: without one pytest would look for some above the scratch folder."""
    path = place.scripts / "pytest.ini"
    path.write_text("[pytest]\n", encoding="utf-8")
    return path


def _record(lines: Sequence[Sequence[str]], how: Callable[[], str]) -> Record:
    found = list(dict.fromkeys(test for kind, test, _, _ in lines if kind == "collected"))
    outcomes: dict[str, Outcome] = {}
    for kind, test, outcome, why in lines:
        if kind == "test":
            outcomes[test] = _worse(outcomes.get(test, Outcome("passed")), _outcome(outcome, why))
    ends = [outcome for kind, _, outcome, _ in lines if kind == "end"]
    told = [why for kind, _, _, why in lines if kind == "stopped"]
    left = [test for test in found if test not in outcomes]
    stopped = "" if ends and ends[0] not in BROKEN_OFF else _broken_off(" ".join(told) or how(), found, left)
    late = Outcome(UNREACHED, stopped or " ".join(told) or "the run ended before its turn")
    return Record(frozenset(found), {**outcomes, **dict.fromkeys(left, late)}, stopped)


def _outcome(kind: str, why: str) -> Outcome:
    ran = kind in ("passed", "failed", "xfailed")
    return Outcome("skipped" if kind == "xfailed" else kind, why, ran)


def _worse(one: Outcome, other: Outcome) -> Outcome:
    worst = max(one, other, key=lambda seen: WORST.index(seen.kind))
    return replace(worst, ran=one.ran or other.ran)


def _broken_off(how: str, found: Sequence[str], left: Sequence[str]) -> str:
    if not found:
        return f"{how}, before a test was found"
    place = f", in {left[0]}" if left else ""
    return f"{how}{place}, after {len(found) - len(left)} of {len(found)} tests"
