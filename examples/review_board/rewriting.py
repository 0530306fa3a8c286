"""Rewriting: a tool's changes in a folder, as the smallest proposals that can stand alone."""

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from pathlib import Path

from hustings import Edit, Evidence, Proposal

from .edits import apply, hunks
from .messages import Findings
from .moving import imports, lines, moved
from .sources import Source, Sources, parse, read_sources

Span = tuple[int, int]
Explain = Callable[[Source, Sequence[Edit]], Proposal]
Ties = Callable[[Source], Iterable[Sequence[Span]]]


def rewritten(root: Path, tool: Callable[[Sources], None], explain: Explain, ties: Ties = lambda _: ()) -> Findings:
    """Let a tool change the folder in place, and give each change as a Proposal made by `explain`.

    One hunk is one proposal. Hunks become one proposal together if one fix made them (`ties`: groups of line spans), if
    a line or an import moves between them, or if one alone would leave a file that does not parse.
    """
    before = read_sources(root)
    tool(before)
    proposals = [
        explain(source, group)
        for path, source in before.files.items()
        for group in groups(source, hunks(path, source.text, _text(root / path)), ties(source))
    ]
    places = moved([_code(item) for item in proposals])
    joined = [reduce(both, [proposals[place] for place in some]) for some in places]
    return Findings(claims=before.claims, proposals=tuple(joined))


def groups(source: Source, edits: Sequence[Edit], ties: Iterable[Sequence[Span]] = ()) -> list[list[Edit]]:
    """The edits in groups that stand or fall together, in order of their first lines."""
    return _whole(source, _tie(unmoved(source, edits), ties))


def unmoved(source: Source, edits: Sequence[Edit]) -> list[list[Edit]]:
    """The hunks in groups between which no line and no import moves."""
    balances = [{**lines([edit]), **names} for edit, names in zip(edits, imports(source, edits), strict=True)]
    return [[edits[place] for place in places] for places in moved(balances)]


def touches(edit: Edit, span: Span) -> bool:
    """True if the edit's lines overlap the span, or one is an insertion at the other's border."""
    start, end = span
    if edit.start == edit.end or start == end:
        return edit.start <= end and start <= edit.end
    return edit.start < end and start < edit.end


def proposal(edits: Sequence[Edit], lineage: str, because: str, evidence: Sequence[Evidence] = ()) -> Proposal:
    """A proposal whose edits stand or fall together."""
    return Proposal(edits=tuple(edits), lineage=lineage, because=because, evidence=tuple(evidence))


def _code(item: Proposal) -> dict[str, int]:
    """What moves from file to file. No import does: `import os` may go here and come there for reasons of their own."""
    return {line: number for line, number in lines(item.edits).items() if not line.startswith(("import ", "from "))}


def both(one: Proposal, other: Proposal) -> Proposal:
    """One proposal of two, which stand or fall together."""
    because = ", ".join(dict.fromkeys([*one.because.split(", "), *other.because.split(", ")]))
    update = {"edits": one.edits + other.edits, "evidence": one.evidence + other.evidence, "because": because}
    return one.model_copy(update=update)


def _text(path: Path) -> str:
    return path.read_bytes().decode()


def _tie(parts: list[list[Edit]], ties: Iterable[Sequence[Span]]) -> list[list[Edit]]:
    for spans in ties:
        hit = [part for part in parts if any(touches(edit, span) for edit in part for span in spans)]
        if len(hit) > 1:
            joined = sorted((edit for part in hit for edit in part), key=lambda edit: edit.start)
            parts = [part for part in parts if part not in hit] + [joined]
    return sorted(parts, key=lambda part: part[0].start)


def _whole(source: Source, parts: list[list[Edit]]) -> list[list[Edit]]:
    out: list[list[Edit]] = []
    open_part: list[Edit] = []
    for part in parts:
        open_part = sorted([*open_part, *part], key=lambda edit: edit.start)
        if _parses(source, open_part):
            out.append(open_part)
            open_part = []
    if open_part:  # the rest parses only together with the hunks before
        out = [[edit for part in [*out, open_part] for edit in part]]
    return out


def _parses(source: Source, edits: Sequence[Edit]) -> bool:
    try:
        parse(apply(source.text, edits))
    except SyntaxError:
        return False
    return True
