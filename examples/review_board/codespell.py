"""The specialist codespell."""

from hustings import Specialist, TaskContext

from .messages import Findings, Repository
from .spelling import spelling_fixes
from .workspace import findings

codespell = Specialist("codespell", "corrects typos", spends=False)


@codespell.skill
async def check(repository: Repository, context: TaskContext) -> Findings:
    """Propose codespell's corrections."""
    return await findings(repository, context, "running codespell", spelling_fixes)
