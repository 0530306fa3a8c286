"""Bench: a folder's imports and tests, run on a scratch copy with some files replaced."""

import json
import re
import shutil
import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from hustings.agents import Completed, Limits, run_contained, scrubbed

from .built import own
from .checkout import place_in, top_of
from .gaps import said
from .records import Record, record_of, record_of_command
from .suite import Suite

Overlay = Mapping[str, str]  # path -> new text of the files that differ from the folder
HERE = Path(__file__).parent
SCRIPTS = {"recorder.py": "review_board_recorder.py", "importer.py": "importer.py", "unittests.py": "unittests.py"}
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".hg", ".venv", "venv", "node_modules", "__pycache__", ".hustings", ".*_cache"
)
LONGEST_TEST = 60.0  # seconds


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
    """Runs imports and tests of `root`, each time on a fresh copy of its checkout that is deleted afterwards.

    The copy comes first on the path, so that it is what is imported and not an installed package of that name. What the
    suite's own environment has of that package beyond the folder (compiled modules, a generated version) is added.
    """

    def __init__(self, root: Path, limits: Limits | None = None, suite: Suite | None = None) -> None:
        self.root = root
        self.suite = suite or Suite()
        self.limits = limits or Limits(seconds=180.0)

    def within(self, seconds: float) -> "Bench":
        """The same bench for runs that take this long at most."""
        return Bench(self.root, replace(self.limits, seconds=min(seconds, self.limits.seconds)), self.suite)

    def imports(self, overlay: Overlay, files: Sequence[str], modules: Sequence[str]) -> dict[str, str]:
        """Compile the files and import the modules, all in one process: name -> error, empty where it went well."""
        with self._place(overlay) as place:
            wanted = place.home / "wanted.json"
            wanted.write_text(json.dumps({"files": list(files), "modules": list(modules)}), encoding="utf-8")
            command = [self.suite.interpreter, str(place.scripts / "importer.py"), str(wanted), str(place.record)]
            self._run(place, command)
            found = {line[0]: line[1] for line in place.lines()}
        return {name: found.get(name, "the process ended before") for name in [*files, *modules]}

    def collect(self, overlay: Overlay) -> Record:
        """Find the tests without running them."""
        return self._tests(overlay, collect=True)

    def tests(
        self, overlay: Overlay, only: Sequence[str] = (), without: Sequence[str] = (), backwards: bool = False
    ) -> Record:
        """Run all tests, or those with the given ids, except those of `without`; backwards: the last module first."""
        return self._tests(overlay, only, without, backwards)

    def _tests(
        self,
        overlay: Overlay,
        only: Sequence[str] = (),
        without: Sequence[str] = (),
        backwards: bool = False,
        collect: bool = False,
    ) -> Record:
        if self.suite.lacks:
            return Record(frozenset(), {}, self.suite.lacks)
        with self._place(overlay) as place:
            given = {
                "record": str(place.record),
                "seconds": min(LONGEST_TEST, self.limits.seconds / 3),
                "tests": list(only),
                "without": list(without),
                "backwards": backwards,
                "collect": collect,
            }
            asked = place.scripts / "given.json"
            asked.write_text(json.dumps(given), encoding="utf-8")
            ran = self._run(place, self.suite.command(place.scripts), collect, asked)
            lines = [*place.lines()]
            if lines or self.suite.runner:
                return record_of(lines, ran.code is None, lambda: self._how(place, ran))
            return record_of_command(self.suite.tests, ran.code, self._how(place, ran))

    def _how(self, place: Place, ran: Completed) -> str:
        """How a run ended that did not come to its end, in words; with what it printed last if it gave up by itself."""
        if ran.stopped:
            return ran.stopped
        last = said(place.tidy(ran.err)) or said(place.tidy(ran.out))
        return f"the run ended with exit code {ran.code}" + (f" ({last})" if last and ran.code else "")

    def _run(self, place: Place, command: Sequence[str], collect: bool = False, given: Path | None = None) -> Completed:
        env = scrubbed(
            place.home,
            Path(self.suite.interpreter).parent,
            CI="true",  # where hypothesis and its like draw the same examples each time
            **self.suite.environment(place.code, own(self.root, self.suite).roots, place.scripts, collect),
            **({"REVIEW_GIVEN": str(given)} if given else {}),
        )
        scratch = [place.home.parent]
        return run_contained(command, place.code, env, self.limits, writable=scratch, readable=None)

    @contextmanager
    def _place(self, overlay: Overlay) -> Generator[Place]:
        with tempfile.TemporaryDirectory(prefix="hustings-proof-", ignore_cleanup_errors=True) as name:
            scratch = Path(name).resolve()
            top = top_of(self.root)
            code = scratch / "code" / place_in(self.root, top)
            place = Place(code, scratch / "home", scratch / "scripts", scratch / "record.jsonl")
            shutil.copytree(top, scratch / "code", symlinks=True, ignore=LEFT_OUT)
            for path, source in own(self.root, self.suite).added.items():
                (place.code / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, place.code / path)
            for path, text in overlay.items():
                (place.code / path).write_bytes(text.encode())
            place.home.mkdir()
            place.scripts.mkdir()
            for script, target in SCRIPTS.items():
                shutil.copyfile(HERE / script, place.scripts / target)
            yield place
