"""The specialist isort."""

from functools import partial

from hustings import Specialist, TaskContext

from .messages import Findings, Review
from .rewriters import isort_fixes
from .workspace import findings

isort = Specialist("isort", "puts imports in order", spends=False)


@isort.skill
async def check(review: Review, context: TaskContext) -> Findings:
    """Propose isort's order of imports where the repository asks for it, or boldly."""
    return await findings(review.repository, context, "running isort", partial(isort_fixes, bold=review.bold))
