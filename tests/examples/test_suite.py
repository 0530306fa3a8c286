"""A repository's tests run with its own interpreter and command, and with what its build has added; and in time."""

import sys
import time
import venv
from dataclasses import replace
from pathlib import Path

import pytest

from hustings.examples.review_board import Bench, Patch, Proving, hunks, unified
from hustings.examples.review_board.built import own
from hustings.examples.review_board.suite import Suite
from hustings.protocols import Proposal

from .conftest import Write

pytestmark = pytest.mark.processes

TEST = "import unittest\nimport only_here\n\n\nclass T(unittest.TestCase):\n    def test_it(self):\n        pass\n"


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """An environment without pytest, with a module and a package of its own."""
    venv.create(tmp_path / "env", symlinks=True, with_pip=False)
    [site] = (tmp_path / "env" / "lib").glob("python*/site-packages")
    (site / "only_here.py").write_text("")
    (site / "pkg").mkdir()
    for name in ("__init__.py", "_version.py", "_fast.so", "old.pyc"):
        (site / "pkg" / name).write_text("v = 1\n")
    return tmp_path / "env" / "bin" / "python"


def test_the_tests_run_in_the_repositorys_environment(write: Write, python: Path) -> None:
    root = write({"test_a.py": TEST})
    assert Bench(root, suite=Suite(str(python))).tests({}).counts.passed == 1
    assert Bench(root).tests({}).counts.passed == 0


def test_an_environment_without_pytest_is_told(write: Write, python: Path) -> None:
    record = Bench(write({"test_a.py": TEST}), suite=Suite(str(python), "pytest")).tests({})
    assert record.stopped == f"{python} has no pytest"


def test_what_the_build_added_is_added_to_the_copy(write: Write, python: Path) -> None:
    """Compiled modules and generated files, and nothing that the folder has itself."""
    root = write({"src/pkg/__init__.py": "v = 2\n", "test_a.py": "from pkg import v\nfrom pkg._version import v as w\n"
                  "\ndef test_a():\n    assert (v, w) == (2, 1)\n"})  # fmt: skip
    suite = Suite(str(python), "python -m unittest")
    assert sorted(own(root, suite).added) == ["src/pkg/_fast.so", "src/pkg/_version.py"]
    assert own(root, Suite()).added == {}
    modules = Bench(root, suite=suite).imports({}, [], ["pkg._version", "test_a"])
    assert modules == {"pkg._version": "", "test_a": ""}


LAYOUTS = {"lib": "lib/pkg", "namespace": "src/space/pkg", "monorepo": "packages/one/src/pkg"}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_folders_own_code_is_tested_wherever_it_lies_and_not_the_installed_copy(
    layout: str, write: Write, python: Path
) -> None:
    """The installed one is a build of this very folder: its tests would pass whatever a patch does."""
    place = LAYOUTS[layout]
    name = "space.pkg" if layout == "namespace" else "pkg"
    [site] = python.parent.parent.glob("lib/python*/site-packages")
    if layout == "namespace":
        (site / "space").mkdir()
        (site / "pkg").rename(site / "space" / "pkg")
    info = site / "pkg-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pkg\nVersion: 1\n")
    (info / "RECORD").write_text(f"{name.replace('.', '/')}/__init__.py,,\n")
    (info / "direct_url.json").write_text('{"url": "file:///gone", "dir_info": {}}')
    test = f"import unittest\nfrom {name} import v\nfrom {name}._version import v as w\n\n\n"
    test += "class T(unittest.TestCase):\n    def test_v(self):\n        self.assertEqual((2, 1), (v, w))\n"
    root = write({f"{place}/__init__.py": "v = 2\n", "tests/test_v.py": test})
    record = Bench(root, suite=Suite(str(python), "python -m unittest discover -s tests")).tests({})
    assert [seen.kind for seen in record.outcomes.values()] == ["passed"], record


@pytest.mark.parametrize(("end", "kind"), [(0, "passed"), (3, "failed")])
def test_a_command_that_records_nothing_counts_as_one_test(end: int, kind: str, write: Write) -> None:
    command = f"sh -c 'exit {end}'"
    record = Bench(write({"a.py": ""}), suite=Suite(tests=command)).tests({})
    assert {name: seen.kind for name, seen in record.outcomes.items()} == {command: kind}


def test_pytest_is_recorded_under_whatever_command_starts_it(write: Write) -> None:
    """`make check`, a script, nox: the recorder comes by the environment."""
    root = write({"test_a.py": "def test_a():\n    pass\n", "go.sh": f"{sys.executable} -m pytest -q\n"})
    record = Bench(root, suite=Suite(tests="sh go.sh")).tests({})
    assert {name: seen.kind for name, seen in record.outcomes.items()} == {"test_a.py::test_a": "passed"}


INNER = """
    import os, subprocess, sys

    def test_inner(tmp_path):
        (tmp_path / "test_it.py").write_text("def test_it():\\n    assert 0\\n")
        ran = subprocess.run([sys.executable, "-m", "pytest", "-q"], cwd=tmp_path)
        assert ran.returncode == 1
        assert "PYTEST_ADDOPTS" not in os.environ
    """


def test_a_pytest_that_a_test_starts_is_not_recorded(write: Write) -> None:
    """As the tests of a plugin of pytest do."""
    record = Bench(write({"test_a.py": INNER})).tests({})
    assert {name: seen.kind for name, seen in record.outcomes.items()} == {"test_a.py::test_inner": "passed"}


MOD = {"a.py": "x = 1\n", "test_a.py": "import a\n\n\ndef test_a():\n    assert a.x\n"}


def proposal(root: Path, text: str) -> Proposal:
    return Proposal(id=text, edits=tuple(hunks("a.py", (root / "a.py").read_text(), text)))


def test_what_there_is_no_time_to_try_falls_and_says_so(write: Write) -> None:
    root = write(MOD)
    proving = replace(Proving.of(root), ends=time.monotonic())
    trial = proving.trial([proposal(root, "x = 2\n")])
    assert (trial.holds, [*trial.falls]) == ((), ["x = 2\n"])
    assert trial.falls["x = 2\n"] == "left unproved: the time for trials is up"


def test_with_little_time_only_the_tests_that_import_a_change_are_tried(write: Write) -> None:
    """The proof of the whole patch still runs all."""
    root = write({**MOD, "test_b.py": "def test_b():\n    pass\n"})
    proving = Proving.of(root)
    seen: list[int] = []

    class Counting(Bench):
        def tests(self, *given: object, **more: object) -> object:  # type: ignore[override]
            record = super().tests(*given, **more)  # type: ignore[arg-type]
            seen.append(len(record.outcomes))
            return record

    base = replace(proving.baseline, seconds=60.0)
    hurried = replace(proving, bench=Counting(root), baseline=base, ends=time.monotonic() + 60 * 1.5 + 59)
    assert hurried.trial([proposal(root, "x = 2\n")]).holds == ("x = 2\n",)
    assert hurried.prove(Patch(diff=unified("a.py", MOD["a.py"], "x = 2\n"), edits=1, files=1)).holds
    assert seen == [1, 2]


def test_the_proof_of_the_files_that_a_trial_ran_is_that_run(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write(MOD)
    proving = Proving.of(root)
    assert proving.trial([proposal(root, "x = 2\n")]).holds
    monkeypatch.setattr(Bench, "tests", None)  # not to be called again
    assert proving.prove(Patch(diff=unified("a.py", MOD["a.py"], "x = 2\n"), edits=1, files=1)).proved == 1
