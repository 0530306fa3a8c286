"""Spelling: codespell's corrections, in prose only."""

import re
import tokenize
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path

from hustings import Edit, Evidence, Proposal

from .messages import Findings
from .rewriters import portions
from .rewriting import proposal, rewritten
from .sources import Source, Sources, read_sources
from .tools import call

TYPO = re.compile(r"(?P<path>.+?):(?P<line>\d+): (?P<wrong>\S+) ==> (?P<right>[^,]+)")
ANY = 10**9  # a column behind the end of each line
BEFORE_A_STATEMENT = (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
BEFORE, BEHIND = r"(?<![\w)\]}'`./\\@-])", r"(?![\w(\[{'`/\\@]|[.-]\w)"  # not a part of a word, a name or a path
BEGINS = (".", "!", "?", '"', "'")  # what stands before a sentence that surely begins; a line may go on with one
FOUND = 65  # codespell's exit code where it found something
Typos = dict[tuple[str, int], list[tuple[str, str]]]  # path and line from 0 -> wrong and right words


def spelling_fixes(root: Path) -> Findings:
    """What codespell corrects in comments and docstrings, with the repository's own list of words. `root` is changed.

    Other strings are data, and a word that is a name in the code is a name wherever it stands.
    """
    sources = read_sources(root)
    names = _names(sources)
    typos = {place: [pair for pair in pairs if pair[0] not in names] for place, pairs in _typos(root, sources).items()}

    def correct(found: Sources) -> None:
        for path, source in found.files.items():
            if (text := _corrected(source, typos)) != source.text:
                (root / path).write_bytes(text.encode())

    def explain(source: Source, edits: Sequence[Edit]) -> Proposal:
        found = _within(typos, source.path, edits)
        says = ", ".join(dict.fromkeys(f"{wrong} should be {right}" for _, wrong, right in found))
        evidence = [Evidence(kind="rule", says=f"{wrong} ==> {right}", source=where) for where, wrong, right in found]
        return proposal(edits, "codespell", says or "a typo", evidence)

    return rewritten(root, correct, explain)


def _typos(root: Path, sources: Sources) -> Typos:
    found: Typos = {}
    for files in portions(list(sources.files)):
        for line in map(TYPO.fullmatch, call("codespell", files, root, (0, FOUND)).splitlines()):
            if line:
                key = (Path(line["path"]).as_posix(), int(line["line"]) - 1)
                found.setdefault(key, []).append((line["wrong"], line["right"]))
    return found


def _corrected(source: Source, typos: Typos) -> str:
    """The text with the typos corrected in its prose."""
    lines = source.text.splitlines(keepends=True)
    for row, start, end in sorted(_prose(source), reverse=True):
        for wrong, right in typos.get((source.path, row), ()):
            inside = _replaced(lines[row][start:end], wrong, right)
            lines[row] = lines[row][:start] + inside + lines[row][end:]
            end = start + len(inside)
    return "".join(lines)


def _replaced(text: str, wrong: str, right: str) -> str:
    """The text with the word corrected. A capital where no sentence begins is that of a name: Claus, not "Clause"."""

    def word(found: re.Match[str]) -> str:
        before, behind = text[: found.start()].rstrip(), text[found.end() :].lstrip()
        a_name = wrong[0].isupper() and (before[-1:] not in BEGINS or behind[:1].isupper())
        return wrong if a_name else right

    return re.sub(rf"{BEFORE}{re.escape(wrong)}{BEHIND}", word, text)


def _prose(source: Source) -> Iterator[tuple[int, int, int]]:
    """The parts of lines, as row, first and last column, that are comment or docstring."""
    before = tokenize.NEWLINE
    for token in _tokens(source):
        if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and before in BEFORE_A_STATEMENT):
            rows = range(token.start[0] - 1, token.end[0])
            for row in rows:
                yield row, token.start[1] if row == rows[0] else 0, ANY if row < rows[-1] else token.end[1]
        if token.type not in (tokenize.COMMENT, tokenize.NL):
            before = token.type


def _within(typos: Typos, path: str, edits: Sequence[Edit]) -> list[tuple[str, str, str]]:
    rows = [row for edit in edits for row in range(edit.start, edit.end)]
    return [(f"{path}:{row + 1}", wrong, right) for row in rows for wrong, right in typos.get((path, row), ())]


def _names(sources: Sources) -> set[str]:
    """Every name in the code."""
    return {
        token.string for source in sources.files.values() for token in _tokens(source) if token.type == tokenize.NAME
    }


def _tokens(source: Source) -> Iterator[tokenize.TokenInfo]:
    """None where a byte order mark or a strange end of line would shift the columns, or where the tokenizer is stricter
    than the parser."""
    if source.text.startswith("\ufeff") or len(source.text.splitlines()) != len(StringIO(source.text).readlines()):
        return
    try:
        yield from tokenize.generate_tokens(StringIO(source.text).readline)
    except (tokenize.TokenError, SyntaxError):
        return
