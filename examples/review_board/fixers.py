"""Fixers: ruff's fixes on a folder, each with its rules and the tool that those rules come from."""

import json
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hustings import Edit, Evidence, Proposal

from .messages import Findings
from .pythons import oldest_python, supports_python_2
from .rewriting import Span, proposal, rewritten, touches
from .settings import has_ruff_settings, names_target
from .sources import Source, Sources
from .tools import call

SAFE = frozenset({"safe"})
UNSAFE = frozenset({"safe", "unsafe"})
ORIGINS = {"F": "pyflakes", "UP": "pyupgrade", "FLY": "flynt", "S": "bandit", "I": "isort"}  # family of rules -> tool
UNDISPUTED = "E4,E7,E9,F"
OLDEST_TARGET = 7  # minor version, of ruff
Diagnostic = dict[str, Any]


def ruff_fixes(root: Path, bold: bool = False) -> Findings:
    """What `ruff check --fix` changes with the repository's own settings; safe fixes only. Without settings: what is
    never used or never right (E4, E7, E9, F), or `bold` all of ruff's defaults.

    `root` is changed. Each proposal names its rules; its lineage is the tool that the rules come from.
    """
    return _ruff(root, SAFE, bold)


def bold_fixes(root: Path) -> Findings:
    """What ruff changes only with `--unsafe-fixes`. `root` is changed."""
    with tempfile.TemporaryDirectory(prefix="hustings-tool-") as scratch:
        copy = shutil.copytree(root, Path(scratch) / "copy", symlinks=True)
        said = {item.edits for item in _ruff(copy, SAFE, bold=True).proposals}
    findings = _ruff(root, UNSAFE, bold=True)
    bold = tuple(item for item in findings.proposals if item.edits not in said)
    return findings.model_copy(update={"proposals": bold})


def _ruff(root: Path, kinds: frozenset[str], bold: bool) -> Findings:
    options = ["--no-cache", "--quiet", "--exit-zero", *_scope(root, bold)]
    options += ["--unsafe-fixes"] if kinds == UNSAFE else ["--no-unsafe-fixes"]
    found = _diagnostics(root, options, kinds)

    def fix(_: Sources) -> None:
        call("ruff", ["check", "--fix", *options, "."], root)

    def ties(source: Source) -> list[list[Span]]:
        return [_spans(diagnostic) for diagnostic in found.get(source.path, ())]

    def explain(source: Source, edits: Sequence[Edit]) -> Proposal:
        return _by_rules(edits, source, found.get(source.path, ()))

    return rewritten(root, fix, explain, ties)


def _scope(root: Path, bold: bool) -> list[str]:
    """Nothing from outside the folder, no syntax that its oldest Python lacks, and no matters of taste that it does not
    ask for."""
    if names_target(root):
        return []
    target = ["--target-version", f"py3{max(OLDEST_TARGET, oldest_python(root))}"]
    if has_ruff_settings(root):
        return target
    return ["--isolated", *target, *([] if bold and not supports_python_2(root) else ["--select", UNDISPUTED])]


def _diagnostics(root: Path, options: list[str], kinds: frozenset[str]) -> Mapping[str, list[Diagnostic]]:
    """What ruff can fix, by file, as its JSON has it."""
    out = call("ruff", ["check", "--output-format", "json", *options, "."], root)
    by_file: dict[str, list[Diagnostic]] = defaultdict(list)
    for item in json.loads(out):
        if item["fix"] and item["fix"]["applicability"] in kinds:
            by_file[Path(item["filename"]).relative_to(root.resolve()).as_posix()].append(item)
    return by_file


def _spans(diagnostic: Diagnostic) -> list[Span]:
    return [_span(edit) for edit in diagnostic["fix"]["edits"]]


def _span(edit: Mapping[str, Any]) -> Span:
    first, last = edit["location"], edit["end_location"]
    start = first["row"] - 1
    return start, max(start, last["row"] - (last["column"] == 1))


def _by_rules(edits: Sequence[Edit], source: Source, diagnostics: Sequence[Diagnostic]) -> Proposal:
    reasons = [item for item in diagnostics if any(touches(edit, span) for edit in edits for span in _spans(item))]
    codes = sorted({item["code"] for item in reasons})
    evidence = [_evidence(item, source) for item in reasons]
    return proposal(edits, lineage(codes), ", ".join(codes) or "follows from its other fixes", evidence)


def _evidence(item: Diagnostic, source: Source) -> Evidence:
    return Evidence(
        kind="rule", says=f"{item['code']} {item['message']}", source=f"{source.path}:{item['location']['row']}"
    )


def lineage(codes: Sequence[str]) -> str:
    """The tool that the rules were taken from; that tool and ruff count as one witness."""
    families = {code.rstrip("0123456789") for code in codes}
    return next((tool for family, tool in ORIGINS.items() if family in families), "ruff")
