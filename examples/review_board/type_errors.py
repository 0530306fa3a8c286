"""Type errors: mypy's findings as Claims."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hustings import Claim, Evidence

from .checkout import fence, nearest
from .messages import Findings
from .rewriters import portions
from .settings import checks_types_with_mypy
from .sources import is_test, paths, read_sources
from .tools import call

ABOUT_THE_MACHINE = (
    "import-not-found",
    "import-untyped",
)  # these depend on what is installed here, not on the repository
SETTINGS = ("mypy.ini", ".mypy.ini", "pyproject.toml", "setup.cfg")


def type_errors(root: Path, bold: bool = False) -> Findings:
    """One Claim for each line with errors: about "path:line:types", value "wrong". `root` is changed.

    Tests are left out: hardly anybody annotates them, and what strict settings say of them drowns all else.
    Nothing is claimed of a repository without settings of mypy, unless `bold`: code that was not written for types has
    an error in every line. mypy gives up on the first file that does not parse, so those are taken away before.
    """
    sources = read_sources(root)
    if not (bold or checks_types_with_mypy(root)):
        return Findings(claims=sources.claims)
    fence(root)
    for path in paths(root):
        if path.relative_to(root).as_posix() not in sources.files:
            path.unlink()
    found: dict[str, Claim] = {}
    for files in portions(_without_twins(path for path in sources.files if not is_test(path)), size=2000):
        options = ["--output", "json", "--no-error-summary", "--cache-dir", ".mypy_cache"]
        out = call("mypy", [*options, *_settings(root), *files], root, ends=(0, 1))
        for claim in _claims(out.splitlines()):
            found.setdefault(claim.about, claim)
    return Findings(claims=(*sources.claims, *found.values()))


def _settings(root: Path) -> list[str]:
    return [] if any(nearest(root, name) for name in SETTINGS) else ["--config-file=", "--explicit-package-bases"]


def _without_twins(files: Iterable[str]) -> list[str]:
    """Of scripts that mypy would take for one module (two setup.py, two conftest.py) the first."""
    known = set(files)
    seen: set[str] = set()
    chosen: list[str] = []
    for path in sorted(known):
        folder, _, name = path.rpartition("/")
        alone = f"{folder}/__init__.py" not in known if folder else True
        if not alone or name not in seen:
            chosen.append(path)
        if alone:
            seen.add(name)
    return chosen


def _claims(lines: Iterable[str]) -> Iterable[Claim]:
    for line in lines:
        if line.startswith("{"):
            item: dict[str, Any] = json.loads(line)
            if item["severity"] == "error" and item["code"] not in ABOUT_THE_MACHINE:
                yield _claim(item)


def _claim(item: dict[str, Any]) -> Claim:
    where = f"{Path(item['file']).as_posix()}:{item['line']}"
    says = f"{item['message']} [{item['code']}]"
    return Claim(
        about=f"{where}:types",
        value="wrong",
        confidence=0.8,
        lineage="mypy",
        because=says,
        evidence=(Evidence(kind="rule", says=says, source=where), Evidence(kind="severity", says="error")),
    )
