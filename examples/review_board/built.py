"""What an environment has of a repository's own packages: where they lie in the folder, and what their build adds to
it: compiled modules, a generated version."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from .environment import SECONDS
from .suite import Suite

FIND = """
import importlib.util, json, sys
from importlib import metadata

def folders(name):
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return []
    return list(spec and spec.submodule_search_locations or [])

names = set(sys.argv[1:])
for each in metadata.distributions():
    if each.read_text("direct_url.json") and "file:" in each.read_text("direct_url.json"):
        names |= {path.parts[0].partition(".")[0] for path in each.files or () if path.suffix in (".py", ".so")}
print(json.dumps({name: folders(name) for name in names if name.isidentifier()}))
"""
NO_PACKAGES = {
    "tests", "test", "testing", "docs", "doc", "examples", "benchmarks", "scripts", "tools", "node_modules", "venv",
    "env", "build", "dist",
}  # fmt: skip
LEFT_OUT = (".pyc", ".pyo")
DEPTHS = ("", "src/", "lib/", "*/", "*/*/", "*/*/*/")  # where packages lie in a folder, the usual places first


class Own(NamedTuple):
    """`roots`: the folders that packages lie in, relative. `added`: files by their path in the folder."""

    roots: tuple[str, ...]
    added: Mapping[str, Path]


def own(root: Path, suite: Suite) -> Own:
    """What the suite's interpreter has installed from this folder. Nothing is added from hustings's own interpreter."""
    usual = tuple(name for name in ("src",) if (root / name).is_dir())
    return _own(root, suite.interpreter) if suite.python else Own((*usual, ""), {})


@lru_cache(64)
def _own(root: Path, interpreter: str) -> Own:
    found = [each.parent.name for base in (root, root / "src") for each in base.glob("*/__init__.py")]
    ran = subprocess.run(
        [interpreter, "-I", "-c", FIND, *found], capture_output=True, text=True, timeout=SECONDS, check=True
    )
    installed: dict[str, list[str]] = json.loads(ran.stdout)
    usual = [root / "src"] if (root / "src").is_dir() else []
    roots, added = dict.fromkeys([*usual, root]), dict[str, Path]()
    for name, folders in installed.items():
        if place := next(_places(root, name), None):
            roots[place.parent] = None
            added.update(_added(root, place, folders))
    return Own(tuple(each.relative_to(root).as_posix() for each in roots), added)


def _places(root: Path, name: str) -> Iterator[Path]:
    """Where the folder has a package, or a module, of this name."""
    for depth in DEPTHS:
        for path in sorted([*root.glob(f"{depth}{name}"), *root.glob(f"{depth}{name}.py")]):
            inside = path.relative_to(root).parts
            usable = NO_PACKAGES.isdisjoint(inside) and not any(part.startswith(".") for part in inside)
            if usable and (path.is_file() or any(path.rglob("*.py"))) and not (path.parent / "__init__.py").exists():
                yield path


def _added(root: Path, place: Path, folders: list[str]) -> Iterator[tuple[str, Path]]:
    for folder in map(Path, folders):
        for path in sorted(each for each in folder.rglob("*") if each.is_file() and each.suffix not in LEFT_OUT):
            target = place / path.relative_to(folder)
            if not target.exists():
                yield target.relative_to(root).as_posix(), path
