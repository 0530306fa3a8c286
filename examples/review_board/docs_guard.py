"""The specialist docs_guard."""

from hustings import Specialist, TaskContext

from .documentation import misdocumented
from .messages import Findings, Repository
from .workspace import work

docs_guard = Specialist("docs_guard", "claims which documented names are not there", spends=False)


@docs_guard.skill
async def check(repository: Repository, context: TaskContext) -> Findings:
    """Claim which names and parameters README, docs and docstrings have and the code has not."""
    return await work(repository, context, "comparing the documentation with the code", misdocumented)
