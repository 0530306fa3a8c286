"""The command that runs a repository's tests, as its own files have it."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from configparser import ConfigParser, Error
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue

from .checkout import lenient, place_in, upwards

PYTEST_SETTINGS = (
    ("pytest.ini", ""), (".pytest.ini", ""), ("pytest.toml", ""), (".pytest.toml", ""),
    ("pyproject.toml", "[tool.pytest"), ("tox.ini", "[pytest]"), ("setup.cfg", "[tool:pytest]"),
)  # fmt: skip
RUNS = re.compile(r"(?:^|[\s;&|\"'])((?:python[\d.]*\s+-m\s+)?(?:pytest|py\.test|unittest)\b[^\n;&|#]*)")
SESSION_RUN = re.compile(r"session\.run\(([^()]*)\)")
WORD = re.compile(r"[\w./:=,@+*-]+")  # no substitution by a shell, make or tox
CHOOSES = ("-m", "-k", "--ignore", "--ignore-glob", "--deselect", "--import-mode")
ALONE = ("--doctest-modules", "--pyargs")


class Hint(NamedTuple):
    """A command line, and the file that has it."""

    line: str
    where: str


def command_of(root: Path) -> tuple[str, str]:
    """The command, and where it is from: settings of pytest, else what tox, nox, hatch, make or CI run, else settings
    of pytest above the folder; else both are empty."""
    if found := _settings(root, root):
        return found
    for hint in _hints(root):
        if command := _plain(hint.line, root):
            return command, hint.where
    above = [found for folder in upwards(root)[1:] if (found := _settings(root, folder))]
    return above[0] if above else ("", "")


def _settings(root: Path, folder: Path) -> tuple[str, str] | None:
    for name, mark in PYTEST_SETTINGS:
        if (folder / name).is_file() and mark in lenient(folder / name):
            return "python -m pytest", f"the settings of pytest in {'../' * place_in(root, folder).count('/')}{name}"
    return None


def _hints(root: Path) -> Iterator[Hint]:
    yield from _tox(root / "tox.ini")
    yield from _toml(root / "pyproject.toml")
    yield from _toml(root / "hatch.toml")
    if (root / "noxfile.py").is_file():
        for call in SESSION_RUN.findall(lenient(root / "noxfile.py")):
            yield from _calls(shlex.join(re.findall(r"[\"']([^\"']*)[\"']", call)), "noxfile.py")
    for name in ("Makefile", "justfile", "Justfile"):
        if (root / name).is_file():
            yield from _calls(lenient(root / name), name)
    for path in sorted((root / ".github" / "workflows").glob("*.y*ml")):
        yield from _calls(lenient(path), path.relative_to(root).as_posix())


def _tox(path: Path) -> Iterator[Hint]:
    parser = ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(lenient(path) if path.is_file() else "")
    except Error:
        return
    for section in sorted(parser.sections(), key=lambda name: name != "testenv"):
        if section.startswith("testenv"):
            yield from _calls(parser[section].get("commands", ""), f"{path.name} [{section}]")


def _toml(path: Path) -> Iterator[Hint]:
    """The commands of tox, hatch, pdm and poe, wherever they lie in the file."""
    try:
        said = tomllib.loads(lenient(path) if path.is_file() else "")
    except tomllib.TOMLDecodeError:
        return
    tools = said.get("tool", {}) if path.name == "pyproject.toml" else {"hatch": said}
    for tool in ("tox", "hatch", "pdm", "poe"):
        for text in _strings(tools.get(tool, {})):
            yield from _calls(text, f"{path.name} [tool.{tool}]")


def _strings(value: JsonValue) -> Iterator[str]:
    """Every text in it; a list of texts also as one line."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield " ".join(each for each in value if isinstance(each, str))
        yield from (text for each in value for text in _strings(each))
    elif isinstance(value, dict):
        yield from (text for each in value.values() for text in _strings(each))


def _calls(text: str, where: str) -> Iterator[Hint]:
    for line in text.replace("\\\n", " ").splitlines():
        if "pip install" not in line and (found := RUNS.search(line)):
            yield Hint(found[1].strip(), where)


def _plain(line: str, root: Path) -> str:
    """The command with what chooses the tests, and nothing else; empty if it is none."""
    try:
        words = shlex.split(line if not line.count('"') % 2 and not line.count("'") % 2 else line.rstrip("\"'"))
    except ValueError:
        return ""
    words = words[2:] if words[0].startswith("python") else words
    runner, rest = words[0], iter(words[1:])
    if runner == "unittest":
        return shlex.join(["python", "-m", "unittest", *(word for word in rest if WORD.fullmatch(word))])
    return shlex.join(["python", "-m", "pytest", *_choosing(rest, root)])


def _choosing(words: Iterator[str], root: Path) -> Iterator[str]:
    """Paths that are there, and the options that choose tests, with their values."""
    for word in words:
        name, _, value = word.partition("=")
        if name in CHOOSES:
            yield from [word] if value else [word, next(words, "")]
        elif name in ALONE or (not word.startswith("-") and (root / word.partition("::")[0]).exists()):
            yield word
