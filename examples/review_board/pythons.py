"""Pythons: the versions that a repository supports, as its metadata says."""

import re
from collections.abc import Iterator
from pathlib import Path

from .checkout import lenient, upwards

FILES = ("pyproject.toml", "setup.cfg", "setup.py", "PKG-INFO")
OLDEST, NEWEST = 8, 15  # of Python 3: the default for a repository that names none, and the newest that pyupgrade knows
REQUIRES = re.compile(r"""(?im)(?:requires-python|python_requires|^python)\s*[=:]\s*["'(]?\s*([^"'\n]+)""")
AT_LEAST = re.compile(r"(?:>=|~=|\^|==)\s*3\.(\d+)")
CLASSIFIED = re.compile(r"Programming Language :: Python :: (\d)(?:\.(\d+))?")


def oldest_python(root: Path) -> int:
    """The minor version of the oldest Python 3 that the repository supports."""
    required = [int(minor) for said in _required(root) for minor in AT_LEAST.findall(said)]
    classified = [int(minor) for major, minor in _classified(root) if major == "3" and minor]
    found = required[:1] or sorted(classified)[:1]
    return max(6, min(found[0], NEWEST)) if found else OLDEST


def supports_python_2(root: Path) -> bool:
    """True if the repository supports Python 2 too: then it wants no syntax of Python 3."""
    required = [*_required(root)]
    if required:
        return any(re.search(r">=?\s*2\b", said) for said in required[:1])
    return any(major == "2" for major, _ in _classified(root))


def _required(root: Path) -> Iterator[str]:
    for text in _texts(root):
        yield from REQUIRES.findall(text)


def _classified(root: Path) -> list[tuple[str, str]]:
    found: list[list[tuple[str, str]]] = [CLASSIFIED.findall(text) for text in _texts(root)]
    return next((each for each in found if each), list[tuple[str, str]]())


def _texts(root: Path) -> Iterator[str]:
    """Its own first, then those of the folders above it."""
    yield from (lenient(folder / name) for folder in upwards(root) for name in FILES if (folder / name).is_file())
