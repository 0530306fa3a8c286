"""What a repository's tests need, as its own files have it."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from configparser import ConfigParser, Error
from pathlib import Path
from typing import Any, NamedTuple

NAMES = ("test", "tests", "testing", "dev", "develop", "development")
FILES = tuple(
    pattern.format(name)
    for name in ("tests", "test", "testing", "dev")
    for pattern in (
        "requirements-{}.txt",
        "requirements_{}.txt",
        "{}-requirements.txt",
        "{}_requirements.txt",
        "requirements/{}.txt",
    )
)
PLAIN = re.compile(r"[A-Za-z0-9][\w.-]*(\[[\w,.-]+\])?\s*([<>=!~]=?[^;#]*)?(;.*)?")


class Requirements(NamedTuple):
    """`extras`: of the package, as "[test]" or empty. `needs`: arguments for the installer."""

    extras: str
    needs: tuple[str, ...]


def requirements(root: Path) -> Requirements:
    """All that the folder names for its tests: an extra, groups of dependencies, a file, what tox and hatch install."""
    said = _toml(root / "pyproject.toml")
    extra = _first(NAMES, [*said.get("project", {}).get("optional-dependencies", {}), *_extras(root)])
    found = [*_groups(said), *_poetry(said), *_pdm(said), *_hatch(said), *_tox(root)]
    needs = list(dict.fromkeys(need.strip() for need in found if PLAIN.fullmatch(need.strip())))
    if file := _first(FILES, [name for name in FILES if (root / name).is_file()]):
        needs += ["-r", file]
    return Requirements(f"[{extra}]" if extra else "", tuple(_joined(needs)))


def _joined(needs: Sequence[str]) -> Iterator[str]:
    """With "-r FILE" as one argument, so that each can be tried alone."""
    words = iter(needs)
    for word in words:
        yield f"-r{next(words)}" if word == "-r" else word


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode(errors="replace")) if path.is_file() else {}
    except tomllib.TOMLDecodeError:
        return {}


def _first(wanted: Sequence[str], there: Iterable[str]) -> str:
    names = set(there)
    return next((name for name in wanted if name in names), "")


def _extras(root: Path) -> list[str]:
    parser = _ini(root / "setup.cfg")
    return list(parser["options.extras_require"]) if parser.has_section("options.extras_require") else []


def _ini(path: Path) -> ConfigParser:
    parser = ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(path.read_bytes().decode(errors="replace") if path.is_file() else "")
    except Error:
        return ConfigParser()
    return parser


def _groups(said: Mapping[str, Any]) -> Iterator[str]:
    """Dependency groups: https://peps.python.org/pep-0735/"""
    groups = said.get("dependency-groups", {})
    name = _first(NAMES, groups)
    yield from _group(groups, name, set())


def _group(groups: Mapping[str, Any], name: str, seen: set[str]) -> Iterator[str]:
    for need in groups.get(name, ()) if name not in seen else ():
        if isinstance(need, str):
            yield need
        else:
            yield from _group(groups, need["include-group"], {*seen, name})


def _poetry(said: Mapping[str, Any]) -> Iterator[str]:
    """Names only: the installer resolves them anew."""
    poetry = said.get("tool", {}).get("poetry", {})
    groups = poetry.get("group", {})
    yield from groups.get(_first(NAMES, groups), {}).get("dependencies", {})
    yield from poetry.get("dev-dependencies", {})


def _pdm(said: Mapping[str, Any]) -> Iterator[str]:
    groups = said.get("tool", {}).get("pdm", {}).get("dev-dependencies", {})
    yield from groups.get(_first(NAMES, groups), ())


def _hatch(said: Mapping[str, Any]) -> Iterator[str]:
    envs = said.get("tool", {}).get("hatch", {}).get("envs", {})
    for name in ("default", "hatch-test", "test"):
        for key in ("dependencies", "extra-dependencies"):
            yield from envs.get(name, {}).get(key, ())


def _tox(root: Path) -> Iterator[str]:
    parser = _ini(root / "tox.ini")
    if parser.has_section("testenv"):
        for line in parser["testenv"].get("deps", "").splitlines():
            yield line.strip().rpartition(":")[2] if re.match(r"^[\w,{}!-]+:\s", line.strip()) else line.strip()
