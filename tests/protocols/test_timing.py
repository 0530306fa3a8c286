"""All intervals stand in one module, docs/reliability.md has the same, and their relations are checked."""

import ast
import re
from pathlib import Path

import pytest

from hustings.protocols import timing

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "protocols" / "timing.py").read_text()
DOCS = (ROOT / "docs" / "reliability.md").read_text()
INTERVALS = re.findall(r"^([A-Z_]+) = .*?  # (.+)$", TEXT, re.MULTILINE)
NAMED = re.compile(r"[A-Z_]*(SILENCE|HEARTBEAT|GRACE|ACK_WAIT|TIMEOUT|PATIENCE|SECONDS|INTERVAL)")


def table() -> str:
    rows = [f"| `{name}` | {round(getattr(timing, name), 2):g} | {meaning} |" for name, meaning in INTERVALS]
    rules = [f"- {ast.unparse(each.test)}: {ast.literal_eval(each.msg or each)}" for each in relations()]
    return "\n".join(["| interval | seconds | meaning |", "|---|---|---|", *rows, "", "Checked at import:", "", *rules])


def relations() -> list[ast.Assert]:
    return [each for each in ast.parse(TEXT).body if isinstance(each, ast.Assert)]


def test_the_docs_have_every_interval_and_relation() -> None:
    """The section "How long who waits" is this text; whoever changes an interval pastes it from the failure."""
    assert table() in DOCS, f"docs/reliability.md should contain:\n{table()}"


def test_every_interval_says_what_it_means() -> None:
    """No number in the module is without its comment."""
    given = {each.targets[0].id for each in ast.parse(TEXT).body if isinstance(each, ast.Assign)}  # type: ignore[attr-defined]
    assert given == {name for name, _ in INTERVALS}


@pytest.mark.parametrize("wrong", ["HEARTBEAT = 2.0", "ACK_WAIT = 1.0", "SUPERVISOR_GRACE = 3.0", "STALE = 5.0"])
def test_intervals_that_do_not_fit_together_fail_at_import(wrong: str) -> None:
    """With one of them changed, the module cannot be imported."""
    name = wrong.partition(" ")[0]
    changed = re.sub(rf"^{name} = [\d.]+", wrong, TEXT, flags=re.MULTILINE)
    assert changed != TEXT
    with pytest.raises(AssertionError):
        exec(compile(changed, "timing", "exec"), {})


@pytest.mark.parametrize("folder", ["protocols", "bus", "agents"])
def test_no_other_module_has_an_interval_of_its_own(folder: str) -> None:
    """No constant named like an interval is a number; models and tools of tests (chaos, fake) have their own."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        if path.name != "timing.py" and not {"models", "chaos"} & {*path.parts}:
            for line in path.read_text().splitlines():
                name = re.match(r"([A-Z_]+) = [\d.]+\b", line)
                assert not (name and NAMED.fullmatch(name[1])), f"{path.relative_to(ROOT)}: {line}"
