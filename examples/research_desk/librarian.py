"""The librarian: finds passages for any agent. Uses no model."""

from hustings import Specialist, TaskContext

from .messages import Library, Passages, Words
from .shelves import Shelves

librarian = Specialist("librarian", "finds passages in a library", spends=False)


@librarian.skill
async def search(words: Words, library: Library, context: TaskContext) -> Passages:
    """The passages that share most with some words."""
    return Passages(passages=Shelves(await context.unpack(library)).search(words.words))
