"""An environment for a repository that has none: built from its own metadata, kept in a cache by their digest.

The digest covers what is compiled too; Python files come from the repository, and not from the environment.

Building runs the repository's build code and fetches packages, outside of the walls; so only with consent.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from hustings import NonRetryableError

from .edits import digest
from .requirements import projects, requirements

METADATA = (
    "pyproject.toml", "setup.py", "setup.cfg", "tox.ini", "PKG-INFO", "uv.lock", "poetry.lock", "pdm.lock",
    "*requirements*.txt", "requirements/*.txt",
)  # fmt: skip
COMPILED = (".c", ".cc", ".cpp", ".h", ".hpp", ".pyx", ".pxd", ".rs", ".f", ".f90", ".toml", ".build")  # built in
ALWAYS = ("pytest>=7",)
SECONDS = 900.0  # for one installation
READY = "ready"  # the file that a complete environment has
LEFT_OUT = shutil.ignore_patterns("__pycache__", ".git", ".venv", "node_modules")


class Built(NamedTuple):
    """`python`: its interpreter. `lacks`: what could not be installed, a line each."""

    python: Path
    lacks: tuple[str, ...]


def build(root: Path) -> Built:
    """The environment for this folder, from the cache if it is there. Raises NonRetryableError: it cannot be made, or
    has no pytest."""
    place = _cache() / _key(root)
    ready = place / READY
    if not ready.is_file():
        shutil.rmtree(place, ignore_errors=True)
        lacks = _fill(root, place)
        ready.write_text("\n".join(lacks), encoding="utf-8")
    return Built(_python(place), tuple(ready.read_text(encoding="utf-8").splitlines()))


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hustings" / "environments"


def _key(root: Path) -> str:
    files = {
        path for each in {root, *projects(root)} for name in METADATA for path in each.glob(name) if path.is_file()
    }
    files |= {path for path in root.rglob("*") if path.suffix in COMPILED and path.is_file()}
    said = [f"{path.relative_to(root)} {digest(path.read_bytes())}" for path in sorted(files)]
    wanted = repr([requirements(each) for each in projects(root)])
    return digest("\n".join([sys.version, root.name, wanted, *said]).encode()).partition(":")[2][:24]


def _fill(root: Path, place: Path) -> list[str]:
    """Install the package with what its tests need; what cannot be installed with the rest is tried alone."""
    _run(virtual_environment(place), "an environment cannot be made")
    with tempfile.TemporaryDirectory(prefix="hustings-build-") as scratch:
        copy = shutil.copytree(root, Path(scratch) / root.name, symlinks=True, ignore=LEFT_OUT)
        wanted = {each: requirements(each) for each in dict.fromkeys([*projects(copy), copy])}
        package = [f"{each}{wanted[each].extras}" for each in projects(copy)]
        needs = dict.fromkeys(need for found in wanted.values() for need in found.needs)
        if not _fails(install(place, [*package, *ALWAYS, *needs], copy)):
            return []
        _run(install(place, ALWAYS, copy), "pytest cannot be installed")
        alone = {need: _fails(install(place, [need], copy)) for need in (*package, *needs)}
    return [f"{need.replace(str(copy), root.name)} ({why})" for need, why in alone.items() if why]


class Command(NamedTuple):
    """Words, and what they find in their environment beside the usual."""

    words: Sequence[str]
    env: Mapping[str, str]
    cwd: Path | None = None


def virtual_environment(place: Path) -> Command:
    """The command that makes an empty environment."""
    base = getattr(sys, "_base_executable", sys.executable)
    return Command(
        ["uv", "venv", "-q", "--python", base, str(place)] if _uv() else [base, "-m", "venv", str(place)], {}
    )


def install(place: Path, what: Sequence[str], root: Path) -> Command:
    """The command that installs these in the environment."""
    python = str(_python(place))
    words = ["uv", "pip", "install", "-q", "--python", python] if _uv() else [python, "-m", "pip", "install", "-q"]
    version = _version(root)
    return Command([*words, *what], {"SETUPTOOLS_SCM_PRETEND_VERSION": version, "PBR_VERSION": version}, root)


def _version(root: Path) -> str:
    """The version that a source distribution has; the copy has no history to read one from."""
    info = root / "PKG-INFO"
    lines = info.read_text(encoding="utf-8", errors="replace").splitlines() if info.is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("Version:")), "0.0.0")


def _python(place: Path) -> Path:
    return place / "bin" / "python"


def _uv() -> bool:
    return shutil.which("uv") is not None


def _fails(command: Command) -> str:
    """Why the command fails; empty if it does not."""
    try:
        ran = subprocess.run(
            command.words, env={**os.environ, **command.env}, cwd=command.cwd, capture_output=True, text=True,
            timeout=SECONDS, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"it was not done after {SECONDS:.0f} s"
    lines = [line for line in (ran.stderr or ran.stdout).splitlines() if line.strip()]
    errors = [line.strip() for line in lines if "error" in line.lower()] or [line.strip() for line in lines[-1:]]
    return "" if ran.returncode == 0 else " ".join(errors[-2:])[:300] or f"it ended with {ran.returncode}"


def _run(command: Command, what: str, fails: Callable[[Command], str] = _fails) -> None:
    if why := fails(command):
        raise NonRetryableError(what, why)
