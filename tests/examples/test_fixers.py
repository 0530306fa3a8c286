"""What the fixing tools propose, and that the repository's own settings bind them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hustings.examples.review_board import (
    Findings,
    defended,
    flynt_fixes,
    isort_fixes,
    oldest_python,
    pyupgrade_fixes,
    spelling_fixes,
)

from .conftest import Write

pytestmark = pytest.mark.processes


def texts(findings: Findings) -> list[str]:
    return [edit.text for item in findings.proposals for edit in item.edits]


def lineages(findings: Findings) -> set[str]:
    return {item.lineage for item in findings.proposals}


def test_flynt_proposes_f_strings(write: Write) -> None:
    findings = flynt_fixes(write({"a.py": 'x = 1\ny = "%s!" % x\n'}))
    assert texts(findings) == ['y = f"{x}!"\n']
    assert {"flynt"} == lineages(findings)


def test_isort_orders_imports(write: Write) -> None:
    findings = isort_fixes(write({"a.py": "import sys\nimport os\n\nprint(os, sys)\n"}))
    assert findings.proposals
    assert {"isort"} == lineages(findings)


def test_isort_obeys_the_repository_and_nothing_outside(write: Write) -> None:
    files = {"a.py": "import sys\nimport os\n\nprint(os, sys)\n"}
    assert not isort_fixes(write({**files, "setup.cfg": "[isort]\nskip = a.py\n"}, "inside")).proposals
    outside = write(files, "outside")
    (outside.parent / ".isort.cfg").write_text("[settings]\nskip = a.py\n")
    assert isort_fixes(outside).proposals


@pytest.mark.parametrize(
    ("name", "text", "silent"),
    [
        ("ruff.toml", "lint.isort.force-single-line = true\n", True),
        ("ruff.toml", "[lint.isort]\nforce-single-line = true\n", True),
        ("pyproject.toml", '[tool.ruff.lint]\nselect = ["E", "I"]\n', True),
        ("pyproject.toml", '[tool.ruff.lint]\nselect = ["ALL"]\n[tool.isort]\n', False),
        ("pyproject.toml", '[tool.ruff.lint]\nselect = ["E"]\n', False),
    ],
)
def test_isort_is_silent_where_ruff_orders_the_imports(write: Write, name: str, text: str, silent: bool) -> None:
    files = {"a.py": "import sys\nimport os\n\nprint(os, sys)\n", name: text}
    assert silent == (isort_fixes(write(files)).proposals == ())


def test_a_typo_in_a_comment_is_one_line(write: Write) -> None:
    findings = spelling_fixes(write({"a.py": "# recieve\nx = 1\n\n# recieve\n"}))
    assert texts(findings) == ["# receive\n"] * 2
    assert len(findings.proposals) == 2
    assert findings.proposals[0].because == "recieve should be receive"


def test_a_name_is_corrected_everywhere_or_nowhere(write: Write) -> None:
    """Half a renaming would break what the other half calls."""
    files = {"a.py": "def recieve():\n    return 1\n", "b.py": "from a import recieve\n\n\n# recieve\n"}
    [proposal] = spelling_fixes(write(files)).proposals
    assert [edit.resource for edit in proposal.edits] == ["a.py", "b.py", "b.py"]


def test_codespell_obeys_the_repositorys_words(write: Write) -> None:
    files = {"a.py": "# recieve\n", "setup.cfg": "[codespell]\nignore-words-list = recieve\n"}
    assert spelling_fixes(write(files)).proposals == ()


@pytest.mark.parametrize(
    ("name", "says", "oldest"),
    [
        ("pyproject.toml", 'requires-python = ">=3.11"', 11),
        ("setup.cfg", "python_requires = >=3.9,<4", 9),
        ("setup.py", 'python_requires=">=3.7"', 7),
        ("pyproject.toml", 'name = "x"', 8),
    ],
)
def test_the_oldest_python_is_what_the_repository_says(write: Write, name: str, says: str, oldest: int) -> None:
    assert oldest == oldest_python(write({name: says + "\n"}))


def test_pyupgrade_stops_at_the_oldest_python(write: Write) -> None:
    files = {"a.py": "from typing import Union\n\nx: Union[int, str]\n"}
    assert not pyupgrade_fixes(write(files, "any")).proposals
    assert pyupgrade_fixes(write({**files, "pyproject.toml": 'requires-python = ">=3.11"\n'}, "new")).proposals


FILES = {"pkg/__init__.py": "from os import path\n", "pkg/old.py": "import os\n\nx = u''\n"}


def kept(findings: Findings) -> list[str]:
    assert all(item.keeps and item.evidence and item.lineage == "config" for item in findings.proposals)
    return [edit.resource for item in findings.proposals for edit in item.edits]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", '[tool.ruff.lint.per-file-ignores]\n"__init__.py" = ["F401"]\n'),
        ("ruff.toml", '[lint.per-file-ignores]\n"pkg/__init__.py" = ["F"]\n'),
        ("setup.cfg", "[flake8]\nper-file-ignores =\n    */__init__.py: F401, E501\n    b.py:E1\n"),
        (".flake8", "[flake8]\nper-file-ignores = __init__.py:F401\n"),
    ],
)
def test_imports_that_the_repository_allows_unused_are_kept(write: Write, name: str, text: str) -> None:
    assert kept(defended(write({**FILES, name: text}))) == ["pkg/__init__.py"]


@pytest.mark.parametrize(
    ("name", "text"),
    [("ruff.toml", 'extend-exclude = ["pkg/old.py"]\n'), ("tox.ini", "[flake8]\nexclude = old.py,build\n")],
)
def test_an_excluded_file_is_kept_as_it_is(write: Write, name: str, text: str) -> None:
    assert kept(defended(write({**FILES, name: text}))) == ["pkg/old.py"]


def test_lines_whose_rules_are_waived_are_kept_from_tools_that_do_not_ask(write: Write) -> None:
    files = {"a.py": "x = 1\ny = '%s' % x\n", "b.py": "y = '%s' % 1\n"}
    text = '[tool.ruff.lint.per-file-ignores]\n"a.py" = ["UP031"]\n'
    assert kept(defended(write({**files, "pyproject.toml": text}))) == ["a.py"]


@pytest.mark.parametrize(
    ("comment", "count"), [("# noqa", 1), ("# noqa: F401", 1), ("# noqa:E501", 0), ("# no qualms", 0)]
)
def test_a_line_with_a_waiver_is_kept(write: Write, comment: str, count: int) -> None:
    assert count == len(kept(defended(write({"a.py": f"import os  {comment}\n"}))))


def test_settings_that_cannot_be_read_are_claimed(write: Write) -> None:
    findings = defended(write({**FILES, "ruff.toml": "lint = [\n", "setup.cfg": "no section\n"}))
    assert {"ruff.toml:syntax", "setup.cfg:syntax"} == {claim.about for claim in findings.claims}


Tool = Callable[[Path], Findings]


@pytest.mark.parametrize("tool", [flynt_fixes, isort_fixes, spelling_fixes, defended])
def test_a_broken_file_is_claimed_and_the_others_go_on(tool: Tool, write: Write) -> None:
    good = 'import sys\nimport os\n\nprint(os, sys, "%s" % os.name)  # noqa\n# recieve\n'
    findings = tool(write({"good.py": good, "broken.py": "def f(:\n"}))
    assert [claim.about for claim in findings.claims] == ["broken.py:syntax"]
    assert {"good.py"} == {edit.resource for item in findings.proposals for edit in item.edits}


@pytest.mark.parametrize("tool", [flynt_fixes, isort_fixes, spelling_fixes, defended])
def test_an_empty_folder_is_no_error(tool: Tool, tmp_path: Path) -> None:
    assert Findings() == tool(tmp_path)
