"""The specialist pyupgrade."""

from hustings import Specialist, TaskContext

from .messages import Findings, Repository
from .rewriters import pyupgrade_fixes
from .workspace import findings

pyupgrade = Specialist(
    "pyupgrade", "rewrites old syntax for the oldest Python that the repository supports", spends=False
)


@pyupgrade.skill
async def check(repository: Repository, context: TaskContext) -> Findings:
    """Propose newer syntax."""
    return await findings(repository, context, "running pyupgrade", pyupgrade_fixes)
