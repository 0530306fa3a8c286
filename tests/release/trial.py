"""The wheel in a clean environment, without the repository, on each Python that is here."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from .step import ROOT, Release, Wrong, output

TEXT = "It's half past three.\nHello world\n"
NAME = "python3.1[1-9]"
ASK = "import sys, ensurepip; print(sys.version.split()[0], sys._base_executable)"


def promised() -> list[str]:
    """The versions of Python that pyproject.toml promises, as 3.11."""
    return re.findall(r"Programming Language :: Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text())


def pythons() -> dict[str, Path]:
    """The Pythons of this machine, by their full version, from 3.11: on PATH, from pyenv, and from uv."""
    found: dict[str, Path] = {}
    for path in _places():
        asked = subprocess.run([path, "-c", ASK], capture_output=True, text=True, check=False)
        if not asked.returncode:  # else a shim of pyenv, or a Python without venv
            full, real = asked.stdout.split(maxsplit=1)
            found.setdefault(full, Path(real.strip()))
    return {full: found[full] for full in sorted(found, key=lambda full: [*map(int, re.findall(r"\d+", full))])}


def _places() -> Iterator[Path]:
    for folder in map(Path, os.get_exec_path()):
        yield from folder.glob(NAME)
    home = Path.home()
    for root in (Path(os.environ.get("PYENV_ROOT", home / ".pyenv")) / "versions", home / ".local/share/uv/python"):
        yield from root.glob(f"*/bin/{NAME}")


def check_promised(found: Sequence[str]) -> str:
    """Each version of Python that pyproject.toml promises is here."""
    missing = [minor for minor in promised() if not any(full.startswith(f"{minor}.") for full in found)]
    if missing:
        why = "pyproject.toml promises it in its classifiers"
        raise Wrong(f"there is no Python {', '.join(missing)} here", why, "Install it, or take the classifier away.")
    return ", ".join(found)


def trial(release: Release, full: str, python: Path) -> str:
    """Install the wheel with the extra `demo`; run the command, the golden logs, the hello team and the demo."""
    place = release.scratch / full
    output(python, "-m", "venv", place / "env")
    pip = (place / "env/bin/python", "-m", "pip", "--disable-pip-version-check")
    output(*pip, "install", "--quiet", f"{release.wheel}[demo]", cwd=place)
    output(*pip, "check", cwd=place)
    return "; ".join((_command(release, place), _golden(place), _hello(place), _demo(place)))


def _env(place: Path) -> dict[str, str]:
    """The environment of a user who has nothing but this."""
    return {"PATH": f"{place}/env/bin:/usr/bin:/bin", "HOME": str(place), "LANG": "C.UTF-8"}


def _hustings(place: Path, *args: str, within: float) -> str:
    return output(place / "env/bin/hustings", *args, cwd=place, env=_env(place), within=within)


def _command(release: Release, place: Path) -> str:
    said = _hustings(place, "--version", within=60).strip()
    if said != f"hustings {release.version}":
        raise Wrong("the wheel has another version", said, "Build it again.")
    return said


def _golden(place: Path) -> str:
    """The suite's own test of the golden logs, on the installed package."""
    test = "tests/agents/decider/test_golden.py"
    (place / test).parent.mkdir(parents=True)
    shutil.copy(ROOT / test, place / test)
    shutil.copytree(ROOT / "tests/golden", place / "tests/golden")
    command = (place / "env/bin/python", "-P", "-m", "pytest", "-q", "-c", os.devnull, "-p", "no:cacheprovider", test)
    said = output(*command, cwd=place, env=_env(place))
    return f"golden logs: {said.splitlines()[-1]}"


def _hello(place: Path) -> str:
    (place / "text.txt").write_text(TEXT)
    said = _hustings(place, "run", "hustings.examples.hello:team", "--text", "text.txt", "-o", "json", within=180)
    if '"status": "decided"' not in said:
        raise Wrong("the hello team did not decide", said[:500], f"Run it in {place}.")
    return "hello: decided"


def _demo(place: Path) -> str:
    said = _hustings(place, "demo", within=600)
    if not (proof := re.search(r"PROOF  (holds for \d+ tests)", said)):
        raise Wrong("the demo proved nothing", said[-500:], f"Run `hustings demo` in {place}.")
    return f"demo: {proof[1]}"
