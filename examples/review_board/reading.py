"""Reading: what a model proposes after it has looked at a repository. It reads with two tools, and changes nothing."""

from pydantic import Field

from hustings import Edit, Message, Proposal, TaskContext, tool

from .edits import split_lines
from .messages import Findings, Repository
from .sources import Source, Sources, is_test, read_sources
from .workspace import work

LONGEST = 400  # lines shown at once
ROUNDS = 20
MOST = 8192  # tokens in a reply


class Remark(Message):
    """One improvement: replace some whole lines of a file by others."""

    path: str
    first: int = Field(ge=1, description="The first line to replace, counted from 1.")
    was: str = Field(min_length=1, description="The lines to replace, letter by letter, without their numbers.")
    text: str = Field(description="What shall stand there instead; empty to delete them.")
    because: str
    confidence: float = Field(ge=0, le=1)


class Remarks(Message):
    """All that is worth to be changed; better none than one that is not sure."""

    remarks: tuple[Remark, ...]


async def reviewed(repository: Repository, context: TaskContext, instructions: str) -> Findings:
    """What a model finds with these instructions. What it says of lines that do not read so is left out, and so is
    every change to a test: by the tests it will be judged."""
    sources = await work(repository, context, "reading", read_sources)

    def list_files() -> dict[str, int]:
        """The Python files of the repository, each with its number of lines."""
        return {path: len(split_lines(source.text)) for path, source in sources.files.items()}

    def read_file(path: str, first: int = 1) -> str:
        """Up to 400 lines of a file from a line on, numbered."""
        source = sources.files.get(path)
        if source is None:
            return "there is no such file"
        lines = split_lines(source.text)[first - 1 : first - 1 + LONGEST] if first > 0 else []
        return "".join(f"{number}\t{line}" for number, line in enumerate(lines, first))

    tools = [tool(list_files), tool(read_file)]
    said = await context.model(Remarks, instructions=instructions, tools=tools, max_turns=ROUNDS, max_tokens=MOST)
    proposals = [proposed(sources, remark) for remark in said.remarks]
    return Findings(proposals=tuple(proposal for proposal in proposals if proposal))


def proposed(sources: Sources, remark: Remark) -> Proposal | None:
    """The remark as a proposal; None if its lines do not read as it says, or are a test's."""
    source = sources.files.get(remark.path)
    if source is None or is_test(remark.path):
        return None
    edit = _edit(source, remark)
    if edit is None or edit.keeps:
        return None
    return Proposal(edits=(edit,), because=remark.because, confidence=remark.confidence)


def _edit(source: Source, remark: Remark) -> Edit | None:
    lines, wanted = split_lines(source.text), split_lines(_ended(remark.was))
    start = remark.first - 1
    end = start + len(wanted)
    was = "".join(lines[start:end])
    if _ended(was) != _ended(remark.was):
        return None
    text = _ended(remark.text) if remark.text else ""
    return Edit(resource=source.path, base=source.digest, start=start, end=end, was=was, text=text)


def _ended(text: str) -> str:
    return text if text.endswith("\n") else text + "\n"
