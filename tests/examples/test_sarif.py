"""SARIF: what a code host reads of a review."""

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from sarif_pydantic import Sarif

from hustings.examples.review_board import apply, split_lines
from hustings.examples.review_board.sarif import sarif
from hustings.protocols import Claim, Edit, Evidence, Proposal

from .reports import NEW, OLD, changes, insecure, reviewed, verdict

LACKS = {"columnKind", "toolExecutionNotifications"}  # of the format, but not in the library


def run_of(text: str) -> Any:
    """The one run of the log, which has to fit the format: all that is in it has its place there, and its type."""
    log = json.loads(text)
    assert [*unknown(Sarif.model_validate(log))] == []
    assert (log["version"], len(log["runs"])) == ("2.1.0", 1)
    return log["runs"][0]


def unknown(item: object) -> Iterator[str]:
    """The names that the format does not have, at any depth."""
    if isinstance(item, BaseModel):
        yield from (item.model_extra or {}).keys() - LACKS
        item = [getattr(item, name) for name in type(item).model_fields if name != "properties"]
    for part in item if isinstance(item, list) else []:
        yield from unknown(part)


def test_a_claim_has_rule_level_message_file_line_and_evidence() -> None:
    (result,) = run_of(sarif(reviewed(verdict(insecure("pkg/ä b.py", 12)))))["results"]
    place = {"artifactLocation": {"uri": "pkg/%C3%A4%20b.py", "uriBaseId": "%SRCROOT%"}, "region": {"startLine": 12}}
    assert (result["ruleId"], result["level"]) == ("bandit/B311", "error")
    assert result["message"] == {"text": "weak"}
    assert result["locations"] == [{"physicalLocation": place}]
    (other,) = result["relatedLocations"]
    assert other["physicalLocation"]["artifactLocation"]["uri"] == "other%20file.py"
    assert other["message"] == {"text": "the seed comes from here"}
    assert result["properties"]["specialists"] == ["bandit"]
    assert "severity: high, CWE-330" in result["properties"]["evidence"]


def test_each_tools_own_severity_gives_the_level_and_its_own_code_the_rule() -> None:
    says = (
        Evidence(kind="rule", says="bad type [arg-type]", source="a.py:3"),
        Evidence(kind="severity", says="error"),
    )
    types = Claim(by="mypy", about="a.py:3:types", value="wrong", because="bad type [arg-type]", evidence=says)
    dead = Claim(
        by="vulture", about="a.py:f", value="unused", because="unused function 'f'",
        evidence=(Evidence(kind="source", says="unused function 'f'", source="a.py:5"),),
    )  # fmt: skip
    broken = Claim(by="ruff", about="b.py:syntax", value="broken", because="left alone: invalid syntax")
    weak = insecure("a.py", 9, severity="medium, CWE-1")
    run = run_of(sarif(reviewed(*map(verdict, (types, dead, broken, weak)))))
    found = [(each["ruleId"], each["level"], _line(each)) for each in run["results"]]
    assert found == [
        ("mypy/arg-type", "error", 3),
        ("vulture/unused", "note", 5),
        ("bandit/B311", "warning", 9),
        ("ruff/broken", "error", 1),
    ]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == sorted(rule for rule, _, _ in found)
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


def _line(result: Any) -> int:
    return int(result["locations"][0]["physicalLocation"]["region"]["startLine"])


def test_no_message_moves_a_terminal() -> None:
    (result,) = run_of(sarif(reviewed(verdict(insecure("a.py", 1, says="\x1b[31mred\x1b[0m")))))["results"]
    assert result["message"]["text"] == "red"
    assert "\\u001b" not in json.dumps(result["properties"]["evidence"])


def test_what_asks_for_nothing_is_no_result() -> None:
    """Who defends a name or an exemption, and who left a file alone, reports no problem; a tool that failed is told."""
    quiet = [
        Claim(by="a", about="a.py:f", value=value, because="so") for value in ("used", "accepted", "not written here")
    ]
    failed = Claim(by="mypy", about="mypy:run", value="could not run", because="it ended with 2")
    run = run_of(sarif(reviewed(*map(verdict, [*quiet, failed]), missing=("radon",), status="partial")))
    assert run["results"] == []
    told = [each["message"]["text"] for each in run["invocations"][0]["toolExecutionNotifications"]]
    assert told == ["radon did not take part", "mypy: it ended with 2"]
    assert run["invocations"][0]["executionSuccessful"]


def test_paths_are_relative_to_the_checkout() -> None:
    run = run_of(sarif(reviewed(verdict(insecure("a.py", 1)), verdict(changes(), kind="change")), "packages/foo"))
    uris = {each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in run["results"]}
    assert uris == {"packages/foo/a.py"}


def test_a_fix_makes_of_the_file_what_the_proposal_makes_of_it() -> None:
    """Also at the end of a file without an end of line, with CRLF, and where lines are only added or only go."""
    pairs = [
        (OLD, NEW), ("a\nb\nc", "a\nb\nd"), ("a\nb\nc", "a\nb\n"), ("a\r\nb\r\n", "a\r\nc\r\nd\r\n"), ("", "a\n"),
        ("a\nb\n", "b\n"), ("a\n", "a\nb\n"), ("a\n\nb\n", "a\nc\nb\n"), ("a\nb\n", "\nb\n"),
    ]  # fmt: skip
    for old, new in pairs:
        proposal = changes("a.py", old, new)
        (result,) = run_of(sarif(reviewed(verdict(proposal, kind="change"))))["results"]
        assert (result["ruleId"], result["level"]) == ("ruff/F401", "note")
        (change,) = result["fixes"][0]["artifactChanges"]
        text = old
        for replacement in reversed(change["replacements"]):
            text = replaced(text, replacement)
        assert text == new == apply(old, proposal.edits)


def replaced(text: str, replacement: Any) -> str:
    """As a reader of SARIF does it, section 3.30: without an end column the region ends before the end of its line."""
    region, lines = replacement["deletedRegion"], split_lines(text)
    before = "".join(lines[: region["startLine"] - 1])
    if "endColumn" in region:
        after = "".join(lines[region["endLine"] - 1 :])
    else:
        last = lines[region["endLine"] - 1]
        after = last[len(last.rstrip("\r\n")) :] + "".join(lines[region["endLine"] :])
    return before + str(replacement["insertedContent"]["text"]) + after


def test_changes_of_rewritten_files_are_left_out() -> None:
    """Their lines are those of a file that nobody has."""
    first, second = changes(), changes("a.py", NEW, NEW + "\n", by="formatter")
    run = run_of(sarif(reviewed(verdict(first, kind="change"), verdict(second, kind="change"))))
    assert [each["ruleId"] for each in run["results"]] == ["ruff/F401"]


def test_a_proposal_to_keep_is_no_result() -> None:
    edit = Edit(resource="a.py", base="b", start=0, end=1, was="a\n", text="a\n")
    assert run_of(sarif(reviewed(verdict(Proposal(by="guard", edits=(edit,)), kind="change"))))["results"] == []
