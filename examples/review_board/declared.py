"""Declared: the distributions that a repository says it needs, with the lines that say so."""

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from configparser import ConfigParser, Error
from pathlib import Path
from typing import Any, NamedTuple

NAME = re.compile(r"\s*([A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)")
EXACT = re.compile(r"==\s*([\w.!+-]+)\s*(?:$|[;,#\s])")
LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml")
FILES = ("requirements*.txt", "*requirements.txt", "requirements/*.txt")


class Declared(NamedTuple):
    """`name`: normalised. `version`: where it is exact, else empty. `where`: "path:line". `runtime`: the code itself
    needs it, always; otherwise an extra, a group, or only on some machines."""

    name: str
    version: str
    where: str
    runtime: bool


def normal(name: str) -> str:
    """The name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(root: Path) -> list[Declared]:
    """All that pyproject.toml, setup.cfg, setup.py and the files of requirements name."""
    found = [*_pyproject(root), *_setup_cfg(root), *_setup_py(root)]
    runtime = not any(each.runtime for each in found)
    for path in sorted({path for pattern in FILES for path in root.glob(pattern)}):
        found += _requirements(root, path, runtime and path.name == "requirements.txt")
    return found


def locked(root: Path) -> list[Declared]:
    """What the lock files at the root have: the version of each distribution."""
    found: list[Declared] = []
    for name in LOCKS:
        lines = _text(root / name).splitlines()
        said = _toml(root / name)
        tables: list[Any] = said.get("package") or said.get("packages") or []
        for each in tables:
            if "name" in each and "version" in each:
                package = normal(str(each["name"]))
                found.append(Declared(package, str(each["version"]), f"{name}:{_line(lines, package)}", False))
    return found


def _pyproject(root: Path) -> Iterator[Declared]:
    said = _toml(root / "pyproject.toml")
    project, tool = said.get("project", {}), said.get("tool", {})
    extras = _flat([*project.get("optional-dependencies", {}).values(), *said.get("dependency-groups", {}).values()])
    extras += _flat([tool.get("uv", {}).get("dev-dependencies", []), said.get("build-system", {}).get("requires", [])])
    extras += _flat(tool.get("pdm", {}).get("dev-dependencies", {}).values())
    poetry = tool.get("poetry", {})
    groups = [
        poetry.get("dev-dependencies", {}),
        *(each.get("dependencies", {}) for each in poetry.get("group", {}).values()),
    ]
    extras += [name for group in groups for name in group]
    optional = [name for name, how in poetry.get("dependencies", {}).items() if isinstance(how, dict)]
    plain = [name for name in poetry.get("dependencies", {}) if name not in ("python", *optional)]
    yield from _said(root / "pyproject.toml", [*project.get("dependencies", ()), *plain], True)
    yield from _said(root / "pyproject.toml", [*extras, *optional], False)


def _setup_cfg(root: Path) -> Iterator[Declared]:
    parser = ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(_text(root / "setup.cfg"))
    except Error:
        return
    if parser.has_section("options"):
        yield from _said(root / "setup.cfg", parser["options"].get("install_requires", "").splitlines(), True)
    if parser.has_section("options.extras_require"):
        extras = [line for text in parser["options.extras_require"].values() for line in text.splitlines()]
        yield from _said(root / "setup.cfg", extras, False)


def _setup_py(root: Path) -> Iterator[Declared]:
    """The texts in the arguments of setup(): what is computed is not read."""
    try:
        tree = ast.parse(_text(root / "setup.py"))
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in ("install_requires", "extras_require", "tests_require"):
            texts = [each.value for each in ast.walk(node.value) if isinstance(each, ast.Constant)]
            runtime = node.arg == "install_requires" and isinstance(node.value, ast.List)
            yield from _said(root / "setup.py", [text for text in texts if isinstance(text, str)], runtime)


def _requirements(root: Path, path: Path, runtime: bool) -> Iterator[Declared]:
    for number, line in enumerate(_text(path).splitlines(), 1):
        if found := _one(line, f"{path.relative_to(root).as_posix()}:{number}", runtime):
            yield found


def _said(path: Path, lines: Iterable[str], runtime: bool) -> Iterator[Declared]:
    text = _text(path).splitlines()
    for line in lines:
        if found := _one(line, "", runtime):
            yield found._replace(where=f"{path.name}:{_line(text, found.name)}")


def _one(line: str, where: str, runtime: bool) -> Declared | None:
    match = NAME.match(line)
    if not match or ("://" in line.partition("#")[0] and "@" not in line):
        return None
    exact = EXACT.search(line.partition(";")[0].partition("#")[0] + " ")
    return Declared(normal(match[1]), exact[1] if exact else "", where, runtime and ";" not in line)


def _line(lines: list[str], name: str) -> int:
    """The first line that names it, best as a word of its own at the beginning."""
    word = "[-_.]+".join(map(re.escape, normal(name).split("-")))
    for pattern in (rf"(?i)^\s*(?:name\s*=\s*)?[\"']?{word}(?![\w-])", rf"(?i)(?<![\w-]){word}(?![\w-])"):
        for number, line in enumerate(lines, 1):
            if re.search(pattern, line):
                return number
    return 1


def _flat(groups: Iterable[Any]) -> list[str]:
    return [each for group in groups for each in group if isinstance(each, str)]


def _toml(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(_text(path))
    except tomllib.TOMLDecodeError:
        return {}


def _text(path: Path) -> str:
    return path.read_bytes().decode(errors="replace") if path.is_file() else ""
