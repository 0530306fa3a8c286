"""The judge: what a package's own tests say of a copy of it. Uses nothing of the board but the environment it built."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

SECONDS = 600
NO_PACKAGES = {"tests", "test", "docs", "examples"}  # the environment may have a folder of that name from elsewhere


class NoReport(Exception):
    """The tests ended without a report, or none of them passed."""


def worse(python: Path, folder: Path, diff: str, tests: Sequence[str], scratch: Path) -> list[str]:
    """The tests that pass on the folder and not with the patch, two times of two. Raises NoReport."""
    original, patched = (copied(folder, scratch / name, python) for name in ("original", "patched"))
    if diff:
        subprocess.run(["git", "apply", "-p1", "-"], cwd=patched, input=diff.encode(), check=True)
    broken = passing(python, original, tests) - passing(python, patched, tests)
    if broken:  # a test that fails by chance does not fail twice
        broken &= passing(python, original, tests) - passing(python, patched, tests)
    return sorted(broken)


def copied(folder: Path, place: Path, python: Path) -> Path:
    """A copy, with what the installed package has beyond it: compiled modules, a generated version."""
    shutil.copytree(folder, place, symlinks=True)
    [site] = python.parent.parent.glob("lib/python*/site-packages")
    roots = [each for source in sources(place) for each in source.iterdir()]
    for package in (each for each in roots if each.is_dir() and each.name not in NO_PACKAGES):
        for path in (each for each in (site / package.name).rglob("*") if each.is_file() and each.suffix != ".pyc"):
            target = package / path.relative_to(site / package.name)
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
    return place


def sources(copy: Path) -> list[Path]:
    """Where packages lie."""
    projects = [copy, *copy.glob("packages/*")]
    return [place for each in projects for place in (each / "src", each / "lib", each) if place.is_dir()]


def passing(python: Path, copy: Path, tests: Sequence[str]) -> set[str]:
    """The tests that pass, by pytest's report in JUnit's format. Raises NoReport."""
    report, home = copy.with_suffix(".xml"), copy.with_suffix(".home")
    home.mkdir(exist_ok=True)
    env = {
        "PATH": os.pathsep.join([str(python.parent), os.environ["PATH"]]),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join(map(str, sources(copy))),
        "PYTHONHASHSEED": "0",  # where a test is named by what a set holds
        "CI": "true",
    }
    command = [str(python), "-m", "pytest", "-q", "--continue-on-collection-errors", f"--junitxml={report}", *tests]
    ran = subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True, timeout=SECONDS, check=False)
    found: dict[str, bool] = {}
    for case in ElementTree.parse(report).iter("testcase") if report.exists() else ():
        name = f"{case.get('classname')}::{case.get('name')}"
        found[name] = found.get(name, True) and not {"failure", "error", "skipped"} & {child.tag for child in case}
    if not any(found.values()):
        raise NoReport(f"no test of {copy.name} passes: {(ran.stdout + ran.stderr)[-500:]}")
    return {name for name, passes in found.items() if passes}
