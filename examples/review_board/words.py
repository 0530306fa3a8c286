"""Words: how often code and settings of a repository write a word."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from .sources import paths

TEXTS = (
    ".py", ".pyi", ".pyx", ".pxd", ".c", ".rs", ".toml", ".cfg", ".ini", ".yml", ".yaml", ".json", ".html", ".jinja",
    ".j2", "Makefile", "Dockerfile",
)  # fmt: skip
LARGEST = 1_000_000  # bytes of a file that is read


def texts(root: Path) -> Iterator[str]:
    """Each file of code or settings."""
    for path in paths(root, TEXTS):
        if path.stat().st_size <= LARGEST:
            yield path.read_bytes().decode(errors="replace")


def counted(found: list[str]) -> Counter[str]:
    """How often these texts have each word."""
    return Counter(word for text in found for word in re.findall(r"\w+", text))
