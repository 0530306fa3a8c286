"""What is claimed about security, types and complexity, and under which keys."""

import subprocess
import sys
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
    ty_errors,
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
    assert severities == ["note", "note"]
    weaknesses = [e.says for claim in one.values() for e in claim.evidence if e.kind == "weakness"]
    assert weaknesses == ["CWE-259", "CWE-703"]


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


@pytest.mark.parametrize("checker", [type_errors, ty_errors])
def test_a_type_checker_is_silent_where_nobody_asks_for_types(checker: Tool, write: Write) -> None:
    files = {"a/__init__.py": "x: int = 'a'\n"}
    assert not checker(write(files, "none")).claims
    for name in ("mypy.ini", "ty.toml", "pyrightconfig.json", "a/py.typed"):
        text = {"mypy.ini": "[mypy]\n", "pyrightconfig.json": "{}"}.get(name, "")
        assert checker(write({**files, name: text}, name.replace("/", "."))).claims, name


def test_two_checkers_say_the_same_about_the_same(write: Write) -> None:
    """One key and one value, and two independent witnesses; the one that the repository runs is sure."""
    wrong = "def f(x: int) -> str:\n    return x\n\n\ny: int = 'one'\nf('a')\nprint(undefined)\n'a'.nothing\n"
    files = {"a.py": wrong, "mypy.ini": "[mypy]\n"}
    one, other = by_key(type_errors(write(files, "one"))), by_key(ty_errors(write(files, "two")))
    keys = {"a.py:2:return", "a.py:5:assignment", "a.py:6:argument", "a.py:7:name", "a.py:8:attribute"}
    assert set(one) == set(other) == keys
    assert {("wrong", "mypy", 0.8, "error")} == {(c.value, c.lineage, c.confidence, last(c)) for c in one.values()}
    assert {("wrong", "ty", 0.4, "note")} == {(c.value, c.lineage, c.confidence, last(c)) for c in other.values()}


@pytest.mark.parametrize("checker", [type_errors, ty_errors])
def test_a_type_checker_finds_what_the_interpreter_of_the_repository_has(
    checker: Callable[..., Findings], write: Write, tmp_path: Path
) -> None:
    """Without it an import that hustings's own environment lacks would be of an unknown type, and nothing be wrong."""
    python = _environment_with(tmp_path / "environment", {"elsewhere.py": "def f() -> int: return 1\n"})
    files = {"a.py": "import elsewhere\n\nx: str = elsewhere.f()\n", "mypy.ini": "[mypy]\n"}
    assert not checker(write(files, "one")).claims
    assert list(by_key(checker(write(files, "two"), python=python))) == ["a.py:3:assignment"]


def test_what_follows_from_a_missing_import_is_no_error(write: Write) -> None:
    """mypy says of what it could not import that it returns Any; that is about the machine."""
    files = {"a.py": "import no_such_module\n\n\ndef f() -> int:\n    return no_such_module.x()\n"}
    strict = {"mypy.ini": "[mypy]\nstrict = True\n"}
    assert not type_errors(write({**files, **strict})).claims


@pytest.mark.parametrize("checker", [type_errors, ty_errors])
def test_only_the_package_is_checked(checker: Tool, write: Write) -> None:
    """No script, no example, no test, and not what has its types in a stub."""
    wrong = "x: int = 'one'\n"
    names = ("setup.py", "docs/conf.py", "a/tests/test_a.py", "a/stubbed.py")
    files = {**dict.fromkeys(names, wrong), "a/stubbed.pyi": "x: int\n", "mypy.ini": "[mypy]\n"}
    found = by_key(checker(write({**files, "a/__init__.py": wrong})))
    assert list(found) == ["a/__init__.py:1:assignment"]


def test_mypy_checks_the_files_that_its_settings_name(write: Write) -> None:
    wrong = "x: int = 'one'\n"
    files = {"a/__init__.py": wrong, "scripts/s.py": wrong, "mypy.ini": "[mypy]\nfiles = scripts\n"}
    assert list(by_key(type_errors(write(files)))) == ["scripts/s.py:1:assignment"]


def _environment_with(place: Path, modules: dict[str, str]) -> str:
    """The interpreter of a virtual environment that has these modules."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    [packages] = place.glob("lib/python*/site-packages")
    (packages / "elsewhere").mkdir()
    for name, text in modules.items():
        (packages / name.removesuffix(".py") / "__init__.py").write_text(text)
        (packages / name.removesuffix(".py") / "py.typed").touch()
    return str(place / "bin" / "python")


def last(claim: Claim) -> str:
    """The severity."""
    return claim.evidence[-1].says


def test_mypy_claims_lines_with_type_errors(write: Write) -> None:
    wrong = "x: int = 'one'\nimport no_such_module\n"
    root = write({"a.py": wrong, "setup.py": "", "sub/setup.py": "", "tests/test_a.py": wrong})
    [claim] = type_errors(root, bold=True).claims
    assert (claim.about, claim.value, claim.lineage) == ("a.py:1:assignment", "wrong", "mypy")
    assert "[assignment]" in claim.because


def test_mypy_obeys_the_repository(write: Write) -> None:
    files = {"a.py": "def f(x):\n    return x\n", "mypy.ini": "[mypy]\ndisallow_untyped_defs = True\n"}
    assert list(by_key(type_errors(write(files), bold=True))) == ["a.py:1:no-untyped-def"]


def test_radon_ranks_functions_with_many_paths(write: Write) -> None:
    project = "[tool.x]\nformat = '%(x'\n"
    files = {"a.py": MANY_PATHS + "\n\ndef g():\n    pass\n", "pyproject.toml": project}
    [claim] = complex_functions(write(files)).claims
    assert (claim.about, claim.value) == ("a.py:f:complexity", "C")
    assert [evidence.says for evidence in claim.evidence] == ["cyclomatic complexity 12", "note"]


BOLD_MYPY = partial(type_errors, bold=True)
BOLD_TY = partial(ty_errors, bold=True)
TOOLS: list[Tool] = [bandit_findings, ruff_security_findings, BOLD_MYPY, BOLD_TY, complex_functions]


@pytest.mark.parametrize("tool", TOOLS)
def test_a_broken_file_is_claimed_and_the_others_go_on(tool: Tool, write: Write) -> None:
    found = by_key(tool(write({"good.py": BAD, "broken.py": "def f(:\n", "uses.py": "import broken\n"})))
    assert found["broken.py:syntax"].value == "broken"
    assert {"broken.py", "good.py"} == {about.partition(":")[0] for about in found}


@pytest.mark.parametrize("tool", TOOLS)
def test_an_empty_folder_is_no_error(tool: Tool, tmp_path: Path) -> None:
    assert Findings() == tool(tmp_path)
