"""The specialist scribe: writes down what was decided."""

from pathlib import Path

from hustings import Specialist, TaskContext, Verdict

from .messages import Draft, Patch, Repository
from .workspace import inside, work
from .writing import finished, write_draft, write_patch

scribe = Specialist("scribe", "writes what was decided as a patch", spends=False)


@scribe.skill
async def draft(repository: Repository, verdicts: list[Verdict], context: TaskContext) -> Draft:
    """Rewrite the files with the edits of every proposal that stands."""
    return await work(repository, context, "rewriting", lambda root: write_draft(root, verdicts))


@scribe.skill
async def finish(repository: Repository, draft: Draft, verdicts: list[Verdict], context: TaskContext) -> Patch:
    """Write the unified diff from the repository to the draft, with what was decided about its format."""

    def write(root: Path) -> Patch:
        patch = write_patch(root, finished(draft, verdicts), inside(repository, root))
        return patch.model_copy(update={"folder": repository.folder})

    return await work(repository, context, "writing the patch", write)
