"""Documentation: names that README, docs and docstrings write and the code does not have, as Claims."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from hustings import Claim, Evidence

from .bindings import Bindings, packages
from .docstrings import Stray, strays
from .edits import split_lines
from .mentions import Mention, mentioned
from .messages import Findings
from .modules import Module, modules
from .severity import finding
from .sources import is_test, paths, read_sources

PAGES = (".md", ".rst")
HISTORY = re.compile(r"(?i)change|history|news|release|whats?_?new|migrat|upgrad|porting|deprecat|roadmap|todo")
Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def misdocumented(root: Path) -> Findings:
    """One Claim for each name that is written and not there: about "path:line:name:documented-name"; and for each
    described parameter that its function lacks: about "path:line:function(parameter):documented-parameter".

    Pages are those at the root and below docs/, but for change logs. What may come about at run time is not claimed.
    """
    sources = read_sources(root)
    known = modules(sources)
    bindings, tops = Bindings(root, known), packages(known)
    ours = [each for name, each in known.items() if name.partition(".")[0] in tops and not is_test(each.source.path)]
    said: dict[str, Claim] = {}
    for path, mention in [*_in_pages(root, tops), *_in_docstrings(ours, tops)]:
        if claim := _missing(bindings, path, mention):
            said.setdefault(claim.about, claim)
    claims = [_stray(module, stray) for module in ours for stray in strays(module.tree)]
    return Findings(claims=(*sources.claims, *said.values(), *claims))


def _in_pages(root: Path, tops: frozenset[str]) -> Iterator[tuple[str, Mention]]:
    for path in paths(root, PAGES):
        name = path.relative_to(root)
        page = len(name.parts) == 1 or name.parts[0] in ("doc", "docs")
        if page and not any(map(HISTORY.search, name.parts)):
            text = path.read_bytes().decode(errors="replace")
            yield from ((name.as_posix(), mention) for mention in mentioned(text, tops))


def _in_docstrings(known: Iterable[Module], tops: frozenset[str]) -> Iterator[tuple[str, Mention]]:
    for module in known:
        for node in ast.walk(module.tree):
            text = ast.get_docstring(node, clean=False) if isinstance(node, Documented) else None
            if text and isinstance(node, Documented):
                above = node.body[0].lineno - 1
                for mention in mentioned(text, tops):
                    yield module.source.path, mention._replace(line=above + mention.line)


def _missing(bindings: Bindings, path: str, mention: Mention) -> Claim | None:
    lacks = bindings.missing(mention.dotted)
    if lacks is None:
        return None
    where = f"{path}:{mention.line}"
    near = f"; there is {lacks.near}" if lacks.near else ""
    says = f"{lacks.owner} has no {lacks.name}{near}"
    there = Evidence(kind="source", says=f"{lacks.owner} is here", source=lacks.where)
    return _claim(f"{where}:{lacks.owner}.{lacks.name}:documented-name", where, says, mention.text, there)


def _stray(module: Module, stray: Stray) -> Claim:
    path = module.source.path
    line = stray.line if stray.name in split_lines(module.source.text)[stray.line - 1] else stray.defined
    where = f"{path}:{line}"
    has = f"takes {', '.join(stray.parameters)}" if stray.parameters else "takes nothing"
    says = f"the docstring of {stray.function} describes {stray.name}, which it does not take"
    there = Evidence(kind="source", says=f"{stray.function} {has}", source=f"{path}:{stray.defined}")
    return _claim(f"{where}:{stray.function}({stray.name}):documented-parameter", where, says, stray.text, there)


def _claim(about: str, where: str, says: str, text: str, there: Evidence) -> Claim:
    """What is written at `where` is missing; `there` is what the code has."""
    written = Evidence(kind="source", says=f"written: {text[:120]}", source=where)
    return finding(about, "missing", where, says, "warning", lineage="docs_guard", kind="source", more=[written, there])
