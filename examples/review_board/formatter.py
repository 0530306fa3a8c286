"""The specialist formatter: a second round, on what was decided in the first."""

from hustings import Specialist, TaskContext

from .formatting import format_draft
from .messages import Draft, Formatting, Review
from .workspace import work

formatter = Specialist("formatter", "formats what the board rewrote", spends=False)


@formatter.skill
async def format(review: Review, draft: Draft, context: TaskContext) -> Formatting:
    """Propose ruff's format for the lines that the draft rewrites, if the repository is so formatted, or boldly."""
    return await work(
        review.repository, context, "running ruff format", lambda root: format_draft(root, draft, bold=review.bold)
    )
