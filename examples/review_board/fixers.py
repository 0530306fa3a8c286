"""Fixers: ruff, autoflake and pyupgrade over a folder. Each says what it would change; none is sure to be right."""

import json
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from moot.protocols import Edit, Evidence, Proposal

from .messages import Findings
from .rewriting import Span, proposal, rewritten, touches
from .sources import Source, Sources, paths
from .tools import call

RUFF_CONFIGS = ("ruff.toml", ".ruff.toml", "pyproject.toml")
SAFE = frozenset({"safe"})
UNSAFE = frozenset({"safe", "unsafe"})
Diagnostic = dict[str, Any]


def ruff_fixes(root: Path) -> Findings:
    """What `ruff check --fix` changes with the repository's own settings, or ruff's defaults; safe fixes only.

    `root` is changed. Each proposal names its rules; its lineage is the tool that the rules come from.
    """
    return _ruff(root, SAFE)


def bold_fixes(root: Path) -> Findings:
    """What ruff changes only with `--unsafe-fixes`. `root` is changed."""
    with tempfile.TemporaryDirectory(prefix="moot-tool-") as scratch:
        copy = shutil.copytree(root, Path(scratch) / "copy", symlinks=True)
        said = {item.edits for item in _ruff(copy, SAFE).proposals}
    findings = _ruff(root, UNSAFE)
    bold = tuple(item for item in findings.proposals if item.edits not in said)
    return findings.model_copy(update={"proposals": bold})


def _ruff(root: Path, kinds: frozenset[str]) -> Findings:
    options = ["--no-cache", "--quiet", "--exit-zero", *([] if _has_ruff_settings(root) else ["--isolated"])]
    options += ["--unsafe-fixes"] if kinds == UNSAFE else ["--no-unsafe-fixes"]
    found = _diagnostics(root, options, kinds)

    def fix(_: Sources) -> None:
        call("ruff", ["check", "--fix", *options, "."], root)

    def ties(source: Source) -> list[list[Span]]:
        return [_spans(diagnostic) for diagnostic in found.get(source.path, ())]

    def explain(source: Source, edits: Sequence[Edit]) -> Proposal:
        return _by_rules(edits, source, found.get(source.path, ()))

    return rewritten(root, fix, explain, ties)


def autoflake_fixes(root: Path) -> Findings:
    """What autoflake drops as unused imports, in `__init__.py` too. `root` is changed."""
    return rewritten(
        root,
        _on_files("autoflake", "--in-place", "--remove-all-unused-imports", root=root),
        lambda _, edits: proposal(edits, "pyflakes", "the import is not used in this file"),
    )


def pyupgrade_fixes(root: Path) -> Findings:
    """What pyupgrade rewrites for Python 3.8 and newer. `root` is changed."""
    return rewritten(
        root,
        _on_files("pyupgrade", "--py38-plus", root=root, ends=(0, 1)),
        lambda _, edits: proposal(edits, "pyupgrade", "newer syntax for Python 3.8 and later"),
    )


def _on_files(tool: str, *options: str, root: Path, ends: Sequence[int] = (0,)) -> Callable[[Sources], None]:
    def work(sources: Sources) -> None:
        for files in _portions(list(sources.files)):
            call(tool, [*options, *files], root, ends)

    return work


def _portions(files: list[str], size: int = 200) -> Iterator[list[str]]:
    return (["./" + file for file in files[at : at + size]] for at in range(0, len(files), size))


def _has_ruff_settings(root: Path) -> bool:
    return any((folder / name).exists() for folder in _folders(root) for name in RUFF_CONFIGS)


def _folders(root: Path) -> set[Path]:
    return {root, *(path.parent for path in paths(root))}


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
    """The tool that the rules were taken from; what it says and what that tool says is one witness."""
    if any(code.startswith("F") and code[1:].isdigit() for code in codes):
        return "pyflakes"
    return "pyupgrade" if any(code.startswith("UP") for code in codes) else "ruff"
