"""Environment: the interpreter and the command that a repository's tests run with, found where the repository lies.

What is given counts first, then what the repository has, then hustings's own environment. Only interpreters are
started, to see what they can import.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from hustings.protocols import UsageError

from .checkout import upwards
from .command import command_of

NEW = "import sys; print(sys.version_info[:2] >= (3, 9))"
PYTEST = "import importlib.util as u; print(u.find_spec('pytest') is not None)"
MANAGERS = (  # what a repository has that is managed by it, and how it names its environment
    ("poetry.lock", ("poetry", "env", "info", "--path")),
    ("pdm.lock", ("pdm", "info", "--env")),
    ("hatch.toml", ("hatch", "env", "find")),
)
NONE = "hustings's own environment: the folder has none (--python PATH names one, --install builds one)"
BUILT = "an environment built from its metadata"
SECONDS = 20.0  # for one answer of a manager or an interpreter


class Environment(NamedTuple):
    """`python`: the path of an interpreter; empty: hustings's own. `tests`: the command, its first word "python" for
    that interpreter. `why`: what was chosen, and the reasons."""

    python: str
    tests: str
    why: str


class Found(NamedTuple):
    """An interpreter, and where it was found."""

    python: Path
    where: str


def choose(root: Path, python: str = "", tests: str = "", install: bool = False) -> Environment:
    """How to run the tests of this folder; `install`: an environment is built where the folder has none.

    Raises UsageError: the interpreter that was given is none, or the command cannot be read."""
    arguments(tests)
    found = _given(python) if python else _own(root)
    command, from_where = (tests, "--tests") if tests else command_of(root)
    python = str(found.python) if found else ""
    reason = f"from {from_where}" if from_where else "because no file of the folder names a command"
    if not command:
        pytest = has_pytest(python) if python else install or has_pytest(sys.executable)
        command = f"python -m {'pytest' if pytest else 'unittest'}"
    where = found.where if found else BUILT if install else NONE
    return Environment(python, command, f"`{command}` {reason}, with {where}")


def _given(python: str) -> Found:
    """A path, or a folder with an environment. Raises UsageError."""
    path = Path(shutil.which(python) or python).absolute()
    path = next((each for each in _inside(path) if each.exists()), path)
    if not _usable(path):
        raise UsageError(
            f"--python {python} cannot be used",
            "it is no Python of version 3.9 or newer",
            "Give the path of an interpreter, or of the folder of a virtual environment.",
        )
    return Found(path, "--python")


def _own(root: Path) -> Found | None:
    """The first usable interpreter that belongs to the folder, or to a folder above it in the same checkout."""
    seen: set[Path] = set()
    for found in _candidates(root):
        if found.python not in seen and _usable(found.python):
            return found
        seen.add(found.python)
    return None


def _candidates(root: Path) -> Iterator[Found]:
    for folder in upwards(root):
        for name in (".venv", "venv", "env"):
            yield from (Found(python, f"{folder.name}/{name}") for python in _inside(folder / name))
        if (folder / ".pdm-python").is_file():
            yield Found(Path((folder / ".pdm-python").read_text().strip()), ".pdm-python")
        for lock, command in MANAGERS:
            if (folder / lock).is_file() and (place := _answer(command, folder)):
                yield from (Found(python, f"`{' '.join(command)}`") for python in (Path(place), *_inside(Path(place))))
        for name in (".tox", ".nox"):
            for session in sorted((folder / name).glob("*"), key=_likely):
                yield from (Found(python, f"{folder.name}/{name}/{session.name}") for python in _inside(session))
    active = os.environ.get("VIRTUAL_ENV", "")
    if active and Path(active).resolve() != Path(sys.prefix).resolve():
        yield from (Found(python, "the active virtual environment") for python in _inside(Path(active)))


def _inside(place: Path) -> Iterator[Path]:
    """Where an environment has its interpreter."""
    yield place / "bin" / "python"


def _likely(place: Path) -> tuple[bool, bool, str]:
    """Sessions for tests first, then those for this version of Python."""
    version = f"{sys.version_info.major}{sys.version_info.minor}"
    name = place.name.replace(".", "").replace("-", "")
    return not (name.startswith(("py", "test", "unit")) or "test" in name), version not in name, name


def _answer(command: tuple[str, ...], folder: Path | None = None) -> str:
    """What a command prints; empty if it is not here, or fails."""
    if not shutil.which(command[0]):
        return ""
    try:
        ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return ran.stdout.strip() if ran.returncode == 0 else ""


def _usable(python: Path) -> bool:
    """True if it starts, and is new enough for what runs in it."""
    return os.access(python, os.X_OK) and python.is_file() and _answer((str(python), "-c", NEW)) == "True"


def has_pytest(python: str) -> bool:
    """True if the interpreter has pytest."""
    return _answer((python, "-c", PYTEST)) == "True"


def arguments(command: str) -> list[str]:
    """The words of a command. Raises UsageError: a quote is not closed."""
    try:
        return shlex.split(command)
    except ValueError as error:
        raise UsageError(f"--tests {command!r} cannot be read", str(error), "Write it as in a shell.") from None
