"""The specialist api_guard."""

from hustings import Specialist, TaskContext

from .messages import Findings, Repository
from .public_api import guard
from .workspace import work

api_guard = Specialist("api_guard", "defends the names that others rely on", spends=False)


@api_guard.skill
async def check(repository: Repository, context: TaskContext) -> Findings:
    """Propose to keep what others rely on, and claim that it is used."""
    return await work(repository, context, "looking for who needs which name", guard)
