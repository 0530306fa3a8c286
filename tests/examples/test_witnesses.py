"""What each witness says about a repository, and that it leaves alone what it cannot read."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hustings.examples.review_board import (
    Findings,
    apply,
    autoflake_fixes,
    bold_fixes,
    find,
    groups,
    guard,
    hunks,
    lineage,
    pyupgrade_fixes,
    read_sources,
    ruff_fixes,
    unused,
)
from hustings.protocols import Claim, NonRetryableError, Proposal

from .conftest import Write

pytestmark = pytest.mark.processes

Tool = Callable[[Path], Findings]


def removed(findings: Findings) -> list[str]:
    """The text that proposals want away, by line."""
    return [edit.was for proposal in findings.proposals for edit in proposal.edits if not edit.text]


def named(proposals: tuple[Proposal, ...], resource: str) -> list[Proposal]:
    return [item for item in proposals if any(edit.resource == resource for edit in item.edits)]


def values(claims: tuple[Claim, ...]) -> dict[str, object]:
    return {claim.about: claim.value for claim in claims}


def test_ruff_says_its_rules_and_where_they_come_from(shop: Path) -> None:
    """F401 descends from pyflakes, whoever says it; each rule stands in the evidence with file and line."""
    compat = named(ruff_fixes(shop).proposals, "shop/compat.py")
    assert {"pyflakes"} == {item.lineage for item in compat}
    assert any("F401" in evidence.says for item in compat for evidence in item.evidence)
    assert any(evidence.source.startswith("shop/compat.py:") for item in compat for evidence in item.evidence)


def test_what_two_tools_say_of_one_rule_is_one_witness() -> None:
    assert lineage(["F401", "I001"]) == "pyflakes"
    assert lineage(["UP004"]) == "pyupgrade"
    assert lineage(["FLY002"]) == "flynt"
    assert lineage(["RUF100", "I001"]) == "isort"
    assert lineage(["RUF100"]) == "ruff"


def test_ruff_obeys_the_repositorys_own_settings(shop: Path) -> None:
    (shop / "ruff.toml").write_text('lint.select = ["W605"]\n')
    assert ruff_fixes(shop).proposals == ()


def test_ruff_obeys_nothing_outside_the_repository(shop: Path) -> None:
    (shop.parent / "ruff.toml").write_text('lint.select = ["W605"]\n')
    assert ruff_fixes(shop).proposals


def test_bold_fixes_are_those_that_are_not_safe(write: Write) -> None:
    files = {"a.py": "import os\n\n\ndef f(x):\n    y = 1\n    return ''.join(['a', x])\n"}
    safe, bold = ruff_fixes(write(files, "one")), bold_fixes(write(files, "two"))
    assert [edit.was.lstrip("\n") for p in safe.proposals for edit in p.edits if "os" in edit.was] == ["import os\n"]
    assert bold.proposals
    assert not {item.edits for item in safe.proposals} & {item.edits for item in bold.proposals}


def test_autoflake_wants_what_others_rely_on_away(shop: Path) -> None:
    findings = autoflake_fixes(shop)
    assert "from collections import OrderedDict\n" in removed(findings)
    assert {"pyflakes"} == {item.lineage for item in findings.proposals}


def test_pyupgrade_rewrites_old_syntax(shop: Path) -> None:
    findings = pyupgrade_fixes(shop)
    assert any(edit.text == "class Price:\n" for item in findings.proposals for edit in item.edits)
    assert {"pyupgrade"} == {item.lineage for item in findings.proposals}


@pytest.mark.parametrize("tool", [ruff_fixes, autoflake_fixes, pyupgrade_fixes])
def test_all_proposals_of_one_tool_are_what_the_tool_wrote(tool: Tool, shop: Path, tmp_path: Path) -> None:
    pristine = shutil.copytree(shop, tmp_path / "pristine")
    findings = tool(shop)
    for path, source in read_sources(pristine).files.items():
        edits = [edit for item in findings.proposals for edit in item.edits if edit.resource == path]
        assert (shop / path).read_text() == apply(source.text, edits)


@pytest.mark.parametrize("tool", [ruff_fixes, autoflake_fixes, pyupgrade_fixes, unused, guard])
def test_what_cannot_be_read_is_claimed_and_the_rest_goes_on(tool: Tool, shop: Path) -> None:
    (shop / "broken.py").write_text("def f(:\n")
    (shop / "latin.py").write_bytes(b"# -*- coding: latin-1 -*-\nx = '\xe9'\n")
    (shop / "nul.py").write_bytes(b"x = '\0'\n")
    findings = tool(shop)
    claims = values(findings.claims)
    assert tuple(claims[about] for about in ("broken.py:syntax", "nul.py:syntax", "latin.py:encoding")) == (
        "broken",
        "broken",
        "not UTF-8",
    )
    assert findings.proposals or tool is unused
    assert not any(named(findings.proposals, name) for name in ("broken.py", "latin.py", "nul.py"))


@pytest.mark.parametrize("tool", [ruff_fixes, autoflake_fixes, pyupgrade_fixes, unused, guard])
def test_an_empty_folder_is_nothing_to_complain_about(tool: Tool, tmp_path: Path) -> None:
    assert Findings() == tool(tmp_path)


def test_line_ends_and_marks_survive_a_tool(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes("\ufeffimport os\r\nx = u'é'\r\n\fy = 2".encode())
    before = read_sources(tmp_path).files["a.py"].text
    findings = pyupgrade_fixes(tmp_path)
    edits = [edit for item in findings.proposals for edit in item.edits]
    assert edits
    assert (tmp_path / "a.py").read_bytes() == apply(before, edits).encode()


def test_hunks_that_only_parse_together_are_one_proposal(write: Write) -> None:
    base = "if old:\n    a = 1\nelse:\n    b = 1\n\n    c = 2\nd = 3\n"
    source = read_sources(write({"a.py": base})).files["a.py"]
    edits = hunks("a.py", base, "b = 1\n\nc = 2\nd = 4\n")
    assert len(edits) == 2
    assert [edits] == groups(source, edits)


def test_vulture_claims_what_nothing_uses(shop: Path) -> None:
    claims = {claim.about: claim for claim in unused(shop).claims}
    assert claims["shop/catalogue.py:forgotten"].value == "unused"
    assert claims["shop/catalogue.py:forgotten"].confidence == 0.6
    assert claims["shop/catalogue.py:discount"].value == "unused"


def test_vulture_claims_nothing_that_others_may_use_unseen(write: Write) -> None:
    """A claim says what was searched; the rest is left to those who know."""
    text = """
        from elsewhere import register


        def _dead(kind):
            return 1


        def public():
            return 1


        @register
        def _hook():
            return 1


        def _in_a_string():
            return 1


        def _visit_name():
            return 1


        class _Shelf(register):
            def _inherited(self):
                return 1


        PUBLIC = 1
        print(_Shelf, getattr(1, "_in_" + "a_string"), "_in_a_string", "_visit_")
        """
    root = write({"shop/__init__.py": "", "shop/a.py": text, "docs/conf.py": "_x = 1\n", "tests/test_a.py": "_y = 1\n"})
    [claim] = unused(root).claims
    assert claim.about == "shop/a.py:_dead"
    assert claim.evidence[1].says == (
        "no reference in 4 files, not in __all__, no entry point, not in the documentation"
    )


def test_a_public_name_may_be_dead_where_all_says_what_is_public(write: Write) -> None:
    files = {"shop/a.py": "def forgotten():\n    return 1\n"}
    assert not unused(write({**files, "shop/__init__.py": ""}, "one")).claims
    assert unused(write({**files, "shop/__init__.py": "__all__ = ['other']\nother = 1\n"}, "two")).claims


def test_the_guard_contradicts_about_what_is_documented(shop: Path) -> None:
    """Both speak of the same key, so that the coordinator sees a contradiction."""
    claims = values(guard(shop).claims)
    assert claims == {"shop/catalogue.py:discount": "used"}


def test_the_guard_keeps_what_others_import_or_reach_through_the_module(shop: Path) -> None:
    keeps = {edit.was: item for item in guard(shop).proposals for edit in item.edits}
    assert {"from io import BytesIO, StringIO\n", "from .catalogue import Catalogue, Price\n"} == set(keeps)
    assert all(item.keeps and item.lineage == "api_guard" for item in keeps.values())
    [need] = keeps["from io import BytesIO, StringIO\n"].evidence
    assert need.source == "shop/tests/test_shop.py:6"


@pytest.mark.parametrize(
    "user",
    [
        "from pkg.mod import Name",
        "from .mod import Name as Other",
        "from .mod import *\nName",
        "import pkg.mod\npkg.mod.Name",
        "import pkg.mod as m\nm.Name",
        "from pkg import mod\nprint(mod.Name.attribute)",
        "from . import mod\ndef f(): return mod.Name",
        "import pkg\npkg.mod.Name",
    ],
)
def test_the_guard_sees_every_way_to_need_a_name(write: Write, user: str) -> None:
    files = {"src/pkg/__init__.py": "", "src/pkg/mod.py": "from os import (\n  Name\n)\n", "src/pkg/user.py": user}
    [keep] = kept_in("src/pkg/mod.py", guard(write(files)))
    assert (keep.edits[0].start, keep.edits[0].end) == (0, 3)


def kept_in(path: str, findings: Findings) -> list[Proposal]:
    return [item for item in findings.proposals if item.edits[0].resource == path]


@pytest.mark.parametrize("text", ["from os import Name\nName()\n", "from os import Name\n__all__ = ['Name']\n"])
def test_the_guard_does_not_defend_what_nobody_would_drop(write: Write, text: str) -> None:
    files = {"pkg/__init__.py": "", "pkg/mod.py": text, "pkg/user.py": "from pkg.mod import Name\n"}
    assert kept_in("pkg/mod.py", guard(write(files))) == []


@pytest.mark.parametrize(("line", "count"), [("use `Name`", 1), ("call mod.Name()", 1), ("a Name is a word", 0)])
def test_the_guard_reads_the_documentation(write: Write, line: str, count: int) -> None:
    files = {"pkg/__init__.py": "", "pkg/mod.py": "from os import Name\n", "docs/index.rst": line}
    assert count == len(guard(write(files)).proposals)


def test_a_missing_tool_says_what_to_install() -> None:
    with pytest.raises(NonRetryableError, match="pip install no-such-tool"):
        find("no-such-tool")


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside.py").write_text("import os\n")
    root = tmp_path / "repository"
    root.mkdir()
    (root / "link.py").symlink_to("../outside.py")
    assert read_sources(root).files == {}


def test_the_tools_of_this_interpreter_are_used() -> None:
    assert Path(sys.executable).parent == Path(find("ruff")).parent
