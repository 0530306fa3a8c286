"""Neighbours: modules in other folders of the checkout that use the reviewed packages."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from .checkout import lenient, top_of
from .modules import Module, dotted
from .sources import Source, parse, paths


def neighbours(root: Path, known: Mapping[str, Module]) -> list[Module]:
    """The modules outside of the folder that import one of these; their paths begin with "../"."""
    here, top = root.resolve(), top_of(root)
    names = sorted({name.partition(".")[0] for name in known})
    if here == top or not names:
        return []
    imports = re.compile(rf"(?m)^\s*(from|import)\b.*\b({'|'.join(map(re.escape, names))})\b")
    files = (path for path in paths(top) if not path.is_relative_to(here))
    found = (_module(path, here) for path in files if imports.search(lenient(path)))
    return [module for module in found if module]


def _module(path: Path, here: Path) -> Module | None:
    """The module; None if it cannot be parsed."""
    source = Source(Path(os.path.relpath(path, here)).as_posix(), lenient(path))
    try:
        parse(source.text)
    except (SyntaxError, RecursionError, MemoryError):
        return None
    base = next(folder for folder in path.parents if not (folder / "__init__.py").exists())
    return Module(dotted(path.relative_to(base).as_posix()), source)
