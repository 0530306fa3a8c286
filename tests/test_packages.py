"""The packages in their order: each imports only what stands to its left; inside each, no import goes in a circle."""

import ast
from collections.abc import Iterator, Set
from graphlib import CycleError, TopologicalSorter
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = ["protocols", "bus", "agents", "examples"]
ORDER = [  # a folder stands for all that is in it and has no place of its own
    "protocols",
    # how it is carried
    "bus/background", "bus/failpoints", "bus/client", "bus/broker", "bus/team", "bus",
    # what is read from the environment, and what is logged and shown
    "agents/variables", "agents/observe", "agents/containment",
    # what is decided: pure
    "agents/settings", "agents/planning", "agents/arbitration", "agents/decider",
    # what an author works with
    "agents/models", "agents/skills", "agents/members",
    # what a run came to, what a team is, and how to ask it for a run
    "agents/history", "agents/team", "agents/client",
    # what runs, and as which processes
    "agents/runtime", "agents/deploy", "agents/testing",
    # what people see and type
    "agents/views", "agents/views/html", "agents/chaos", "agents/cli/frame", "agents/cli/verbs", "agents/cli", "agents",
    "examples",
]  # fmt: skip
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


class Import(NamedTuple):
    """One module imports another; both as paths without suffix, a package as its folder. `late`: inside a function."""

    importer: str
    imported: str
    late: bool = False

    def __str__(self) -> str:
        return f"{self.importer} imports {self.imported}"


def imports(module: str, text: str, modules: Set[str], *, front: bool = False) -> Iterator[Import]:
    """What a module imports of ours, wherever in it: in a function, for type checkers only. `front`: an __init__.py."""
    package = PurePosixPath(module) if front else PurePosixPath(module).parent
    tree = ast.parse(text)
    late = {node for function in ast.walk(tree) if isinstance(function, FUNCTIONS) for node in ast.walk(function)}
    for node in ast.walk(tree):
        for name in _imported(node, package, modules):
            yield Import(module, name, node in late)


def _imported(node: ast.AST, package: PurePosixPath, modules: Set[str]) -> list[str]:
    if isinstance(node, ast.Import):
        return [_path(alias.name) for alias in node.names if _is_ours(alias.name)]
    if isinstance(node, ast.ImportFrom) and (node.level or _is_ours(node.module or "")):
        base = _relative(package, node) if node.level else _path(node.module or "")
        inner = [f"{base}/{alias.name}" for alias in node.names]
        return [each if each in modules else base for each in inner]
    return []


def _relative(package: PurePosixPath, node: ast.ImportFrom) -> str:
    base = [package, *package.parents][node.level - 1]
    return str(base.joinpath(*(node.module or "").split(".")))


def _is_ours(name: str) -> bool:
    return name.startswith("hustings.")


def _path(name: str) -> str:
    return name.removeprefix("hustings.").replace(".", "/")


def place(module: str) -> str:
    """The entry of the order that a module belongs to: its own, or that of the nearest folder."""
    return next(str(each) for each in (PurePosixPath(module), *PurePosixPath(module).parents) if str(each) in ORDER)


FILES = {
    str(path.relative_to(ROOT).with_suffix("")).removesuffix("/__init__"): path
    for layer in LAYERS
    for path in sorted((ROOT / layer).rglob("*.py"))
}
IMPORTS = [
    each
    for module, path in FILES.items()
    for each in imports(module, path.read_text(), FILES.keys(), front=path.name == "__init__.py")
]


def test_every_package_has_its_place() -> None:
    """Each folder, and each file beside the folders of bus/ and agents/; examples/ as a whole is one place."""
    folders = {module for module, path in FILES.items() if path.name == "__init__.py"}
    background = {module for module in FILES if str(PurePosixPath(module).parent) in ("bus", "agents")}
    assert {each for each in folders | background if not each.startswith("examples/")} == set(ORDER)


@pytest.mark.parametrize("package", ORDER)
def test_a_package_imports_only_what_stands_to_its_left(package: str) -> None:
    """No import goes the other way, be it inside a function or for type checkers only."""
    allowed = ORDER[: ORDER.index(package) + 1]
    ours = [each for each in IMPORTS if place(each.importer) == package]
    assert [str(each) for each in ours if place(each.imported) not in allowed] == []


@pytest.mark.parametrize("package", ORDER)
def test_inside_a_package_no_import_goes_in_a_circle(package: str) -> None:
    """Of two modules at most one knows the other. What a function imports when it is called does not count."""
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for each in IMPORTS:
        if place(each.importer) == package == place(each.imported) and not each.late:
            sorter.add(each.importer, each.imported)
    try:
        sorter.prepare()
    except CycleError as error:
        pytest.fail(f"in {package}: {' imports '.join(reversed(error.args[1]))}")


SAMPLE = """
from ..client import contact
from .log import Log
from hustings.protocols.subjects import Subjects
import hustings.agents.observe.logs
import os
if TYPE_CHECKING:
    from ..background import beside
def later():
    async def sooner():
        from hustings.agents import Team
"""


def test_an_import_is_found_wherever_it_stands_and_however_it_is_written() -> None:
    """Relative and absolute, of a module and of a name in it, for type checkers only, in a function of a function."""
    found = [(each.imported, each.late) for each in imports("bus/team/bus", SAMPLE, {"bus/client/contact"})]
    early = ["bus/client/contact", "bus/team/log", "protocols/subjects", "agents/observe/logs", "bus/background"]
    assert sorted(found) == sorted([*((each, False) for each in early), ("agents", True)])
    assert [*imports("bus", "from .team import Bus", set(), front=True)] == [Import("bus", "bus/team")]
