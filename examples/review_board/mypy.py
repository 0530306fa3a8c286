"""The specialist mypy."""

from functools import partial

from hustings import Specialist, TaskContext

from .messages import Findings, Review
from .type_errors import type_errors
from .workspace import findings, known

mypy = Specialist("mypy", "claims type errors", spends=False)


@mypy.skill
async def check(review: Review, context: TaskContext) -> Findings:
    """Claim which lines have type errors, where the repository asks for types, or boldly."""
    job = partial(type_errors, bold=review.bold, python=known(review.python))
    return await findings(review.repository, context, "running mypy", job)
