"""What a repository's tests need, as its own files have it, and what they use although no file says so."""

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from configparser import ConfigParser, Error
from pathlib import Path
from typing import Any, NamedTuple

from .implied import implied

NAMES = ("test", "tests", "testing", "dev", "develop", "development")
FILES = tuple(
    pattern.format(name)
    for name in ("tests", "test", "testing", "pytest", "dev", "develop", "ci")
    for pattern in (
        "requirements-{}.txt",
        "requirements_{}.txt",
        "{}-requirements.txt",
        "{}_requirements.txt",
        "requirements/{}.txt",
        "requirements/requirements-{}.txt",
        "requirements/{}-requirements.txt",
        "requirements/{}.in",
        "{}/requirements.txt",
    )
)
METADATA = ("pyproject.toml", "setup.py")
NO_PROJECTS = {"tests", "test", "docs", "examples", "benchmarks", "node_modules", ".venv", "venv", ".tox", ".nox"}
NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
PLAIN = re.compile(rf"{NAME.pattern}\s*(\[[\w,\s.-]+\])?\s*\(?([<>=!~]=?[^;#]*)?(;.*)?")
INCLUDES = re.compile(r"(?:-r|--requirement)[ =]*(\S+)")
ITSELF = re.compile(r"(?:-e\s*|--editable[ =])?\.(?:/|\b)?\[([\w,\s-]+)\]")  # the package with extras


class Requirements(NamedTuple):
    """`extras`: of the package, as "[test]" or empty. `needs`: arguments for the installer."""

    extras: str
    needs: tuple[str, ...]


def requirements(root: Path) -> Requirements:
    """All that the folder names for its tests: an extra, groups of dependencies, a file, what tox, nox and hatch
    install; then what the tests are seen to use."""
    said = _toml(root / "pyproject.toml")
    there = {*said.get("project", {}).get("optional-dependencies", {}), *_extras(root)}
    file = [f"-r {name}" for name in (_first(FILES, [name for name in FILES if (root / name).is_file()]),) if name]
    found = [*_groups(said), *_poetry(said), *_pdm(said), *_hatch(said), *_tox(root, said), *_nox(root), *file]
    lines = [line.strip() for line in _expanded(found, root, set())]
    asked = [_first(NAMES, there), *(name.strip() for line in lines for name in _of_itself(line))]
    extras = [name for name in dict.fromkeys(asked) if name in there]
    needs = list(dict.fromkeys(line for line in lines if PLAIN.fullmatch(line)))
    named = {_name(need) for need in needs}
    needs += [need for need in implied(root) if _name(need) not in named]
    return Requirements(f"[{','.join(extras)}]" if extras else "", tuple(needs))


def projects(root: Path) -> list[Path]:
    """The folder, if it can be installed; else the folders in it that can: a monorepo."""
    if _installable(root):
        return [root]
    found = {path.parent for depth in ("*", "*/*") for name in METADATA for path in root.glob(f"{depth}/{name}")}
    return sorted(each for each in found if _installable(each) and NO_PROJECTS.isdisjoint(each.relative_to(root).parts))


def _installable(root: Path) -> bool:
    said = _toml(root / "pyproject.toml")
    return (root / "setup.py").is_file() or not {"project", "build-system"}.isdisjoint(said)


def _of_itself(line: str) -> list[str]:
    found = ITSELF.fullmatch(line)
    return found[1].split(",") if found else []


def _name(need: str) -> str:
    found = NAME.match(need)
    return re.sub(r"[-_.]+", "-", found[0]).lower() if found else ""


def _expanded(lines: Iterable[str], folder: Path, seen: set[Path]) -> Iterator[str]:
    """The lines, with those of the files that they include in place of these."""
    for line in lines:
        if include := INCLUDES.fullmatch(line.strip()):
            path = folder / re.sub(r"^\{[^}]*\}/", "", include[1])
            if path.is_file() and path not in seen:
                seen.add(path)
                yield from _expanded(_lines(path), path.parent, seen)
        else:
            yield line


def _lines(path: Path) -> Iterator[str]:
    """The lines of a file of requirements without comments and hashes."""
    for line in _text(path).replace("\\\n", " ").splitlines():
        yield re.sub(r"(^|\s)(#|--hash).*", "", line).strip()


def _text(path: Path) -> str:
    return path.read_bytes().decode(errors="replace") if path.is_file() else ""


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_text(path))
    except tomllib.TOMLDecodeError:
        return {}


def _first(wanted: Sequence[str], there: Iterable[str]) -> str:
    names = set(there)
    return next((name for name in wanted if name in names), "")


def _extras(root: Path) -> list[str]:
    """The extras that setup.cfg has, and those that an sdist was built with."""
    parser = _ini(root / "setup.cfg")
    found = list(parser["options.extras_require"]) if parser.has_section("options.extras_require") else []
    return [*found, *re.findall(r"(?m)^Provides-Extra: (\S+)", _text(root / "PKG-INFO"))]


def _ini(path: Path) -> ConfigParser:
    parser = ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(_text(path))
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


def _tox(root: Path, said: Mapping[str, Any]) -> Iterator[str]:
    """What [testenv] of tox.ini installs, and env_run_base of tox.toml or pyproject.toml."""
    parser = _ini(root / "tox.ini")
    if parser.has_section("testenv"):
        section = parser["testenv"]
        yield from map(_unconditional, section.get("deps", "").splitlines())
        yield from _named(re.split(r"[\s,]+", section.get("extras", "")), said, section.get("dependency_groups", ""))
    base = (_toml(root / "tox.toml") or said.get("tool", {}).get("tox", {})).get("env_run_base", {})
    yield from (each for each in base.get("deps", ()) if isinstance(each, str))
    yield from _named(base.get("extras", ()), said, " ".join(base.get("dependency_groups", ())))


def _unconditional(line: str) -> str:
    """What a line of deps installs for Python 3; empty for one that is for another variant."""
    factors, colon, need = line.strip().partition(": ")
    if not colon or not re.fullmatch(r"[\w,{}!.-]+", factors):
        return line.strip()
    return need.strip() if re.search(r"\bpy3?\b|\bpy3\d|!", factors) else ""


def _named(extras: Iterable[str], said: Mapping[str, Any], groups: str) -> Iterator[str]:
    """Extras as requirements of the package itself, and groups as what they need."""
    yield from (f".[{name}]" for name in extras if name)
    for name in re.split(r"[\s,]+", groups):
        yield from _group(said.get("dependency-groups", {}), name, set())


def _nox(root: Path) -> Iterator[str]:
    """What the sessions install that run pytest."""
    text = _text(root / "noxfile.py")
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return
    for session in (each for each in tree.body if isinstance(each, ast.FunctionDef)):
        if re.search(r"\b(pytest|unittest)\b", ast.get_source_segment(text, session) or ""):
            for call in (each for each in ast.walk(session) if isinstance(each, ast.Call)):
                if isinstance(call.func, ast.Attribute) and call.func.attr == "install":
                    words = [each.value for each in call.args if isinstance(each, ast.Constant)]
                    yield from _joined([word for word in words if isinstance(word, str)])


def _joined(words: Sequence[str]) -> Iterator[str]:
    """With "-r FILE" and "-e PLACE" as one."""
    left = iter(words)
    for word in left:
        yield f"{word} {next(left, '')}" if word in ("-r", "-e", "--requirement", "--editable") else word
