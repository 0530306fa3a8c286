"""The specialist dependency_guard."""

from functools import partial

from hustings import Specialist, TaskContext

from .dependencies import dependency_claims
from .messages import Findings, Review
from .workspace import findings, known

dependency_guard = Specialist("dependency_guard", "claims which dependencies are unused or not declared", spends=False)


@dependency_guard.skill
async def check(review: Review, context: TaskContext) -> Findings:
    """Claim which dependencies are declared and unused, or needed and not declared."""
    job = partial(dependency_claims, python=known(review.python))
    return await findings(review.repository, context, "comparing imports with dependencies", job)
