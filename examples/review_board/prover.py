"""The specialist prover: runs the repository's own tests, on scratch copies, with a bound on everything."""

from hustings import Proposal, Specialist, TaskContext, Trial

from .memory import Memory
from .messages import Draft, Patch, Repository, ReviewProof
from .workspace import inside, work

# One task at a time: two test runs would slow each other down into their time limits.
prover = Specialist("prover", "proves by the repository's own tests what holds", max_concurrent_tasks=1, spends=False)
memory = Memory()


@prover.skill
async def trial(repository: Repository, proposals: list[Proposal], draft: Draft | None, context: TaskContext) -> Trial:
    """Find out which of the proposals hold together; once there is a draft, on top of it."""
    return await work(repository, context, "trying the proposals", lambda root: memory.trial(root, proposals, draft))


@prover.skill
async def prove(repository: Repository, patch: Patch, context: TaskContext) -> ReviewProof:
    """Apply the patch to a pristine copy and run the tests before and after."""
    return await work(
        repository,
        context,
        "proving the patch",
        lambda root: memory.proving(root).prove(patch, inside(repository, root)),
    )
