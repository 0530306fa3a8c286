"""The specialist ruff_security."""

from hustings import Specialist, TaskContext

from .messages import Findings, Repository
from .security import ruff_security_findings
from .workspace import findings

ruff_security = Specialist("ruff_security", "claims what looks insecure to ruff's port of bandit", spends=False)


@ruff_security.skill
async def check(repository: Repository, context: TaskContext) -> Findings:
    """Claim what ruff's S rules take for insecure."""
    return await findings(repository, context, "running ruff's security rules", ruff_security_findings)
