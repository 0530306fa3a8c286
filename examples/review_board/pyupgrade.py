"""The specialist pyupgrade."""

from functools import partial

from hustings import Specialist, TaskContext

from .messages import Findings, Review
from .rewriters import pyupgrade_fixes
from .workspace import findings

pyupgrade = Specialist(
    "pyupgrade", "rewrites old syntax for the oldest Python that the repository supports", spends=False
)


@pyupgrade.skill
async def check(review: Review, context: TaskContext) -> Findings:
    """Propose newer syntax."""
    return await findings(review.repository, context, "running pyupgrade", partial(pyupgrade_fixes, bold=review.bold))
