"""The writer: puts the verdicts into sentences, each with its citation; and the checker, who looks the quotes up."""

from hustings import Specialist, TaskContext, Verdict

from .messages import Checked, Cited, Library, Research
from .shelves import Shelves

WRITE = """\
You write the answer of a research desk. You are given the question and the verdicts on what the readers found.
Write one sentence for each verdict that is decided, with the quote and the source that its evidence names, letter
by letter. Name what is undecided under `unsettled`, in one sentence each. Say nothing that no verdict says."""

writer = Specialist("writer", "writes the cited answer")
checker = Specialist("checker", "looks up whether the quotes stand where the citations say", spends=False)


@writer.skill
async def write(research: Research, verdicts: list[Verdict], context: TaskContext) -> Cited:
    """The answer, each sentence with its citation."""
    return await context.model(Cited, instructions=WRITE, material=[research, *verdicts])


@checker.skill
async def check(answer: Cited, library: Library, context: TaskContext) -> Checked:
    """Look up each quote in the library."""
    shelves = Shelves(await context.unpack(library))
    wrong = tuple(each.quote for each in answer.sentences if not shelves.holds(each.quote, each.source))
    found = len(answer.sentences) - len(wrong)
    because = f"{found} of {len(answer.sentences)} quotes stand where the citations say"
    return Checked(holds=not wrong and found > 0, because=because, found=found, wrong=wrong)
