"""The specialist scribe: writes down what was decided."""

from moot.agents import Specialist, TaskContext
from moot.protocols import Verdict

from .messages import Draft, Patch, Repository
from .workspace import inside, work
from .writing import write_draft, write_patch

scribe = Specialist("scribe", "writes what was decided as a patch")


@scribe.skill
async def draft(repository: Repository, verdicts: list[Verdict], context: TaskContext) -> Draft:
    """Rewrite the files with the edits of every proposal that stands."""
    return await work(repository, context, "rewriting", lambda root: write_draft(root, verdicts))


@scribe.skill
async def finish(repository: Repository, draft: Draft, context: TaskContext) -> Patch:
    """Write the unified diff from the repository to the draft."""
    return await work(
        repository, context, "writing the patch", lambda root: write_patch(root, draft, inside(repository, root))
    )
