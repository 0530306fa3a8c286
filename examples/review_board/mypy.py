"""The specialist mypy."""

from functools import partial

from hustings import Specialist, TaskContext

from .messages import Findings, Review
from .type_errors import type_errors
from .workspace import findings

mypy = Specialist("mypy", "claims type errors", spends=False)


@mypy.skill
async def check(review: Review, context: TaskContext) -> Findings:
    """Claim which lines have type errors, where the repository has settings of mypy, or boldly."""
    return await findings(review.repository, context, "running mypy", partial(type_errors, bold=review.bold))
