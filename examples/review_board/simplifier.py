"""The simplifier: another model, that looks for what could be simpler. It joins when there is a key for it."""

from hustings import Specialist, TaskContext

from .messages import Findings, Repository
from .reading import reviewed

SIMPLIFIER = """\
You review Python code for what could be simpler, with the same behaviour: a loop that is a comprehension, a branch
that cannot be reached, a value computed twice. List the files, read those that matter, and propose the smallest
change of whole lines for each. Never change a public name or a message. The package's own tests will judge you."""

simplifier = Specialist("simplifier", "a model that looks for what could be simpler")


@simplifier.skill
async def simplify(repository: Repository, context: TaskContext) -> Findings:
    """Propose what a model would say in fewer words."""
    return await reviewed(repository, context, SIMPLIFIER)
