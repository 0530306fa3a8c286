"""The specialist ruff."""

from functools import partial

from hustings import Specialist, TaskContext

from .fixers import ruff_fixes
from .messages import Findings, Review
from .workspace import findings

ruff = Specialist("ruff", "removes and modernises what ruff's safe fixes do", spends=False)


@ruff.skill
async def check(review: Review, context: TaskContext) -> Findings:
    """Propose ruff's safe fixes, each with its rules."""
    return await findings(review.repository, context, "running ruff", partial(ruff_fixes, bold=review.bold))
