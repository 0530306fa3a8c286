"""The skeptic: answers a topic too, with another model and its own search, and looks for contradictions."""

from hustings import Specialist, TaskContext, tool

from .findings import finding, whole
from .messages import Findings, Passages, Reading, Research, Topic
from .shelves import Shelves

DOUBT = """\
You check for a research desk. Search the library with the tool `look_up` for what is said on the question, and search
once more for what contradicts it: a correction, a newer figure, another source. Answer from the passage that is best
founded, and quote its words letter by letter."""

skeptic = Specialist("skeptic", "answers a topic, looking for what speaks against the obvious")


@skeptic.skill
async def doubt(research: Research, topic: Topic | None, context: TaskContext) -> Findings:
    """What the library says on a topic after a look at what contradicts it."""
    topic = topic or whole(research)
    shelves = Shelves(await context.unpack(research.library))

    def look_up(words: str) -> Passages:
        """Passages that share most with these words, the best first."""
        return Passages(passages=shelves.search(words))

    reading = await context.model(Reading, instructions=DOUBT, material=topic, tools=[tool(look_up)])
    return finding(topic, reading, shelves)
