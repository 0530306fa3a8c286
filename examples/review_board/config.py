"""The specialist config."""

from hustings import Specialist, TaskContext

from .house_rules import defended
from .messages import Findings, Repository
from .workspace import findings

config = Specialist("config", "defends what the repository's own configuration says", spends=False)


@config.skill
async def check(repository: Repository, context: TaskContext) -> Findings:
    """Propose to keep what configuration and comments waive, and claim that it is accepted."""
    return await findings(repository, context, "reading the repository's configuration", defended)
