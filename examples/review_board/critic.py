"""The critic: a model that looks for what is wrong. It joins when there is a key for it."""

from hustings import Specialist, TaskContext

from .messages import Draft, Findings, Objections, Repository
from .reading import reviewed, reviewed_diff

CRITIC = """\
You review Python code for what is wrong: a case that is not handled, an exception that hides another, a resource
that is not closed, a comparison that is not meant. List the files, read those that matter, and propose the smallest
change of whole lines that puts each right. Leave style, types and names to others. The package's own tests will
judge you."""

critic = Specialist("critic", "a model that looks for what is wrong")


@critic.skill
async def criticise(repository: Repository, context: TaskContext) -> Findings:
    """Propose to put right what a model finds wrong."""
    return await reviewed(repository, context, CRITIC)


@critic.skill
async def review_diff(repository: Repository, draft: Draft, context: TaskContext) -> Objections:
    """Propose to put right what a model finds wrong in the diff that the others have agreed on."""
    return await reviewed_diff(repository, draft, context, CRITIC)
