"""The demo's target: tools that agree break an installed package, the board does not."""

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from moot.examples.review_board import (
    Findings,
    Proving,
    autoflake_fixes,
    guard,
    pyupgrade_fixes,
    read_sources,
    ruff_fixes,
    write_draft,
    write_patch,
)
from moot.protocols import Edit, Proposal, Verdict

TOOLS = {"pyupgrade": pyupgrade_fixes, "ruff": ruff_fixes, "autoflake": autoflake_fixes}


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = find_spec("simplejson")
    assert spec, "install the demo extra: the flagship is not tested without simplejson"
    assert spec.origin
    root = tmp_path_factory.mktemp("target")
    shutil.copytree(Path(spec.origin).parent, root / "simplejson", ignore=shutil.ignore_patterns("__pycache__"))
    return root


@pytest.fixture(scope="module")
def proving(target: Path) -> Proving:
    return Proving.of(target)


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


def test_ruff_and_autoflake_agree_and_each_alone_breaks_it(target: Path, proving: Proving, tmp_path: Path) -> None:
    drops = []
    for tool in ("ruff", "autoflake"):
        findings, files = worked_on(target, tmp_path, tool)
        lost = proving.baseline.lost_tests(proving.bench.collect(files))
        assert "cannot import name 'BytesIO'" in lost["simplejson/tests/test_unicode.py"]
        drops.append({edit for item in findings.proposals for edit in item.edits if fatal(edit)})
    assert len(drops[0]) == 1
    assert drops[0] == drops[1]


def test_with_what_the_guard_keeps_the_rest_is_proved(target: Path, proving: Proving, tmp_path: Path) -> None:
    """Here whoever comes first wins a line that no guard defends; a team's policy is wiser than that."""
    keeps = guard(target).proposals
    said = [item for tool in TOOLS for item in worked_on(target, tmp_path, tool)[0].proposals]
    stands: list[Proposal] = list(keeps)
    for item in said:
        if not any(clash(item, other) for other in stands):
            stands.append(item)
    named = [item.model_copy(update={"id": str(n)}) for n, item in enumerate(stands)]
    trial = proving.trial(named)
    assert trial.falls == {}
    verdict = Verdict(matter="m", kind="change", about="", decided=True, rule="r", because="b", stands=tuple(named))
    patch = write_patch(target, write_draft(target, [verdict]))
    proof = proving.prove(patch)
    assert proof.holds
    assert proof.before == proof.after
    assert patch.edits > 100


def clash(one: Proposal, other: Proposal) -> bool:
    return any(
        mine.resource == theirs.resource and mine.start <= theirs.end and theirs.start <= mine.end
        for mine in one.edits
        for theirs in other.edits
    )
