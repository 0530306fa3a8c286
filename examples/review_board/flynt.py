"""The specialist flynt."""

from functools import partial

from hustings import Specialist, TaskContext

from .messages import Findings, Review
from .rewriters import flynt_fixes
from .workspace import findings

flynt = Specialist("flynt", "turns string formatting into f-strings", spends=False)


@flynt.skill
async def check(review: Review, context: TaskContext) -> Findings:
    """Propose f-strings."""
    return await findings(review.repository, context, "running flynt", partial(flynt_fixes, bold=review.bold))
