"""The simplifier: another model, that looks for what could be simpler. It joins when there is a key for it."""

from hustings import Specialist, TaskContext

from .messages import Draft, Findings, Objections, Repository
from .reading import reviewed, reviewed_diff

SIMPLIFIER = """\
You review Python code for what could be simpler, with the same behaviour: a loop that is a comprehension, a branch
that cannot be reached, a value computed twice. List the files, read those that matter, and propose the smallest
change of whole lines for each. Never change a public name or a message. The package's own tests will judge you."""

simplifier = Specialist("simplifier", "a model that looks for what could be simpler")


@simplifier.skill
async def simplify(repository: Repository, context: TaskContext) -> Findings:
    """Propose what a model would say in fewer words."""
    return await reviewed(repository, context, SIMPLIFIER)


@simplifier.skill
async def review_diff(repository: Repository, draft: Draft, context: TaskContext) -> Objections:
    """Propose to put right what a model finds longer than it need be in the diff that the others have agreed on."""
    return await reviewed_diff(repository, draft, context, SIMPLIFIER)
