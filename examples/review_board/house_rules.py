"""House rules: what a repository's own configuration and comments waive, for tools that do not read them."""

import ast
import json
import re
import tokenize
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

from hustings import Claim, Edit, Evidence, Proposal

from .edits import split_lines
from .messages import Findings
from .modules import Import
from .security import family
from .settings import Settings, read_settings
from .severity import finding
from .sources import Source, Sources, read_sources
from .tools import call

NOQA = re.compile(r"#\s*noqa(?::\s*(?P<codes>[A-Z]+\d+(?:[,\s]+[A-Z]+\d+)*))?", re.IGNORECASE)
NOSEC = re.compile(r"#\s*nosec:?\s+(?P<codes>B\d+(?:[,\s]+B\d+)*)")
SHARED = "F401,UP,FLY"  # rules of ruff that autoflake, pyupgrade and flynt apply without reading its settings
LAYOUT = ("E", "W")  # codes that only a formatter could obey


def defended(root: Path) -> Findings:
    """Keep-proposals for what is waived or excluded, and claims that a finding is accepted there.

    Waived by a comment (noqa, nosec) or in pyproject.toml, ruff.toml, setup.cfg, tox.ini or .flake8.
    """
    sources, settings = read_sources(root), read_settings(root)
    proposals = [*_excluded(sources, settings), *_waived(root, sources, settings)]
    claims: list[Claim] = []
    for source in sources.files.values():
        for line, comment in _comments(source):
            proposals += _noqa(source, line, comment)
            claims += _accepted(source, line, comment)
    said = {(item.edits[0].resource, item.edits[0].start, item.edits[0].end): item for item in proposals}
    return Findings(claims=(*sources.claims, *settings.claims, *claims), proposals=tuple(said.values()))


def _excluded(sources: Sources, settings: Settings) -> Iterator[Proposal]:
    for path, source in sources.files.items():
        if source.text and (where := settings.exclusion(path)):
            yield _keep(
                source, 0, len(split_lines(source.text)), "the repository excludes this file from checks", where
            )


def _waived(root: Path, sources: Sources, settings: Settings) -> Iterator[Proposal]:
    """Findings that ruff reports only without the repository's settings: the lines that other tools must keep."""
    if not settings.waived or not sources.files:
        return
    options = ["--isolated", "--no-cache", "--quiet", "--exit-zero", "--output-format", "json"]
    here = root.resolve()
    for item in json.loads(call("ruff", ["check", "--select", SHARED, *options, "."], root)):
        path = Path(item["filename"]).relative_to(here).as_posix()
        where = settings.waiver(path, str(item["code"]))
        if where and path in sources.files:
            start, end = _statement(sources.files[path], item["location"]["row"])
            because = f"the repository waives {item['code']} here"
            yield _keep(sources.files[path], start, max(end, item["end_location"]["row"]), because, where)


def _noqa(source: Source, line: int, comment: str) -> Iterator[Proposal]:
    found = NOQA.search(comment)
    if found:
        codes = (found["codes"] or "").replace(",", " ").split()
        if not codes or any(not code.startswith(LAYOUT) for code in codes):
            start, end = _statement(source, line)
            yield _keep(source, start, end, f"the line says {found[0].strip()}", f"{source.path}:{line}")


def _accepted(source: Source, line: int, comment: str) -> Iterator[Claim]:
    waived = [found["codes"] or "" for found in (NOQA.search(comment), NOSEC.search(comment)) if found]
    for code in dict.fromkeys(re.findall(r"\b[SB]\d{3}\b", " ".join(waived))):
        where = f"{source.path}:{line}"
        says = f"the line says {comment.strip()}"
        yield finding(f"{where}:{family(code)}", "accepted", where, says, "note", lineage="config", kind="source")


def _comments(source: Source) -> Iterator[tuple[int, str]]:
    """Line and text of each comment, lines counted from 1."""
    if "noqa" not in source.text.lower() and "nosec" not in source.text:
        return
    try:
        for token in tokenize.generate_tokens(StringIO(source.text.lstrip("\ufeff"), newline="").readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string
    except (tokenize.TokenError, SyntaxError):  # the tokenizer is stricter than the parser in rare places
        return


def _statement(source: Source, line: int) -> tuple[int, int]:
    """The lines of the import around a line, or that line itself."""
    for node in ast.walk(source.tree):
        if isinstance(node, Import) and node.lineno <= line <= (node.end_lineno or node.lineno):
            return node.lineno - 1, node.end_lineno or node.lineno
    return line - 1, line


def _keep(source: Source, start: int, end: int, because: str, where: str) -> Proposal:
    text = "".join(split_lines(source.text)[start:end])
    edit = Edit(resource=source.path, base=source.digest, start=start, end=end, was=text, text=text)
    evidence = Evidence(kind="source", says=because, source=where)
    return Proposal(edits=(edit,), lineage="config", because=because, evidence=(evidence,))
