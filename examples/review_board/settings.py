"""Settings: a repository's own configuration of its tools, in whatever file they would look."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from configparser import ConfigParser, Error
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NamedTuple

from hustings import Claim

from .checkout import lenient, place_in, upwards
from .severity import finding
from .sources import paths

RUFF_FILES = ("ruff.toml", ".ruff.toml", "pyproject.toml")
RUFF_MARKS = (("ruff.toml", ""), (".ruff.toml", ""), ("pyproject.toml", "[tool.ruff"))
FLAKE8_MARKS = ((".flake8", ""), ("setup.cfg", "[flake8"), ("tox.ini", "[flake8"))
RUFF_ORDERS = r"""(?m)^\[(tool\.ruff\.)?(lint\.)?isort\]|^(lint\.)?isort\.|select\s*=\s*\[[^]]*["'](I|I001|ALL)["']"""
ISORT_MARKS = ((".isort.cfg", ""), ("pyproject.toml", "[tool.isort"), ("setup.cfg", "[isort]"), ("tox.ini", "[isort]"))
PRE_COMMIT = ".pre-commit-config.yaml"
MYPY_MARKS = (
    ("mypy.ini", ""), (".mypy.ini", ""), ("pyproject.toml", "[tool.mypy"), ("setup.cfg", "[mypy"), (PRE_COMMIT, "mypy"),
)  # fmt: skip
TY_MARKS = (("ty.toml", ""), ("pyproject.toml", "[tool.ty"), (PRE_COMMIT, "id: ty"))
PYRIGHT_MARKS = (
    ("pyrightconfig.json", ""),
    ("pyproject.toml", "[tool.pyright"),
    ("pyproject.toml", "[tool.basedpyright"),
)
FORMAT_MARKS = (
    ("pyproject.toml", "[tool.ruff.format"), ("ruff.toml", "[format"), (".ruff.toml", "[format"),
    ("pyproject.toml", "[tool.black]"), (PRE_COMMIT, "id: ruff-format"), (PRE_COMMIT, "id: black"),
    ("Makefile", "ruff format"), ("tox.ini", "ruff format"),
)  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """The rules that a repository waives, the files that it excludes, and the settings files that cannot be read.

    `waived` are (pattern of files, codes, where that is written), `excluded` (pattern, where).
    """

    waived: tuple[tuple["Pattern", tuple[str, ...], str], ...]
    excluded: tuple[tuple["Pattern", str], ...]
    claims: tuple[Claim, ...]

    def waiver(self, path: str, code: str) -> str:
        """Where the repository waives the rule for this file; empty if nowhere."""
        for pattern, codes, where in self.waived:
            if pattern.fits(path) and any(code.startswith(prefix) for prefix in codes):
                return where
        return ""

    def exclusion(self, path: str) -> str:
        """Where the repository excludes the file; empty if nowhere."""
        return next((where for pattern, where in self.excluded if pattern.fits(path)), "")


class Pattern(NamedTuple):
    """A pattern of files; `below` is the path of the reviewed folder from where the pattern is written."""

    said: str
    below: str

    def fits(self, path: str) -> bool:
        """True if it fits a path in the reviewed folder."""
        return matches(self.below + path, self.said)


def read_settings(root: Path) -> Settings:
    """The settings of ruff and flake8 in the nearest files that have some; an unreadable file becomes a claim."""
    found = _Found(root)
    for path in _nearest(root, RUFF_MARKS):
        found.toml(path)
    for path in _nearest(root, FLAKE8_MARKS):
        found.ini(path)
    return Settings(tuple(found.waived), tuple(found.excluded), tuple(found.claims))


def _nearest(root: Path, marks: Sequence[tuple[str, str]]) -> list[Path]:
    """The files of these names in the folder; if none has such settings, in the nearest folder above where one has."""
    for folder in upwards(root):
        files = [(folder / name, mark) for name, mark in marks if (folder / name).is_file()]
        if any(mark in lenient(path) for path, mark in files):
            return [path for path, _ in files]
    return [root / name for name, _ in marks if (root / name).is_file()]


def has_ruff_settings(root: Path) -> bool:
    """True if ruff would find settings of its own anywhere in the folder, or above it in the checkout."""
    folders = {*upwards(root), *(path.parent for path in paths(root))}
    files = ((folder / name, mark) for folder in folders for name, mark in RUFF_MARKS)
    return any(path.is_file() and mark in lenient(path) for path, mark in files)


def names_target(root: Path) -> bool:
    """True if the settings of ruff name the oldest Python. (black names several.)"""
    found = (lenient(path) for path in _nearest(root, RUFF_MARKS))
    return any(re.search(r"""(?m)^target-version\s*=\s*["']py""", text) for text in found)


def orders_imports_with_ruff(root: Path) -> bool:
    """True if the repository lets ruff order its imports, and has no settings for isort."""
    if any(_says(root / name, mark) for name, mark in ISORT_MARKS):
        return False
    return any(_reads(root / name, RUFF_ORDERS) for name in RUFF_FILES)


def orders_imports_with_isort(root: Path) -> bool:
    """True if the repository has settings of isort, or lets it run before a commit."""
    return any(_says(root / name, mark) for name, mark in ISORT_MARKS) or _says(root / PRE_COMMIT, "id: isort")


def checks_types_with_mypy(root: Path) -> bool:
    """True if the repository has settings of mypy, or lets it run before a commit."""
    return any(_says(root / name, mark) for name, mark in MYPY_MARKS)


def names_files_for_mypy(root: Path) -> bool:
    """True if the repository's settings of mypy say what to check."""
    named = r"(?ms)^\[(tool\.)?mypy\]((?!^\[).)*^(files|packages|modules)\s*="
    files = (root / name for name in ("mypy.ini", ".mypy.ini", "pyproject.toml", "setup.cfg"))
    return any(re.search(named, lenient(path)) for path in files if path.is_file())


def checks_types_with_ty(root: Path) -> bool:
    """True if the repository has settings of ty, or lets it run before a commit."""
    return any(_says(root / name, mark) for name, mark in TY_MARKS)


def asks_for_types(root: Path) -> bool:
    """True if the repository has settings of any type checker, or promises types to its users by a py.typed."""
    asked = any(_says(root / name, mark) for name, mark in (*MYPY_MARKS, *TY_MARKS, *PYRIGHT_MARKS))
    return asked or any(path.name == "py.typed" for path in paths(root, ("py.typed",)))


def asks_for_format(root: Path) -> bool:
    """True if the repository is formatted by ruff or by black, whose format is nearly the same."""
    return any(_says(root / name, mark) for name, mark in FORMAT_MARKS)


def formats_with_ruff(root: Path) -> bool:
    """True if the repository has settings of ruff that are more than an empty section."""
    return any(_says(root / name, "[tool.ruff" if name == "pyproject.toml" else "") for name in RUFF_FILES)


def _says(path: Path, mark: str) -> bool:
    """True if the file, or one of its name above it in the checkout, says so."""
    return _reads(path, re.escape(mark))


def _reads(path: Path, pattern: str) -> bool:
    files = [folder / path.name for folder in upwards(path.parent)]
    return any(re.search(pattern, lenient(each)) for each in files if each.is_file())


def matches(path: str, pattern: str) -> bool:
    """True if the pattern names the file, one of its folders, or a glob of either."""
    pattern = pattern.removeprefix("./").rstrip("/")
    parts = path.split("/")
    folders = ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
    return any(fnmatch(name, pattern) for name in (*folders, *parts))


class _Found:
    """The settings read so far."""

    def __init__(self, root: Path) -> None:
        self.waived: list[tuple[Pattern, tuple[str, ...], str]] = []
        self.excluded: list[tuple[Pattern, str]] = []
        self.claims: list[Claim] = []
        self._root = root
        self._below = ""

    def _begin(self, path: Path) -> str:
        """The name of the file from the reviewed folder; what follows is of this file."""
        self._below = place_in(self._root, path.parent)
        return "../" * self._below.count("/") + path.name

    def toml(self, path: Path) -> None:
        """Settings of ruff."""
        name = self._begin(path)
        try:
            said: Any = tomllib.loads(path.read_bytes().decode())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            self._unreadable(name, error)
            return
        ruff = said.get("tool", {}).get("ruff", {}) if path.name == "pyproject.toml" else said
        for part, key in ((ruff, name), (ruff.get("lint", {}), name)):
            self._waive("*", part.get("ignore", ()), key)
            self._waive("*", part.get("extend-ignore", ()), key)
            for table in ("per-file-ignores", "extend-per-file-ignores"):
                for pattern, codes in part.get(table, {}).items():
                    self._waive(pattern, codes, key)
            for table in ("exclude", "extend-exclude"):
                self._exclude(part.get(table, ()), key)

    def ini(self, path: Path) -> None:
        """Settings of flake8."""
        name = self._begin(path)
        parser = ConfigParser(interpolation=None, strict=False)
        try:
            parser.read_string(path.read_bytes().decode())
        except (Error, UnicodeDecodeError) as error:
            self._unreadable(name, error)
            return
        if parser.has_section("flake8"):
            said = parser["flake8"]
            self._waive("*", [*_words(said.get("ignore", "")), *_words(said.get("extend-ignore", ""))], name)
            for pattern, codes in _per_file(said.get("per-file-ignores", "")):
                self._waive(pattern, codes, name)
            words = [*_words(said.get("exclude", "")), *_words(said.get("extend-exclude", ""))]
            self._exclude(words, name)

    def _exclude(self, patterns: Iterable[str], where: str) -> None:
        self.excluded += [(Pattern(each, self._below), where) for each in patterns]

    def _waive(self, pattern: str, codes: Iterable[str], where: str) -> None:
        if codes := tuple(codes):
            self.waived.append((Pattern(pattern, self._below), codes, where))

    def _unreadable(self, name: str, error: Exception) -> None:
        line = re.search(r"\bline:? +(\d+)", str(error))
        where = f"{name}:{line[1] if line else 1}"
        self.claims.append(finding(f"{name}:syntax", "broken", where, f"left alone: {error}", "error"))


def _words(text: str) -> list[str]:
    lines = (line.partition("#")[0] for line in text.splitlines())
    return [word for line in lines for word in re.split(r"[,\s]+", line) if word]


def _per_file(text: str) -> Iterator[tuple[str, list[str]]]:
    """flake8's "pattern,pattern: code,code" entries, separated by white space or commas."""
    patterns: list[str] = []
    codes: list[str] = []
    for word in re.findall(r"[^,\s:]+|:", text):
        if word == ":":
            patterns, codes = [*codes], []
        elif codes and patterns and not re.fullmatch(r"[A-Z]+\d*", word):
            yield from ((pattern, codes) for pattern in patterns)
            patterns, codes = [], [word]
        else:
            codes.append(word)
    yield from ((pattern, codes) for pattern in patterns)
