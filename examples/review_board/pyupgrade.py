"""The specialist pyupgrade."""

from moot.agents import Specialist, TaskContext

from .fixers import pyupgrade_fixes
from .messages import Findings, Repository
from .workspace import work

pyupgrade = Specialist("pyupgrade", "rewrites old syntax for Python 3.8 and newer")


@pyupgrade.skill
async def check(repository: Repository, context: TaskContext) -> Findings:
    """Propose newer syntax."""
    return await work(repository, context, "running pyupgrade", pyupgrade_fixes)
