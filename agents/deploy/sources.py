"""Sources: which files a part of a team is made of, by the import statements in them. Imports nothing itself."""

import ast
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib.machinery import PathFinder
from importlib.util import resolve_name
from inspect import unwrap
from pathlib import Path

from hustings.protocols import COORDINATOR

from ..skills.specialist import Specialist
from ..team import Team


class Sources:
    """The files below `root` that each part of a team depends on; installed packages are left out.

    A specialist depends on the modules that define its skills, on what these import, and on the target's module; the
    coordinator on all that the target's module imports. A file that cannot be parsed keeps the imports it had before.
    """

    def __init__(self, root: Path, target: str, team: Team) -> None:
        self._root, self._target, self._team = root.resolve(), target.partition(":")[0], team
        self._imports: dict[Path, tuple[str, ...]] = {}

    def of(self, part: str) -> frozenset[Path]:
        """The files of a part, as they are now."""
        if part == COORDINATOR:
            return self._files([self._target])
        own = self._defining(self._team.specialist(part))
        return self._files(own or [self._target]) | frozenset(self._with_packages(self._target))

    def _defining(self, specialist: Specialist) -> list[str]:
        modules = {getattr(unwrap(skill.function), "__module__", "") for skill in specialist.skills.values()}
        return [module for module in modules if self._file(module)]

    def _files(self, modules: Iterable[str]) -> frozenset[Path]:
        found: set[Path] = set()
        ahead, seen = [*modules], set[str]()
        while ahead:
            if (module := ahead.pop()) in seen:
                continue
            seen.add(module)
            found.update(self._with_packages(module))
            if file := self._file(module):
                ahead += self._imported(module, file)
        return frozenset(found)

    def _with_packages(self, module: str) -> Iterator[Path]:
        """The module's file, and those of the packages around it, which are imported before it."""
        parts = module.split(".")
        for length in range(1, len(parts) + 1):
            if file := self._file(".".join(parts[:length])):
                yield file

    def _imported(self, module: str, file: Path) -> tuple[str, ...]:
        package = module if file.name == "__init__.py" else module.rpartition(".")[0]
        with suppress(OSError, SyntaxError, ValueError):
            self._imports[file] = tuple(_imports(ast.parse(file.read_bytes()), package))
        return self._imports.get(file, ())

    def _file(self, module: str) -> Path | None:
        """The file of a module below the root, or None."""
        name = getattr(sys.modules.get(module), "__file__", None) or _searched(module)
        file = Path(name).resolve() if name else None
        if file is None or self._root not in file.parents or "site-packages" in file.parts:
            return None
        return file


def _imports(tree: ast.AST, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package) if node.level else node.module or ""
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _searched(module: str) -> str | None:
    """Where a module that is not imported here would be found."""
    path: Iterable[str] | None = None
    origin = None
    for length in range(1, module.count(".") + 2):
        spec = PathFinder.find_spec(".".join(module.split(".")[:length]), list(path) if path is not None else None)
        if spec is None:
            return None
        path, origin = spec.submodule_search_locations or (), spec.origin
    return origin
