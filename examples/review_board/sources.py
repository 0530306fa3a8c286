"""Sources: the Python files of a folder, as text that can be written back unchanged."""

import ast
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hustings import Claim

from .edits import digest

SKIPPED = {"__pycache__", "node_modules", "venv", "build", "dist", "site-packages"}


@dataclass(frozen=True)
class Source:
    """One file: `path` is relative to the folder and posix; a byte order mark is the first character of `text`."""

    path: str
    text: str

    @property
    def digest(self) -> str:
        """The digest of the file's bytes."""
        return digest(self.text.encode())

    @property
    def tree(self) -> ast.Module:
        """The parsed text. Raises SyntaxError."""
        return parse(self.text)


def parse(text: str) -> ast.Module:
    """The syntax tree of a file's text, with a byte order mark or an encoding cookie. Raises SyntaxError."""
    try:
        return ast.parse(text.encode())
    except ValueError as error:  # a NUL, or a cookie that names no encoding
        raise SyntaxError(str(error)) from error


@dataclass(frozen=True)
class Sources:
    """The files that can be worked on, by path, and a Claim for each file that cannot."""

    files: Mapping[str, Source]
    claims: tuple[Claim, ...]


def is_test(path: str) -> bool:
    """True if the file belongs to the tests, by its name or one of its folders."""
    parts = path.split("/")
    return not {"test", "tests", "testing"}.isdisjoint(parts) or parts[-1].startswith(("test_", "conftest"))


def paths(root: Path, suffixes: tuple[str, ...] = (".py",)) -> Iterator[Path]:
    """The files of these kinds, sorted, without hidden folders, build folders and links."""
    for place, folders, names in os.walk(root):
        folder = Path(place)
        folders[:] = sorted(name for name in folders if name not in SKIPPED and not name.startswith("."))
        for name in sorted(names):
            if name.endswith(suffixes) and not (folder / name).is_symlink():
                yield folder / name


def read_sources(root: Path) -> Sources:
    """All Python files. Those that are not UTF-8, or no Python, are claimed and left alone."""
    files, claims = dict[str, Source](), list[Claim]()
    for path in paths(root):
        found = _read(path, path.relative_to(root).as_posix())
        if isinstance(found, Source):
            files[found.path] = found
        else:
            claims.append(found)
    return Sources(files, tuple(claims))


def _read(path: Path, name: str) -> Source | Claim:
    try:
        source = Source(name, path.read_bytes().decode())
        _ = source.tree
    except UnicodeDecodeError as error:
        return Claim(about=f"{name}:encoding", value="not UTF-8", because=f"left alone: {error.reason}")
    except (SyntaxError, RecursionError, MemoryError) as error:
        return Claim(about=f"{name}:syntax", value="broken", because=f"left alone: {error}")
    return source
