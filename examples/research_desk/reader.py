"""The reader: answers a topic from the librarian's passages, which it asks for through the coordinator."""

from hustings import Specialist, TaskContext

from .findings import finding, whole
from .messages import Findings, Reading, Research, Topic, Words
from .shelves import Shelves

READ = """\
You read for a research desk. Look for passages with the tool `search`, in words that such a passage would use, and
search again in other words where the first do not find it. Then answer the question from the one passage that answers
it best, and quote its words letter by letter."""

reader = Specialist("reader", "answers a topic from the passages that the librarian finds")


@reader.skill
async def read(research: Research, topic: Topic | None, context: TaskContext) -> Findings:
    """What the library says on a topic of the question, or on all of it."""
    topic = topic or whole(research)
    tools = [context.asking("search", "Passages that share most with some words, the best first.", words=Words)]
    reading = await context.model(Reading, instructions=READ, material=topic, tools=tools)
    return finding(topic, reading, Shelves(await context.unpack(research.library)))
