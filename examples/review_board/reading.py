"""Reading: what a model proposes after it has looked at a repository. It reads with two tools, and changes nothing."""

from collections.abc import Mapping, Sequence

from pydantic import Field

from hustings import Claim, Edit, Evidence, Message, Proposal, TaskContext, Untrusted, tool
from hustings.agents import Tool

from .edits import hunks, split_lines
from .messages import Draft, Findings, Objections, Repository
from .patches import unified
from .rewriting import Span, touches
from .sources import Source, Sources, is_test, read_sources
from .workspace import work

DIFF = """

This time you review a diff: what other tools have proposed and agreed on, file by file. Say only what the diff gets
wrong, or what it should have done with the lines that it touches. The files read as they would after the diff, and so
do their numbers of lines."""
LONGEST = 400  # lines shown at once
LONGEST_DIFF = 100_000  # characters: about 30,000 tokens
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
    said = await _asked(context, instructions, sources, ())
    proposals = [proposed(sources, remark) for remark in said.remarks]
    return Findings(proposals=tuple(proposal for proposal in proposals if proposal))


async def reviewed_diff(repository: Repository, draft: Draft, context: TaskContext, instructions: str) -> Objections:
    """What a model finds in the diff, as proposals on the rewritten files that touch rewritten lines; nobody is asked
    where nothing was rewritten. What is longer than a model reads at once is left out, and claimed so."""
    before = await work(repository, context, "reading the diff", read_sources)
    files = {file.resource: Source(file.resource, file.text) for file in draft.files if file.resource in before.files}
    shown = _shown([unified(path, before.files[path].text, source.text) for path, source in files.items()])
    if not any(shown):
        return Objections()
    after = Sources({**before.files, **files}, ())
    spans = {path: _rewritten(source, before.files[path]) for path, source in files.items()}
    said = await _asked(context, instructions + DIFF, after, [Untrusted(diff) for diff in shown])
    proposals = [item for remark in said.remarks if (item := proposed(after, remark)) and _touches(item, spans)]
    return Objections(claims=_left_out(context, len(files) - len(shown)), proposals=tuple(proposals))


def _shown(diffs: Sequence[str]) -> list[str]:
    """As many as a model reads at once, the short ones first."""
    shown: list[str] = []
    for diff in sorted(diffs, key=len):
        if sum(map(len, shown)) + len(diff) <= LONGEST_DIFF:
            shown.append(diff)
    return shown


def _left_out(context: TaskContext, count: int) -> tuple[Claim, ...]:
    severity = Evidence(kind="severity", says="note")
    because = f"the diffs of {count} files are too long"
    claim = Claim(about=f"{context.agent}:diff", value="read in part", because=because, evidence=(severity,))
    return (claim,) if count else ()


def _rewritten(after: Source, before: Source) -> list[Span]:
    return [(edit.start, edit.end) for edit in hunks(after.path, after.text, before.text)]


def _touches(item: Proposal, spans: Mapping[str, list[Span]]) -> bool:
    return any(touches(edit, span) for edit in item.edits for span in spans.get(edit.resource, ()))


async def _asked(context: TaskContext, instructions: str, sources: Sources, material: Sequence[Untrusted]) -> Remarks:
    tools = _tools(sources)
    return await context.model(
        Remarks, instructions=instructions, material=material, tools=tools, max_turns=ROUNDS, max_tokens=MOST
    )


def _tools(sources: Sources) -> list[Tool]:
    """The two tools with which a model reads."""

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

    return [tool(list_files), tool(read_file)]


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
