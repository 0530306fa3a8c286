"""The specialist mypy."""

from hustings import Specialist, TaskContext

from .messages import Findings, Repository
from .type_errors import type_errors
from .workspace import work

mypy = Specialist("mypy", "claims type errors", spends=False)


@mypy.skill
async def check(repository: Repository, context: TaskContext) -> Findings:
    """Claim which lines have type errors."""
    return await work(repository, context, "running mypy", type_errors)
