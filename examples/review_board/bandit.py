"""The specialist bandit."""

from hustings import Specialist, TaskContext

from .messages import Findings, Repository
from .security import bandit_findings
from .workspace import findings

bandit = Specialist("bandit", "claims what looks insecure", spends=False)


@bandit.skill
async def check(repository: Repository, context: TaskContext) -> Findings:
    """Claim what bandit takes for insecure, with its severity."""
    return await findings(repository, context, "running bandit", bandit_findings)
