"""The specialist autoflake."""

from hustings import Specialist, TaskContext

from .messages import Findings, Repository
from .rewriters import autoflake_fixes
from .workspace import findings

autoflake = Specialist("autoflake", "drops imports that a file does not use", spends=False)


@autoflake.skill
async def check(repository: Repository, context: TaskContext) -> Findings:
    """Propose to drop the imports that their files do not use."""
    return await findings(repository, context, "running autoflake", autoflake_fixes)
