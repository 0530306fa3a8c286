"""Spelling: codespell's corrections. A word that is a name in the code is corrected everywhere or nowhere."""

import re
import tokenize
from collections.abc import Iterable, Sequence
from io import StringIO
from pathlib import Path

from hustings import Edit, Evidence, Proposal

from .messages import Findings
from .rewriters import on_files, portions
from .rewriting import both, proposal, rewritten
from .sources import Source, Sources, read_sources
from .tools import call

TYPO = re.compile(r"(?P<path>.+?):(?P<line>\d+): (?P<wrong>\S+) ==> (?P<right>[^,]+)")
FOUND = 65  # codespell's exit code where it found something
Typos = dict[tuple[str, int], list[tuple[str, str]]]  # path and line from 0 -> wrong and right words


def spelling_fixes(root: Path) -> Findings:
    """What codespell corrects with the repository's own list of words. `root` is changed."""
    sources = read_sources(root)
    typos = _typos(root, sources)

    def explain(source: Source, edits: Sequence[Edit]) -> Proposal:
        found = _within(typos, source.path, edits)
        says = ", ".join(dict.fromkeys(f"{wrong} should be {right}" for _, wrong, right in found))
        evidence = [Evidence(kind="rule", says=f"{wrong} ==> {right}", source=where) for where, wrong, right in found]
        return proposal(edits, "codespell", says or "a typo", evidence)

    findings = rewritten(root, on_files("codespell", "--write-changes", root=root, ends=(0, FOUND)), explain)
    names = _names(sources) & {wrong for words in typos.values() for wrong, _ in words}
    return findings.model_copy(update={"proposals": tuple(_joined(findings.proposals, names))})


def _typos(root: Path, sources: Sources) -> Typos:
    found: Typos = {}
    for files in portions(list(sources.files)):
        for line in map(TYPO.fullmatch, call("codespell", files, root, (0, FOUND)).splitlines()):
            if line:
                key = (Path(line["path"]).as_posix(), int(line["line"]) - 1)
                found.setdefault(key, []).append((line["wrong"], line["right"]))
    return found


def _within(typos: Typos, path: str, edits: Sequence[Edit]) -> list[tuple[str, str, str]]:
    rows = [row for edit in edits for row in range(edit.start, edit.end)]
    return [(f"{path}:{row + 1}", wrong, right) for row in rows for wrong, right in typos.get((path, row), ())]


def _names(sources: Sources) -> set[str]:
    """Every name in the code."""
    found: set[str] = set()
    for source in sources.files.values():
        try:
            tokens = tokenize.generate_tokens(StringIO(source.text.lstrip("\ufeff")).readline)
            found.update(token.string for token in tokens if token.type == tokenize.NAME)
        except (tokenize.TokenError, SyntaxError):  # the tokenizer is stricter than the parser in rare places
            continue
    return found


def _joined(proposals: Iterable[Proposal], names: set[str]) -> list[Proposal]:
    """The proposals, those that correct the same name as one."""
    done: list[tuple[set[str], Proposal]] = []
    for item in proposals:
        words = {evidence.says.partition(" ==> ")[0] for evidence in item.evidence} & names
        same = [pair for pair in done if pair[0] & words]
        done = [pair for pair in done if pair not in same]
        for others, other in same:
            words, item = words | others, both(other, item)
        done.append((words, item))
    return [item for _, item in done]
