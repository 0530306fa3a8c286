"""The demo's target: tools that agree break an installed package, the board does not."""

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from hustings.examples.review_board import (
    Baseline,
    Bench,
    Findings,
    Record,
    autoflake_fixes,
    read_sources,
    ruff_fixes,
)
from hustings.protocols import Edit

TOOLS = {"ruff": ruff_fixes, "autoflake": autoflake_fixes}


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = find_spec("simplejson")
    assert spec, "install the demo extra: the flagship is not tested without simplejson"
    assert spec.origin
    root = tmp_path_factory.mktemp("target")
    shutil.copytree(Path(spec.origin).parent, root / "simplejson", ignore=shutil.ignore_patterns("__pycache__"))
    return root


@pytest.fixture(scope="module")
def before(target: Path) -> Record:
    return Bench(target).collect({})


def fatal(edit: Edit) -> bool:
    """True for the edit that takes a name away which the tests import."""
    return edit.resource == "simplejson/compat.py" and "BytesIO" in edit.was and "BytesIO" not in edit.text


def texts(root: Path) -> dict[str, str]:
    return {path: source.text for path, source in read_sources(root).files.items()}


def worked_on(target: Path, tmp_path: Path, tool: str) -> tuple[Findings, dict[str, str]]:
    """What the tool says, and the files as it leaves them."""
    root = shutil.copytree(target, tmp_path / tool)
    findings = TOOLS[tool](root)
    return findings, texts(root)


@pytest.mark.processes
def test_ruff_and_autoflake_agree_and_each_alone_breaks_it(target: Path, before: Record, tmp_path: Path) -> None:
    drops = []
    for tool in ("ruff", "autoflake"):
        findings, files = worked_on(target, tmp_path, tool)
        lost = Baseline((), (), before).lost_tests(Bench(target).collect(files))
        assert "cannot import name 'BytesIO'" in lost["simplejson/tests/test_unicode.py"]
        drops.append({edit for item in findings.proposals for edit in item.edits if fatal(edit)})
    assert len(drops[0]) == 1
    assert drops[0] == drops[1]
