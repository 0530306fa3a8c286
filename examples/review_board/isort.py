"""The specialist isort."""

from hustings import Specialist, TaskContext

from .messages import Findings, Repository
from .rewriters import isort_fixes
from .workspace import work

isort = Specialist("isort", "puts imports in order", spends=False)


@isort.skill
async def check(repository: Repository, context: TaskContext) -> Findings:
    """Propose isort's order of imports."""
    return await work(repository, context, "running isort", isort_fixes)
