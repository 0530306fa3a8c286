"""Severity: a claim with what a reader needs to act on it: the file and line, the evidence, and how much it matters."""

from collections.abc import Iterable
from typing import Literal

from pydantic import JsonValue

from hustings import Claim, Evidence

Severity = Literal["note", "warning", "error"]  # the levels of SARIF and of GitHub's annotations


def finding(
    about: str,
    value: JsonValue,
    where: str,
    says: str,
    severity: Severity,
    *,
    lineage: str = "",
    confidence: float = 1.0,
    kind: str = "rule",
    more: Iterable[Evidence] = (),
) -> Claim:
    """A claim that holds at `where` ("path:line"); what was seen there is its first evidence, its severity the last."""
    return Claim(
        about=about,
        value=value,
        because=says,
        confidence=confidence,
        lineage=lineage,
        evidence=(
            Evidence(kind=kind, says=says, source=where),
            *more,
            Evidence(kind="severity", says=severity, source=where),
        ),
    )
