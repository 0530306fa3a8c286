"""The specialist dependency_guard."""

from functools import partial
from pathlib import Path

from hustings import Specialist, TaskContext

from .dependencies import dependency_claims
from .messages import Findings, Review
from .vulnerabilities import vulnerability_claims
from .workspace import findings, known

dependency_guard = Specialist(
    "dependency_guard", "claims which dependencies are unused, not declared, or known to be vulnerable", spends=False
)


@dependency_guard.skill
async def check(review: Review, context: TaskContext) -> Findings:
    """Claim which dependencies are declared and unused, needed and not declared, or named by an advisory."""
    advisories = await context.read(review.vulnerabilities) if review.vulnerabilities else b""
    job = partial(_claims, python=known(review.python), advisories=advisories)
    return await findings(review.repository, context, "comparing imports with dependencies", job)


def _claims(root: Path, *, python: str, advisories: bytes) -> Findings:
    found = dependency_claims(root, python)
    vulnerable = vulnerability_claims(root, advisories) if advisories else []
    return Findings(claims=(*found.claims, *vulnerable))
