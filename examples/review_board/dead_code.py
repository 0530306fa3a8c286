"""Dead code: names that vulture reports as unused and that nothing else mentions, as Claims."""

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from hustings import Claim, Evidence

from .messages import Findings
from .needs import Prose
from .severity import finding
from .sources import Source, is_test, read_sources
from .tools import call
from .words import counted, texts

LINE = re.compile(r"(?P<path>.+?):(?P<line>\d+): (?P<what>unused \w+ '(?P<name>.+)') \((?P<sure>\d+)% confidence\)")
LEAST = 60  # percent: vulture's own confidence where no rule contradicts
ASIDE = {"doc", "docs", "example", "examples", "benchmark", "benchmarks"}  # run by other tools, or by hand
PLAIN = {"staticmethod", "classmethod", "property", "cached_property", "contextmanager", "lru_cache", "cache"}
Named = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Place(NamedTuple):
    """Where a name is defined: its own node, and the class or function around it."""

    node: ast.AST
    owner: ast.AST | None


def unused(root: Path) -> Findings:
    """One Claim for each name that nothing mentions: about "path:name", value "unused", with vulture's confidence.

    Left out, because others may use them unseen: public names where no `__all__` says what is public, public variables,
    parameters, public members of classes, all members of classes that inherit or are decorated, what is decorated,
    attributes of other objects, tests, documentation, and names that occur in a string or a settings file.
    """
    sources = read_sources(root)
    if not sources.files:
        return Findings(claims=sources.claims)
    files = ["./" + path for path in sources.files]
    out = call("vulture", ["--min-confidence", str(LEAST), *files], root, ends=(0, 3))
    found = [line for line in map(LINE.fullmatch, out.splitlines()) if line]
    usage = Usage(root, sources.files) if found else None
    said = {claim.about: claim for line in found if usage and (claim := usage.claim(line))}
    return Findings(claims=(*sources.claims, *said.values()))


class Usage:
    """Which names are mentioned where."""

    def __init__(self, root: Path, files: Mapping[str, Source]) -> None:
        self._files = files
        found = list(texts(root))
        self._words, self._count = counted(found), len(found)
        self._defined = Counter(name for source in files.values() for name in _definitions(source.tree))
        self._prose = Prose.of(root)

    def claim(self, found: "re.Match[str]") -> Claim | None:
        """What vulture says, with its evidence; None if the name may be used unseen."""
        path, name, line = Path(found["path"]).as_posix(), found["name"], int(found["line"])
        if is_test(path) or not ASIDE.isdisjoint(path.split("/")) or self._mentioned(name):
            return None
        if _open(self._files[path].tree, name, line) or self._public(path, name, found["what"]):
            return None
        where = f"{path}:{line}"
        named = [at for at, text in self._prose.lines if re.search(rf"\b{re.escape(name)}\b", text)]
        docs = f"named in {named[0]}" if named else "not in the documentation"
        says = f"no reference in {self._count} files, not in __all__, no entry point, {docs}"
        return finding(
            f"{path}:{name}",
            "unused",
            where,
            found["what"],
            "warning" if found["sure"] == "100" else "note",
            lineage="vulture",
            confidence=int(found["sure"]) / (200 if named else 100),
            kind="source",
            more=[Evidence(kind="search", says=says, source=where)],
        )

    def _public(self, path: str, name: str, what: str) -> bool:
        """True if users may know the name: it has no underscore, nor has its module, and neither the module nor its
        package says by `__all__` what is public. Public variables are settings."""
        if name[0] == "_" or "import" in what:
            return False
        parts = path.removesuffix("/__init__.py").removesuffix(".py").split("/")
        inits = ["/".join([*parts[:depth], "__init__.py"]) for depth in range(1, len(parts))]
        known = [self._files[each] for each in (path, *inits) if each in self._files]
        hidden = any(part[0] == "_" for part in parts) or any("__all__" in source.text for source in known)
        return "variable" in what or not hidden

    def _mentioned(self, name: str) -> bool:
        """True if the name occurs beyond its definitions, or a part of it as in `getattr(self, "visit_" + kind)`, or if
        Python itself calls it."""
        if name.startswith("__") or self._words[name] > self._defined[name]:
            return True
        cuts = [place + 1 for place, letter in enumerate(name) if letter == "_" and 0 < place < len(name) - 1]
        return any(self._words[part] for cut in cuts for part in (name[:cut], name[cut - 1 :]))


def _definitions(tree: ast.AST) -> Iterator[str]:
    """Every name as often as the code writes it to define it."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
            case ast.Name(ctx=ast.Store()):
                yield node.id
            case ast.Attribute(ctx=ast.Store()):
                yield node.attr
            case ast.arg():
                yield node.arg
            case ast.alias():
                yield from (part for part in re.split(r"\W+", f"{node.name} {node.asname or ''}") if part)
            case ast.Global() | ast.Nonlocal():
                yield from node.names
            case _:
                pass


def _open(tree: ast.AST, name: str, line: int) -> bool:
    """True if other code may decide that the name is there."""
    for node, owner in _places(tree, None):
        if _name(node) == name and _first_line(node) == line:
            return (
                isinstance(node, ast.arg)
                or (isinstance(owner, ast.ClassDef) and (name[0] != "_" or _inherits(owner)))
                or (isinstance(node, ast.Attribute) and (name[0] != "_" or ast.unparse(node.value) != "self"))
                or (isinstance(node, Named) and _registered(node))
            )
    return False


def _inherits(node: ast.ClassDef) -> bool:
    bases = [ast.unparse(base) for base in node.bases]
    return bases not in ([], ["object"]) or bool(node.keywords or node.decorator_list)


def _registered(node: Named) -> bool:
    words = [re.findall(r"\w+", ast.unparse(each)) for each in node.decorator_list]
    return any(PLAIN.isdisjoint(each) for each in words)


def _places(node: ast.AST, owner: ast.AST | None) -> Iterator[Place]:
    for child in ast.iter_child_nodes(node):
        yield Place(child, owner)
        yield from _places(child, child if isinstance(child, Named) else owner)


def _name(node: ast.AST) -> str:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return name
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
            return name
        case _:
            return ""


def _first_line(node: ast.AST) -> int:
    """The line of its first decorator, or its own; 0 for what has none."""
    lines = [each.lineno for each in node.decorator_list] if isinstance(node, Named) else []
    return min([*lines, node.lineno]) if isinstance(node, ast.stmt | ast.expr | ast.arg) else 0
