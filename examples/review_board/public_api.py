"""Public API: the names of a repository that others rely on, and the lines that must stay for them.

Known blind spots, left to the proof: names reached by getattr or in strings, and everything outside the repository
and its documentation.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from hustings import Claim, Edit, Evidence, Proposal

from .edits import split_lines
from .messages import Findings
from .modules import Import, Module, bound, modules, outside_scopes
from .needs import Need, Prose, code_needs
from .neighbours import neighbours
from .sources import read_sources

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def guard(root: Path) -> Findings:
    """Keep-proposals for imports that a file itself does not use but others need, and claims that names are used."""
    sources = read_sources(root)
    known = modules(sources)
    wanted = Wanted(known, Prose.of(root), neighbours(root, known))
    proposals = [keep for module in known.values() for keep in _keeps(module, wanted)]
    claims = [claim for module in known.values() for claim in _used(module, wanted)]
    return Findings(claims=(*sources.claims, *claims), proposals=tuple(proposals))


class Wanted:
    """Who needs a name of a module: code, also in other folders of the checkout, `__all__`, prose."""

    def __init__(self, known: Mapping[str, Module], prose: Prose, around: Sequence[Module] = ()) -> None:
        self._prose = prose
        self._code: dict[tuple[str, str], list[Need]] = defaultdict(list)
        for need in code_needs(known, around):
            self._code[need.module, need.name].append(need)
        self.read_anywhere = frozenset(name for module in (*known.values(), *around) for name in _read(module))

    def needs(self, module: Module, name: str) -> list[Need]:
        """All needs of the name, code first, each place once."""
        found = [*self._code[module.name, name], *self._prose.needs(module.name, name)]
        if name in module.exported:
            where = f"{module.source.path}:{module.exported[name]}"
            found.append(Need(module.name, name, f"listed in {module.name}.__all__", where))
        return list({need.where: need for need in found}.values())


def _keeps(module: Module, wanted: Wanted) -> Iterator[Proposal]:
    if "\r" in module.source.text.replace("\r\n", ""):
        return  # Python ends lines at more characters than we do, so the line numbers would differ
    outside, tried = {*outside_scopes(module.tree)}, _tried(module)
    for node in module.imports:
        names = _reexports(module, node)
        needs = [need for name in names if node in outside for need in wanted.needs(module, name)]
        if node in tried:
            needs += [Need(module.name, name, "tried: what follows depends on it", tried[node]) for name in names]
        if node in outside and _offers(module, node):
            where = f"{module.source.path}:{node.lineno}"
            needs += [
                Need(module.name, name, "it is offered here", where)
                for name in (*names, *_all_of(node))
                if _public(name)
            ]
        if needs:
            yield _keep(module, node, needs)


def _offers(module: Module, node: Import) -> bool:
    """True where other code may rely on it: what an `__init__.py` takes from its own package, what a module that has
    nothing but imports takes from its repository, and `*`, which offers all that is there."""
    if not isinstance(node, ast.ImportFrom):
        return False
    origin = f"{module.origin(node)}."
    inside = module.source.path.endswith("__init__.py") and origin.startswith(f"{module.name}.")
    moved = _only_imports(module) and origin.partition(".")[0] == module.name.partition(".")[0]
    return inside or moved or bool(_all_of(node))


def _only_imports(module: Module) -> bool:
    """True for a module that stands for others, perhaps with a docstring."""
    return all(
        isinstance(node, Import) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for node in module.tree.body
    )


def _public(name: str) -> bool:
    return not name.startswith("_") or name.startswith("__")


def _all_of(node: Import) -> list[str]:
    return [alias.name for alias in node.names if alias.name == "*"]


def _tried(module: Module) -> dict[Import, str]:
    """The imports whose failure is caught, and where: they find out whether something is there."""
    return {
        node: f"{module.source.path}:{block.handlers[0].lineno}"
        for block in ast.walk(module.tree)
        if isinstance(block, ast.Try) and block.handlers
        for node in block.body
        if isinstance(node, Import)
    }


def _reexports(module: Module, node: Import) -> list[str]:
    """The names that the statement binds and the module neither reads nor exports: what linters call unused."""
    if isinstance(node, ast.ImportFrom) and node.module == "__future__":
        return []
    names = [bound(alias) for alias in node.names if alias.name != "*"]
    return [name for name in names if name not in module.loaded and name not in module.exported]


def _keep(module: Module, node: Import, needs: list[Need]) -> Proposal:
    start, end = node.lineno - 1, node.end_lineno or node.lineno
    text = "".join(split_lines(module.source.text)[start:end])
    edit = Edit(resource=module.source.path, base=module.source.digest, start=start, end=end, was=text, text=text)
    names = ", ".join(sorted({need.name for need in needs}))
    return Proposal(
        edits=(edit,),
        lineage="api_guard",
        because=f"{names}: not used in {module.name} itself, but others rely on finding it there",
        evidence=tuple(need.evidence for need in needs),
    )


def _used(module: Module, wanted: Wanted) -> Iterator[Claim]:
    for node in module.tree.body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            needs = wanted.needs(module, node.name)
            if needs:
                evidence = tuple(need.evidence for need in needs[:3])
                yield from (_claim(module, name, node.name, evidence) for name in _dead_looking(node, wanted))


def _dead_looking(node: Definition, wanted: Wanted) -> list[str]:
    """The public names that the definition brings and no code reads: those that a search for dead code reports."""
    methods = (
        [part.name for part in node.body if isinstance(part, Definition)] if isinstance(node, ast.ClassDef) else []
    )
    names = [node.name, *(name for name in methods if not name.startswith("_"))]
    return sorted(set(names) - wanted.read_anywhere)


def _claim(module: Module, name: str, owner: str, evidence: tuple[Evidence, ...]) -> Claim:
    because = f"{owner} is public" if name == owner else f"a public method of {owner}, which is public"
    severity = Evidence(kind="severity", says="note", source=evidence[0].source)
    return Claim(
        about=f"{module.source.path}:{name}",
        value="used",
        because=because,
        lineage="api_guard",
        evidence=(*evidence, severity),
    )


def _read(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield node.id if isinstance(node, ast.Name) else node.attr
