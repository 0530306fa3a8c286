"""The specialist radon."""

from hustings import Specialist, TaskContext

from .complexity import complex_functions
from .messages import Findings, Repository
from .workspace import findings

radon = Specialist("radon", "claims which functions are complex", spends=False)


@radon.skill
async def check(repository: Repository, context: TaskContext) -> Findings:
    """Claim which functions have many paths through them."""
    return await findings(repository, context, "running radon", complex_functions)
