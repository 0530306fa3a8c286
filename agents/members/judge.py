"""model_judge: the judging specialist that asks a model, for the arbiter `judged`."""

from ..arbitration.judging import Case, Judgement
from ..skills.context import TaskContext
from ..skills.specialist import Specialist

JUDGE = """\
You are the judge of a team of specialists. They disagree about one matter, and cannot all be right. You are given
what each side says, its reasons and its evidence; you are not told who says it, and how many say it is not
evidence. Choose the option that is best founded in evidence that can be checked. Choose "none" if the evidence does
not tell them apart. Give the reason in one or two sentences, naming the evidence that decides it."""


def model_judge(name: str = "judge", instructions: str = JUDGE) -> Specialist:
    """A judging specialist that asks a model. The team's policy chooses the model."""
    bench = Specialist(name, "judges what the others disagree about")

    @bench.skill
    async def judge(case: Case, context: TaskContext) -> Judgement:
        """Choose the side that is best founded."""
        return await context.model(Judgement, instructions=instructions, material=case)

    return bench
