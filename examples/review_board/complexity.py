"""Complexity: functions with many paths through them, by radon, as Claims."""

import json
from pathlib import Path
from typing import Any

from hustings import Claim

from .messages import Findings
from .rewriters import portions
from .severity import Severity, finding
from .sources import read_sources
from .tools import call

LEAST = "C"  # radon's ranks: A and B (up to 10 paths) are not worth a claim
SEVERITY: dict[str, Severity] = {"C": "note", "D": "note", "E": "warning", "F": "warning"}


def complex_functions(root: Path) -> Findings:
    """One Claim for each function ranked C or worse: about "path:name:complexity", value the rank.

    The measure is McCabe's cyclomatic complexity, "A Complexity Measure", 1976. `root` is changed.
    """
    sources = read_sources(root)
    _without_a_trap(root / "pyproject.toml")
    claims: dict[str, Claim] = {}
    for files in portions(list(sources.files)):
        said: dict[str, list[dict[str, Any]] | str] = json.loads(
            call("radon", ["cc", "--json", "--min", LEAST, *files], root)
        )
        for path, blocks in said.items():
            for block in blocks if isinstance(blocks, list) else []:
                if block["type"] != "class":
                    claim = _claim(Path(path).as_posix(), block)
                    claims[claim.about] = claim
    return Findings(claims=(*sources.claims, *claims.values()))


def _without_a_trap(project: Path) -> None:
    """radon reads any pyproject.toml as an INI file, and fails on a percent sign: hide a file that has no settings for
    it."""
    if project.is_file() and "[tool.radon" not in project.read_bytes().decode(errors="replace"):
        project.unlink()


def _claim(path: str, block: dict[str, Any]) -> Claim:
    name = f"{block['classname']}.{block['name']}" if block.get("classname") else block["name"]
    says = f"cyclomatic complexity {block['complexity']}"
    where = f"{path}:{block['lineno']}"
    return finding(
        f"{path}:{name}:complexity",
        block["rank"],
        where,
        says,
        SEVERITY[block["rank"]],
        lineage="radon",
        kind="measurement",
    )
