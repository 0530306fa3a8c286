"""Modules: the repository's files under their import names, with the names that they bind and use."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from .sources import Source, Sources

Import = ast.Import | ast.ImportFrom
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


@dataclass(frozen=True)
class Module:
    """A source and its dotted name; `package` is what its relative imports start from."""

    name: str
    source: Source

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree, parsed once."""
        return self.source.tree

    @property
    def package(self) -> str:
        """The package that `from . import` means in this module."""
        return self.name if self.source.path.endswith("__init__.py") else self.name.rpartition(".")[0]

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        """Every import statement, in functions too."""
        return tuple(node for node in ast.walk(self.tree) if isinstance(node, Import))

    @cached_property
    def loaded(self) -> frozenset[str]:
        """The plain names that the module reads somewhere."""
        nodes = ast.walk(self.tree)
        return frozenset(node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load))

    @cached_property
    def exported(self) -> Mapping[str, int]:
        """The strings assigned or added to `__all__`, with their lines."""
        return dict(pair for node in self.tree.body for pair in _all_strings(node))

    def origin(self, node: ast.ImportFrom) -> str:
        """The dotted name of the module that a `from` import reads."""
        if not node.level:
            return node.module or ""
        parts = self.package.split(".")
        base = parts[: len(parts) - (node.level - 1)]
        return ".".join([*base, *([node.module] if node.module else [])])


def modules(sources: Sources) -> dict[str, Module]:
    """The modules by dotted name, with `src/` as a second root."""
    found = (Module(dotted(path), source) for path, source in sources.files.items())
    return {module.name: module for module in found}


def dotted(path: str) -> str:
    """The name that the file at this path is imported by: "src/a/b/__init__.py" is "a.b"."""
    parts = path.removesuffix(".py").split("/")
    if parts[0] == "src" and len(parts) > 1:
        parts = parts[1:]
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def outside_scopes(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that run when the module is imported: all but the bodies of functions and classes."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, SCOPES):
            yield from outside_scopes(child)


def bound(alias: ast.alias) -> str:
    """The name that an import binds."""
    return alias.asname or alias.name.partition(".")[0]


def chain(node: ast.expr) -> list[str]:
    """`a.b.c` as ["a", "b", "c"]; empty if it does not start with a plain name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return [node.id, *reversed(parts)] if isinstance(node, ast.Name) else []


def _all_strings(node: ast.stmt) -> Iterator[tuple[str, int]]:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
        for part in ast.walk(node):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.value, part.lineno
