"""Bindings: the names that a module or class of the repository has, and which dotted names are surely missing."""

import ast
import builtins
import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from .modules import Module, bound, outside_scopes

DYNAMIC = {
    "globals",
    "vars",
    "locals",
    "setattr",
    "exec",
    "__dict__",
    "modules",
}  # a module that says so may have any name
WRITTEN_LATER = ("version", "_pb2")  # ends of names that a build writes
NOT_THE_PACKAGE = {"test", "tests", "testing", "doc", "docs", "example", "examples", "setup", "conftest", "noxfile"}
NEAR = 0.75  # how alike a name has to be, to be what was meant
Owner = ast.Module | ast.ClassDef


class Missing(NamedTuple):
    """`owner` ("shop.cart" or "shop.Cart"), defined at `where` ("path:line"), has no `name`; `near`: what may be meant,
    or empty."""

    owner: str
    name: str
    where: str
    near: str


def packages(known: Mapping[str, Module]) -> frozenset[str]:
    """The top names of what the repository offers: its packages, or else its single modules."""
    tops = {name for name in known if "." not in name and name not in NOT_THE_PACKAGE}
    folders = {name for name in tops if known[name].source.path.endswith("__init__.py")}
    return frozenset(folders or tops)


class Bindings:
    """Tells of a dotted name whether the repository lacks it. Where a name may come about at run time, it is not
    missing: a module with `__getattr__` or an unknown star import, a class with a base from elsewhere."""

    def __init__(self, root: Path, known: Mapping[str, Module]) -> None:
        self._root, self._known = root, known
        self._assigned = {
            node.attr
            for module in known.values()
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        }

    def missing(self, dotted: str) -> Missing | None:
        """The part of the name that is not there; None if all is there, or may be."""
        parts = dotted.split(".")
        module, rest = self._known.get(parts[0]), parts[1:]
        while module and rest:
            part, rest = rest[0], rest[1:]
            inner, names = self._known.get(f"{module.name}.{part}"), self._names(module, ())
            if inner is None:
                return self._in_module(module, part, rest, names)
            module = None if names is None or part in names else inner
        return None

    def _in_module(self, module: Module, part: str, rest: list[str], names: set[str] | None) -> Missing | None:
        if names is None:
            return None
        if part not in names:
            spared = part in self._assigned or part.startswith("__") or part.endswith(WRITTEN_LATER)
            return None if spared or self._is_file(module, part) else _missing(module.name, part, module, names, 1)
        for node in module.tree.body if len(rest) == 1 else ():
            if isinstance(node, ast.ClassDef) and node.name == part:
                return self._in_class(module, node, rest[0])
        return None

    def _in_class(self, module: Module, node: ast.ClassDef, part: str) -> Missing | None:
        members = _members(node, module.tree, ())
        if members is None or part in members or part in self._assigned or part.startswith("__"):
            return None
        return _missing(f"{module.name}.{node.name}", part, module, members, node.lineno)

    def _names(self, module: Module, trail: tuple[str, ...]) -> set[str] | None:
        """What the module binds; None if it may have any name."""
        found: set[str] = set()
        for node in outside_scopes(module.tree):
            if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
                origin = self._known.get(module.origin(node))
                names = self._names(origin, (*trail, module.name)) if origin and origin.name not in trail else None
                if names is None:
                    return None
                found |= names
            found.update(_bound(node))
        found.update(name for node in ast.walk(module.tree) if isinstance(node, ast.Global) for name in node.names)
        words = {_last(node) for node in ast.walk(module.tree) if isinstance(node, ast.Name | ast.Attribute)}
        return None if "__getattr__" in found or words & DYNAMIC else found

    def _is_file(self, module: Module, part: str) -> bool:
        """True if a file of the package may be the module of that name: compiled, generated, or not to be parsed."""
        path = self._root / module.source.path
        if path.name != "__init__.py":
            return False
        return any(each.name.partition(".")[0] == part for each in path.parent.iterdir())


def _missing(owner: str, part: str, module: Module, names: set[str], line: int) -> Missing:
    near = difflib.get_close_matches(part, sorted(names), n=1, cutoff=NEAR)
    return Missing(owner, part, f"{module.source.path}:{line}", near[0] if near else "")


def _bound(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import() | ast.ImportFrom():
            yield from (bound(alias) for alias in node.names)
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield node.name
        case ast.Name(ctx=ast.Store()):
            yield node.id
        case _:
            pass


def _members(node: ast.ClassDef, tree: ast.Module, trail: tuple[ast.ClassDef, ...]) -> set[str] | None:
    """The attributes of a class; None if it may have any."""
    if node.keywords or node.decorator_list or node in trail:
        return None
    found = {name for child in outside_scopes(node) for name in _bound(child)}
    found |= {child.attr for child in ast.walk(node) if isinstance(child, ast.Attribute)}
    found |= {
        child.value for child in ast.walk(node) if isinstance(child, ast.Constant) and isinstance(child.value, str)
    }
    if {"__getattr__", "__getattribute__", "setattr", "__dict__"} & (found | _words(node)):
        return None
    for base in node.bases:
        more = _of_base(base, tree, (*trail, node))
        if more is None:
            return None
        found |= more
    return found


def _of_base(base: ast.expr, tree: ast.Module, trail: tuple[ast.ClassDef, ...]) -> set[str] | None:
    if not isinstance(base, ast.Name):
        return None
    for other in tree.body:
        if isinstance(other, ast.ClassDef) and other.name == base.id:
            return _members(other, tree, trail)
    builtin = getattr(builtins, base.id, None)
    return set(dir(builtin)) if isinstance(builtin, type) else None


def _words(node: ast.AST) -> set[str]:
    return {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}


def _last(node: ast.Name | ast.Attribute) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr
