"""Needs: which code or prose relies on which name of a module."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hustings import Evidence

from .modules import Module, bound, chain
from .sources import paths

PROSE = (".md", ".rst", ".txt")


@dataclass(frozen=True)
class Need:
    """At `where` ("path:line") somebody relies on `module` having `name`."""

    module: str
    name: str
    how: str
    where: str

    @property
    def evidence(self) -> Evidence:
        """The need as something to check."""
        return Evidence(kind="source", says=self.how, source=self.where)


def code_needs(known: Mapping[str, Module], around: Iterable[Module] = ()) -> Iterator[Need]:
    """What these modules, and others around them, need of the known: names they import, and attributes of modules they
    imported."""
    for module in (*known.values(), *around):
        for need in [*_imported(module, known), *_attributes(module, known)]:
            if need.module != module.name:
                yield need


@dataclass(frozen=True)
class Prose:
    """The lines of the README and similar files: text files at the root and under docs/."""

    lines: tuple[tuple[str, str], ...]  # where, text

    @classmethod
    def of(cls, root: Path) -> "Prose":
        """Read leniently: what is no UTF-8 is replaced, not refused."""
        found: list[tuple[str, str]] = []
        for path in paths(root, PROSE):
            name = path.relative_to(root)
            if len(name.parts) == 1 or name.parts[0] in ("docs", "doc"):
                lines = path.read_bytes().decode(errors="replace").splitlines()
                found += [(f"{name.as_posix()}:{row}", line) for row, line in enumerate(lines, 1)]
        return cls(tuple(found))

    def needs(self, module: str, name: str) -> Iterator[Need]:
        """Where the name is written as one of this module: `module.name`, imported from it, or as code by itself.

        A bare word counts for nothing: "load" is English.
        """
        last = re.escape(module.rpartition(".")[2])
        word = re.escape(name)
        pattern = re.compile(rf"\b{last}\.{word}\b|from \S*{last} import .*\b{word}\b|`{word}(\(\))?`")
        for where, line in self.lines:
            if pattern.search(line):
                yield Need(module, name, f"documented: {line.strip()[:120]}", where)


def _imported(module: Module, known: Mapping[str, Module]) -> Iterator[Need]:
    for node in module.imports:
        if isinstance(node, ast.ImportFrom) and (origin := module.origin(node)) in known:
            where = f"{module.source.path}:{node.lineno}"
            for alias in node.names:
                names = sorted(module.loaded) if alias.name == "*" else [alias.name]
                yield from (Need(origin, name, f"{module.name} imports {name}", where) for name in names)


def _attributes(module: Module, known: Mapping[str, Module]) -> Iterator[Need]:
    aliases = _module_aliases(module, known)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute):
            parts = chain(node)
            if parts and parts[0] in aliases:
                owner, name = _resolve(aliases[parts[0]], parts[1:], known)
                if name:
                    where = f"{module.source.path}:{node.lineno}"
                    yield Need(owner, name, f"{module.name} uses {'.'.join(parts)}", where)


def _module_aliases(module: Module, known: Mapping[str, Module]) -> dict[str, str]:
    """The local names that stand for modules of the repository."""
    found: dict[str, str] = {}
    for node in module.imports:
        for alias in node.names:
            if isinstance(node, ast.ImportFrom):
                target = f"{module.origin(node)}.{alias.name}"
            else:
                target = alias.name if alias.asname else bound(alias)
            if target in known:
                found[bound(alias)] = target
    return found


def _resolve(owner: str, parts: list[str], known: Mapping[str, Module]) -> tuple[str, str]:
    """Follow submodules as far as they go: the module that must have the name, and the name."""
    for part in parts:
        if f"{owner}.{part}" not in known:
            return owner, part
        owner = f"{owner}.{part}"
    return owner, ""
