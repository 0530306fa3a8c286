"""The specialist ruff_bold."""

from hustings import Specialist, TaskContext

from .fixers import bold_fixes
from .messages import Findings, Review
from .workspace import findings

ruff_bold = Specialist("ruff_bold", "proposes the fixes that ruff itself calls unsafe", spends=False)


@ruff_bold.skill
async def check(review: Review, context: TaskContext) -> Findings:
    """Propose what only ruff's unsafe fixes would change, if the review is bold."""
    if not review.bold:
        return Findings()
    return await findings(review.repository, context, "running ruff --unsafe-fixes", bold_fixes)
