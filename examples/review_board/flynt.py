"""The specialist flynt."""

from hustings import Specialist, TaskContext

from .messages import Findings, Repository
from .rewriters import flynt_fixes
from .workspace import work

flynt = Specialist("flynt", "turns string formatting into f-strings", spends=False)


@flynt.skill
async def check(repository: Repository, context: TaskContext) -> Findings:
    """Propose f-strings."""
    return await work(repository, context, "running flynt", flynt_fixes)
