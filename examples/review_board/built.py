"""What the build of a repository adds to its packages: compiled modules, a generated version."""

import json
import subprocess
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from .environment import SECONDS
from .suite import Suite

FIND = """
import importlib.util, json, sys
def folders(name):
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return []
    return list(spec and spec.submodule_search_locations or [])
print(json.dumps({name: folders(name) for name in sys.argv[1:]}))
"""
NO_PACKAGES = {"tests", "test", "testing", "docs", "doc", "examples", "benchmarks", "scripts", "tools"}
LEFT_OUT = (".pyc", ".pyo")


def built(root: Path, suite: Suite) -> Mapping[str, Path]:
    """The files that the suite's interpreter has in the installed packages of this folder and that the folder lacks, by
    their path in the folder. None for hustings's own interpreter."""
    return _built(root, suite.interpreter) if suite.python else {}


@lru_cache(64)
def _built(root: Path, interpreter: str) -> Mapping[str, Path]:
    found = [each.parent for base in (root, root / "src") for each in base.glob("*/__init__.py")]
    places = {folder.name: folder for folder in found if folder.name not in NO_PACKAGES}
    ran = subprocess.run(
        [interpreter, "-I", "-c", FIND, *places], capture_output=True, text=True, timeout=SECONDS, check=True
    )
    installed: dict[str, list[str]] = json.loads(ran.stdout)
    added: dict[str, Path] = {}
    for name, folders in installed.items():
        for folder in map(Path, folders):
            for path in sorted(each for each in folder.rglob("*") if each.is_file() and each.suffix not in LEFT_OUT):
                target = places[name] / path.relative_to(folder)
                if not target.exists():
                    added[target.relative_to(root).as_posix()] = path
    return added
