"""The specialist autoflake."""

from functools import partial

from hustings import Specialist, TaskContext

from .messages import Findings, Review
from .rewriters import autoflake_fixes
from .workspace import findings

autoflake = Specialist("autoflake", "drops imports that a file does not use", spends=False)


@autoflake.skill
async def check(review: Review, context: TaskContext) -> Findings:
    """Propose to drop the imports that their files do not use."""
    return await findings(review.repository, context, "running autoflake", partial(autoflake_fixes, bold=review.bold))
