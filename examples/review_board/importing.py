"""Importing: which test files run code of a changed file, as far as import statements tell."""

import ast
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

from .modules import Module, modules
from .sources import Sources, is_test


def reaching(sources: Sources, changed: Collection[str]) -> frozenset[str]:
    """The test files, by path, that import a changed file themselves, over other files, or over a conftest.py above
    them; and those that are changed. Blind to what is reached by name, or in another process."""
    users = _users(modules(sources), sources)
    reached, front = set(changed), [*changed]
    while front:
        fresh = users[front.pop()] - reached
        reached |= fresh
        front += fresh
    return frozenset(path for path in reached if is_test(path))


def _users(known: Mapping[str, Module], sources: Sources) -> Mapping[str, set[str]]:
    """Path -> the paths of those that run it when they are imported."""
    users: dict[str, set[str]] = defaultdict(set)
    for module in known.values():
        for name in _imported(module):
            for each in _with_parents(name):
                if each in known:
                    users[known[each].source.path].add(module.source.path)
    for conftest in (path for path in sources.files if path.rpartition("/")[2] == "conftest.py"):
        folder = conftest.removesuffix("conftest.py")
        users[conftest] |= {path for path in sources.files if path.startswith(folder) and path != conftest}
    return users


def _imported(module: Module) -> Iterator[str]:
    """Every dotted name that may be a module."""
    for node in module.imports:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        else:
            origin = module.origin(node)
            yield origin
            yield from (f"{origin}.{alias.name}" for alias in node.names)
    yield module.package


def _with_parents(name: str) -> Iterator[str]:
    """A module and the packages around it: "a.b.c", "a.b", "a"."""
    while name:
        yield name
        name = name.rpartition(".")[0]
