"""An environment that is built for a repository has the package and what its tests need, and is built once."""

import subprocess
import sys
from pathlib import Path

import pytest

from hustings.examples.review_board import throwaway

from .conftest import Write

pytestmark = pytest.mark.processes


@pytest.fixture
def installs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """What is installed, offline: the installer is a command that fails for what is called missing."""
    asked: list[list[str]] = []

    def install(place: Path, what: tuple[str, ...], root: Path) -> throwaway.Command:
        asked.append([each.replace(str(root), root.name) for each in what])
        return throwaway.Command(["sh", "-c", "exit $0", str(int(any("missing" in each for each in what)))], {})

    def bare(place: Path) -> throwaway.Command:
        return throwaway.Command([sys.executable, "-m", "venv", "--without-pip", str(place)], {})

    monkeypatch.setattr(throwaway, "install", install)
    monkeypatch.setattr(throwaway, "virtual_environment", bare)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return asked


FILES = {"pyproject.toml": '[project]\nname = "one"\n[dependency-groups]\ntest = ["respx"]\n', "one.py": ""}


def test_it_is_built_once_for_the_same_metadata(write: Write, installs: list[list[str]]) -> None:
    first = throwaway.build(write(FILES))
    again = throwaway.build(write({**FILES, "two.py": ""}))
    assert (first, first.lacks) == (again, ())
    assert installs == [["repository", "pytest>=7", "respx"]]
    subprocess.run([first.python, "-c", "import sys; assert sys.prefix != sys.base_prefix"], check=True)


def test_another_metadata_is_another_environment(write: Write, installs: list[list[str]]) -> None:
    one = throwaway.build(write(FILES, "one"))
    other = throwaway.build(write({**FILES, "requirements-test.txt": "attrs\n"}, "one"))
    assert one.python != other.python
    assert installs[-1][-1] == "attrs"


def test_what_cannot_be_installed_is_told_and_the_rest_is_there(write: Write, installs: list[list[str]]) -> None:
    files = {"pyproject.toml": FILES["pyproject.toml"].replace("respx", 'respx", "missing')}
    built = throwaway.build(write(files))
    assert [each.partition(" ")[0] for each in built.lacks] == ["missing"]
    assert installs[1:] == [["pytest>=7"], ["repository"], ["respx"], ["missing"]]


def test_of_a_monorepo_each_project_is_installed(write: Write, installs: list[list[str]]) -> None:
    files = {f"packages/{name}/{path}": text for name in ("a", "b") for path, text in FILES.items()}
    throwaway.build(write({**files, "pyproject.toml": "[tool.ruff]\nline-length = 99\n", "docs/setup.py": ""}))
    assert installs == [["repository/packages/a", "repository/packages/b", "pytest>=7", "respx"]]


def test_a_folder_without_metadata_gets_pytest(write: Write, installs: list[list[str]]) -> None:
    assert throwaway.build(write({"one.py": ""})).lacks == ()
    assert installs == [["pytest>=7"]]
