"""The specialist ty."""

from functools import partial

from hustings import Specialist, TaskContext

from .messages import Findings, Review
from .type_errors import ty_errors
from .workspace import findings, known

ty = Specialist("ty", "claims type errors too", spends=False)


@ty.skill
async def check(review: Review, context: TaskContext) -> Findings:
    """Claim the same as mypy, independently, where the repository asks for types, or boldly."""
    job = partial(ty_errors, bold=review.bold, python=known(review.python))
    return await findings(review.repository, context, "running ty", job)
