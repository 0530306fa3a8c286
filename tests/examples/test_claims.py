"""What is claimed about security, types and complexity, and under which keys."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from hustings.examples.review_board import (
    Findings,
    bandit_findings,
    complex_functions,
    defended,
    ruff_security_findings,
    type_errors,
)
from hustings.protocols import Claim

from .conftest import Write

pytestmark = pytest.mark.processes

Tool = Callable[[Path], Findings]
TOKEN = "token = 'hunter2'\nassert token\n"
MANY_PATHS = "def f(x):\n" + "".join(f"    if x == {n}:\n        return {n}\n" for n in range(11))
BAD = TOKEN + MANY_PATHS + "\n\nx: int = 'one'\n"


def by_key(findings: Findings) -> dict[str, Claim]:
    return {claim.about: claim for claim in findings.claims}


def test_bandit_and_ruff_say_the_same_about_the_same(write: Write) -> None:
    """One key, one value, one lineage: however many say it, it is one witness."""
    root = write({"a.py": TOKEN})
    one, other = by_key(bandit_findings(root)), by_key(ruff_security_findings(root))
    assert {"a.py:1:hardcoded-password", "a.py:2:assert"} == set(one) == set(other)
    assert {("insecure", "bandit")} == {(c.value, c.lineage) for c in (*one.values(), *other.values())}
    severities = [e.says for claim in one.values() for e in claim.evidence if e.kind == "severity"]
    assert severities == ["low, CWE-259", "low, CWE-703"]


def test_an_assert_in_a_test_is_no_finding(write: Write) -> None:
    root = write({"tests/test_a.py": "assert 1\n", "b.py": ""})
    assert not bandit_findings(root).claims
    assert not ruff_security_findings(root).claims


def test_what_one_tool_waives_contradicts_what_the_other_claims(write: Write) -> None:
    root = write({"a.py": "x = eval('1')  # nosec B307\n"})
    assert not bandit_findings(root).claims
    [insecure], [accepted] = ruff_security_findings(root).claims, defended(root).claims
    assert insecure.about == accepted.about == "a.py:1:eval"
    assert (insecure.value, accepted.value) == ("insecure", "accepted")


def test_bandit_obeys_the_repository(write: Write) -> None:
    assert not bandit_findings(
        write({"a.py": TOKEN, "pyproject.toml": "[tool.bandit]\nskips = ['B105','B101']\n"})
    ).claims


def test_mypy_is_silent_where_nobody_asks_for_it(write: Write) -> None:
    files = {"a.py": "x: int = 'a'\n"}
    assert not type_errors(write(files, "one")).claims
    assert type_errors(write({**files, "mypy.ini": "[mypy]\n"}, "two")).claims


def test_mypy_claims_lines_with_type_errors(write: Write) -> None:
    wrong = "x: int = 'one'\nimport no_such_module\n"
    root = write({"a.py": wrong, "setup.py": "", "sub/setup.py": "", "tests/test_a.py": wrong})
    [claim] = type_errors(root, bold=True).claims
    assert (claim.about, claim.value, claim.lineage) == ("a.py:1:types", "wrong", "mypy")
    assert "[assignment]" in claim.because


def test_mypy_obeys_the_repository(write: Write) -> None:
    files = {"a.py": "def f(x):\n    return x\n", "mypy.ini": "[mypy]\ndisallow_untyped_defs = True\n"}
    assert list(by_key(type_errors(write(files), bold=True))) == ["a.py:1:types"]


def test_radon_ranks_functions_with_many_paths(write: Write) -> None:
    project = "[tool.x]\nformat = '%(x'\n"
    files = {"a.py": MANY_PATHS + "\n\ndef g():\n    pass\n", "pyproject.toml": project}
    [claim] = complex_functions(write(files)).claims
    assert (claim.about, claim.value) == ("a.py:f:complexity", "C")
    assert [evidence.says for evidence in claim.evidence] == ["cyclomatic complexity 12", "moderate"]


BOLD_MYPY = partial(type_errors, bold=True)
TOOLS: list[Tool] = [bandit_findings, ruff_security_findings, BOLD_MYPY, complex_functions]


@pytest.mark.parametrize("tool", TOOLS)
def test_a_broken_file_is_claimed_and_the_others_go_on(tool: Tool, write: Write) -> None:
    found = by_key(tool(write({"good.py": BAD, "broken.py": "def f(:\n", "uses.py": "import broken\n"})))
    assert found["broken.py:syntax"].value == "broken"
    assert {"broken.py", "good.py"} == {about.partition(":")[0] for about in found}


@pytest.mark.parametrize("tool", TOOLS)
def test_an_empty_folder_is_no_error(tool: Tool, tmp_path: Path) -> None:
    assert Findings() == tool(tmp_path)
