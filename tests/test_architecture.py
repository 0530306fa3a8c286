"""The architecture, held: protocols <- bus <- agents <- examples, front doors only, and a wheel that has everything."""

import ast
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = ["protocols", "bus", "agents", "examples"]
MODULES = {path: ast.parse(path.read_text()) for layer in LAYERS for path in sorted((ROOT / layer).rglob("*.py"))}
FOLDERS = {str(path.parent.relative_to(ROOT)) for path in MODULES if path.name == "__init__.py"}
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]


def imported(tree: ast.Module) -> Iterator[str]:
    """Every module that is imported by its full name, `from hustings import bus` as hustings.bus."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names = [f"hustings.{alias.name}" if alias.name in LAYERS else "hustings" for alias in node.names]
            yield from (names if node.module == "hustings" else [node.module])


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_point_down(layer: str) -> None:
    """Never up; inside a folder relative imports. Only the examples, like everybody's teams, import from `hustings`
    itself, and nothing that lies behind a front door."""
    below = LAYERS[: LAYERS.index(layer)]
    for path, tree in MODULES.items():
        if path.relative_to(ROOT).parts[0] == layer:
            ours = {name for name in imported(tree) if name.split(".")[0] in ("hustings", *LAYERS)}
            up = {name for name in ours if name.partition(".")[2].partition(".")[0] not in below}
            behind = {name for name in ours if name.count(".") > 1}
            wrong = (
                up - {"hustings", "hustings.testing"} | behind - {"hustings.agents.testing", "hustings.agents.cli"}
                if layer == "examples"
                else up
            )
            assert not wrong, f"{path.relative_to(ROOT)} imports {', '.join(sorted(wrong))}"


def test_what_a_front_door_exports_comes_through_it() -> None:
    """Across folders, what is in `__all__` is imported from the front door, and the rest from its module."""
    fronts = {f"hustings.{layer}": {*_exported(layer)} for layer in ("protocols", "bus", "agents")}
    for path, tree in MODULES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").count(".") > 1:
                front = ".".join((node.module or "").split(".")[:2])
                there = {alias.name for alias in node.names} & fronts.get(front, set())
                assert not there, f"{path.relative_to(ROOT)}: import {', '.join(there)} from {front}"


def _exported(layer: str) -> list[str]:
    names = next(
        node.value
        for node in MODULES[ROOT / layer / "__init__.py"].body
        if isinstance(node, ast.Assign) and [target.id for target in _targets(node)] == ["__all__"]
    )
    return [str(name) for name in ast.literal_eval(names)]


@pytest.mark.parametrize("layer", LAYERS)
def test_a_relative_import_stays_in_its_folder(layer: str) -> None:
    """Dots never lead out of protocols/, bus/, agents/ or examples/."""
    for path, tree in MODULES.items():
        depth = len(path.relative_to(ROOT).parts) - 1
        if path.relative_to(ROOT).parts[0] == layer:
            levels = [node.level for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
            assert max(levels, default=0) <= depth, f"{path.relative_to(ROOT)} imports from outside {layer}/"


def test_every_package_has_a_front_door_and_is_typed() -> None:
    """`__all__` in each __init__.py, and py.typed beside it."""
    for folder in FOLDERS:
        tree = MODULES[ROOT / folder / "__init__.py"]
        names = {target.id for node in tree.body for target in _targets(node)}
        assert "__all__" in names, f"{folder}/__init__.py has no __all__"
        assert (ROOT / folder / "py.typed").is_file(), f"{folder} has no py.typed"


def _targets(node: ast.stmt) -> list[ast.Name]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target for target in targets if isinstance(target, ast.Name)]


def test_the_package_table_equals_the_folders() -> None:
    """A package missing from pyproject works in an editable install and is silently absent from the wheel."""
    expected = {"hustings": "hustings"} | {f"hustings.{folder.replace('/', '.')}": folder for folder in FOLDERS}
    assert SETUPTOOLS["package-dir"] == expected
    assert SETUPTOOLS["packages"] == sorted(expected)


def test_what_we_never_write() -> None:
    """No bare except, no task without a parent, no pickle; and only pydantic reads what comes off the wire.

    No except* either: Python 3.11.2 wraps into a group what is raised in one; `background` unwraps.
    """
    for path, tree in MODULES.items():
        where = path.relative_to(ROOT)
        for node in ast.walk(tree):
            assert not (isinstance(node, ast.ExceptHandler) and node.type is None), f"bare except in {where}"
            assert not isinstance(node, ast.TryStar), f"except* in {where}:{node.lineno}"
            if isinstance(node, ast.Attribute):
                assert node.attr not in ("create_task", "ensure_future"), f"{node.attr} in {where}:{node.lineno}"
        names = set(imported(tree))
        assert not names & {"pickle", "shelve", "marshal", "dill"}, where
        if where.parts[0] in ("protocols", "bus"):
            assert "json" not in names, f"{where} reads or writes JSON by hand"


REPLIES = (
    "bus/client/connection.py",
    "bus/client/jetstream.py",
    "bus/client/pull_consumer.py",
)  # who may look at a reply subject: answers and acks


def test_a_reply_goes_through_the_one_function_that_knows_where_replies_may_go() -> None:
    """`Connection.reply` alone sends to the reply subject of a message; the acks of JetStream are no answers."""
    for path, tree in MODULES.items():
        where = path.relative_to(ROOT)
        called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                assert node.attr not in ("respond", "reply_to"), f"{node.attr} in {where}:{node.lineno}"
                looks = node.attr == "reply" and id(node) not in called
                assert not looks or str(where) in REPLIES, f"a reply subject is read in {where}:{node.lineno}"
    senders = [
        function.name
        for tree in MODULES.values()
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and any(map(_replies, ast.walk(function)))
    ]
    assert senders == ["reply"]


def _replies(node: ast.AST) -> bool:
    """True if it publishes to a reply subject."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "publish"):
        return False
    return any(
        isinstance(each, ast.Attribute) and each.attr == "reply" for given in node.args for each in ast.walk(given)
    )


IMPORT = """
import importlib, sys
for name in sys.argv[1:]:
    print(importlib.import_module(name).__file__)
"""


@pytest.mark.processes
def test_the_wheel_has_every_package(tmp_path: Path) -> None:
    """Built from a copy of the sources and unpacked, it is what is imported, not the editable install."""
    copy, unpacked = tmp_path / "copy", tmp_path / "unpacked"
    for layer in ("hustings", *LAYERS):
        shutil.copytree(ROOT / layer, copy / layer, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, copy)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(copy)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("hustings-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)
        packed = {name.removeprefix("hustings/") for name in archive.namelist() if name.startswith("hustings/")}
    sources = {str(path.relative_to(copy)) for layer in LAYERS for path in (copy / layer).rglob("*") if path.is_file()}
    assert packed == sources | {path.name for path in (copy / "hustings").iterdir()}
    names = [
        "hustings",
        "hustings.protocols",
        "hustings.bus",
        "hustings.agents",
        "hustings.agents.cli",
        "hustings.examples.hello",
    ]
    found = subprocess.run(
        [sys.executable, "-c", IMPORT, *names],
        env={"PYTHONPATH": str(unpacked)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    files = [Path(line) for line in found.stdout.split()]
    assert files == [unpacked / name.replace(".", "/") / "__init__.py" for name in names]
