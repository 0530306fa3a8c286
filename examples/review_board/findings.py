"""Findings: what a reader of a review acts on: each with a rule, a level, a file and a line."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from hustings import Claim, Edit, Evidence, Proposal, Verdict
from hustings.agents import RunReport

from .severity import Severity

LEVELS: dict[str, Severity] = {
    "critical": "error", "error": "error", "high": "error",
    "medium": "warning", "moderate": "warning", "warning": "warning",
    "info": "note", "low": "note", "note": "note",
}  # fmt: skip
PLACE = re.compile(r"(?P<path>.+?):(?P<line>\d+)(:\d+)?")
CODE = re.compile(r"(?P<first>[A-Z]+\d+)\b|.*\[(?P<last>[a-z][\w-]+)\]$", re.DOTALL)
NO_FINDINGS = {"used", "accepted", "not written here", "not UTF-8", "could not run"}  # values that ask for nothing


class Finding(NamedTuple):
    """`rule` is TOOL/RULE; `line` counts from 1. `edits`: the change that mends it; empty for a claim. `sources`: the
    other places that the evidence names."""

    rule: str
    level: Severity
    says: str
    path: str
    line: int
    by: tuple[str, ...]
    matter: str
    confidence: float
    edits: tuple[Edit, ...] = ()
    evidence: tuple[Evidence, ...] = ()


def claimed(report: RunReport) -> list[Finding]:
    """The standing claims that something is wrong, by file and line."""
    found = [item for verdict in report.verdicts for item in _claimed(verdict)]
    return sorted(found, key=lambda each: (each.path, each.line, each.rule))


def proposed(report: RunReport) -> list[Finding]:
    """The standing changes of the repository's files, by file and line; those of rewritten files are left out, because
    their lines are not the repository's."""
    bases: dict[str, str] = {}  # the first that was read of each file
    found: dict[tuple[Edit, ...], Finding] = {}
    for verdict in report.verdicts:
        for item in verdict.stands:
            if isinstance(item, Proposal) and not item.keeps:
                edits = tuple(edit for edit in item.edits if not edit.keeps)
                if all(bases.setdefault(edit.resource, edit.base) == edit.base for edit in edits):
                    found.setdefault(edits, _change(verdict, item, edits))
    return sorted(found.values(), key=lambda each: (each.path, each.line, each.rule))


def failed_tools(report: RunReport) -> Iterator[str]:
    """Who could not work, and why."""
    for verdict in report.verdicts:
        for item in verdict.stands:
            if isinstance(item, Claim) and item.value == "could not run":
                yield f"{item.by}: {item.because}"


def _claimed(verdict: Verdict) -> Iterator[Finding]:
    """One finding for all claims of a matter that stand."""
    claims = [item for item in verdict.stands if isinstance(item, Claim) and item.value not in NO_FINDINGS]
    if not claims:
        return
    best = max(claims, key=lambda claim: (_severity(claim) != "", claim.confidence))
    if place := _place(best):
        yield Finding(
            rule=f"{best.by}/{_rule(best)}",
            level=_level(best),
            says=best.because.removeprefix(f"{_rule(best)} ") or f"{best.about}: {best.value}",
            path=place[0],
            line=place[1],
            by=tuple(dict.fromkeys(claim.by for claim in claims)),
            matter=verdict.matter,
            confidence=best.confidence,
            evidence=tuple(dict.fromkeys(each for claim in claims for each in claim.evidence)),
        )


def _change(verdict: Verdict, item: Proposal, edits: tuple[Edit, ...]) -> Finding:
    first = edits[0]
    same = [other for other in verdict.stands if isinstance(other, Proposal) and other.edits == item.edits]
    says = [each.says for each in item.evidence if each.kind == "rule"]
    return Finding(
        rule=f"{item.by}/{found['first']}" if (found := CODE.match(item.because)) and found["first"] else item.by,
        level="note",
        says="; ".join(dict.fromkeys(says)) or item.because or "a change",
        path=first.resource,
        line=first.start + 1,
        by=tuple(dict.fromkeys(other.by for other in same)),
        matter=verdict.matter,
        confidence=item.confidence,
        edits=edits,
        evidence=item.evidence,
    )


def _severity(claim: Claim) -> str:
    return next((each.says for each in claim.evidence if each.kind == "severity"), "")


def _level(claim: Claim) -> Severity:
    """By its severity; without one a broken file is an error, and a measurement or a guess a note."""
    severity = _severity(claim).partition(",")[0].strip().lower()
    if claim.value == "broken":
        return "error"
    return LEVELS.get(severity, "warning" if severity or claim.value == "insecure" else "note")


def _rule(claim: Claim) -> str:
    """The tool's own code of the rule; else the last word of what the claim is about, or its value."""
    texts = [each.says for each in claim.evidence if each.kind == "rule"] + [claim.because]
    for found in map(CODE.match, texts):
        if found:
            return found["first"] or found["last"]
    last = claim.about.rpartition(":")[2]
    return last if claim.about.count(":") > 1 else str(claim.value)


def _place(claim: Claim) -> tuple[str, int] | None:
    """The file and line: what the claim is about, else what its evidence points at; None if there is no file."""
    for said in _places(claim):
        if found := PLACE.fullmatch(said):
            return found["path"], max(1, int(found["line"]))
    path = claim.about.partition(":")[0]
    return (path, 1) if "." in path else None


def _places(claim: Claim) -> Iterable[str]:
    path, _, rest = claim.about.partition(":")
    yield f"{path}:{rest.partition(':')[0]}"
    yield from (each.source for each in claim.evidence)
