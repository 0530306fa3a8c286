"""The specialist ruff."""

from hustings import Specialist, TaskContext

from .fixers import ruff_fixes
from .messages import Findings, Repository
from .workspace import findings

ruff = Specialist("ruff", "removes and modernises what ruff's safe fixes do", spends=False)


@ruff.skill
async def check(repository: Repository, context: TaskContext) -> Findings:
    """Propose ruff's safe fixes, each with its rules."""
    return await findings(repository, context, "running ruff", ruff_fixes)
