"""SARIF: a review as a log in the Static Analysis Results Interchange Format 2.1.0, which code hosts and editors read.

The format: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

import json
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from itertools import groupby
from posixpath import normpath
from urllib.parse import quote

from hustings import Edit
from hustings.agents import RunReport
from hustings.agents.cli import inert
from hustings.protocols import Data

from .findings import PLACE, Finding, claimed, failed_tools, proposed

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ENDS = ("\r\n", "\n")


def sarif(report: RunReport, folder: str = "") -> str:
    """The standing claims, and the standing changes with their fixes. Paths are relative to the root of the checkout,
    in which the reviewed files lie in `folder`."""
    found = [*claimed(report), *proposed(report)]
    rules = sorted({each.rule for each in found})
    driver: Data = {
        "name": "hustings review",
        "version": version("hustings"),
        "rules": [{"id": rule} for rule in rules],
    }
    run: Data = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report)],
        "results": [{**_result(each, folder), "ruleIndex": rules.index(each.rule)} for each in found],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1) + "\n"


def _invocation(report: RunReport) -> Data:
    told = [*(f"{who} did not take part" for who in report.missing), *failed_tools(report)]
    return {
        "executionSuccessful": report.status in ("decided", "partial"),
        "toolExecutionNotifications": [{"level": "warning", "message": {"text": inert(each)}} for each in told],
    }


def _result(each: Finding, folder: str) -> Data:
    result: Data = {
        "ruleId": each.rule,
        "level": each.level,
        "message": {"text": inert(each.says)},
        "rank": round(100 * each.confidence, 1),
        "locations": [_location(each.path, each.line, folder)],
        "relatedLocations": [*_related(each, folder)],
        "properties": {
            "specialists": [*each.by],
            "matter": each.matter,
            "evidence": [inert(f"{said.kind}: {said.says}") for said in each.evidence],
        },
    }
    return {**result, "fixes": [_fix(each.says, each.edits, folder)]} if each.edits else result


def _related(each: Finding, folder: str) -> Iterator[Data]:
    """The other places that the evidence names, each with what it says there."""
    said = {
        (found["path"], int(found["line"])): one.says for one in each.evidence if (found := PLACE.fullmatch(one.source))
    }
    for (path, line), says in said.items():
        if (path, line) != (each.path, each.line) and line > 0:
            yield {**_location(path, line, folder), "message": {"text": inert(says)}}


def _location(path: str, line: int, folder: str) -> Data:
    return {"physicalLocation": {"artifactLocation": _artifact(path, folder), "region": {"startLine": line}}}


def _artifact(path: str, folder: str) -> Data:
    return {"uri": quote(normpath(f"{folder}/{path}" if folder else path)), "uriBaseId": "%SRCROOT%"}


def _fix(says: str, edits: Sequence[Edit], folder: str) -> Data:
    by_file = groupby(sorted(edits, key=lambda edit: (edit.resource, edit.start)), lambda edit: edit.resource)
    changes: list[Data] = [
        {"artifactLocation": _artifact(path, folder), "replacements": [_replacement(edit) for edit in some]}
        for path, some in by_file
    ]
    return {"description": {"text": inert(says)}, "artifactChanges": [*changes]}


def _replacement(edit: Edit) -> Data:
    """Lines in place of lines, their last end of line untouched; else from the begin of a line to that of another."""
    region: Data = {"startLine": edit.start + 1, "endLine": edit.end}
    text = edit.text
    end = next((end for end in ENDS if edit.was.endswith(end)), "")
    if edit.was and text.endswith(end) and text != end:
        text = text[: len(text) - len(end)]
    else:
        region = {"startLine": edit.start + 1, "startColumn": 1, "endLine": edit.end + 1, "endColumn": 1}
    return {"deletedRegion": region, "insertedContent": {"text": text}}
