"""The specialist vulture."""

from hustings import Specialist, TaskContext

from .dead_code import unused
from .messages import Findings, Repository
from .workspace import findings

vulture = Specialist("vulture", "claims which code nothing uses", spends=False)


@vulture.skill
async def check(repository: Repository, context: TaskContext) -> Findings:
    """Claim which names nothing uses."""
    return await findings(repository, context, "running vulture", unused)
