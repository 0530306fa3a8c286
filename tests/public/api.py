"""The public API as text: each name of the front doors with its signature, as it is written in the code.

`make api` writes api.txt anew; test_public_api.py compares the two.
"""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Literal, get_args, get_origin

FRONTS = ("hustings", "hustings.agents", "hustings.bus", "hustings.protocols", "hustings.testing", "hustings.sync")
FILE = Path(__file__).with_name("api.txt")
Function = ast.FunctionDef | ast.AsyncFunctionDef


def public_api() -> str:
    """Front by front; a name that an earlier front has too is only named."""
    shown: dict[int, str] = {}
    return "\n".join(line for front in FRONTS for line in ["", f"# {front}", *_front(front, shown)]).lstrip() + "\n"


def _front(front: str, shown: dict[int, str]) -> Iterator[str]:
    module = import_module(front)
    for name in sorted(module.__all__):
        value = getattr(module, name)
        if (before := shown.get(id(value))) and (inspect.isclass(value) or inspect.isfunction(value)):
            yield f"{name}: as in {before}"
        else:
            shown[id(value)] = front
            yield from _described(name, value)


def _described(name: str, value: object) -> Iterator[str]:
    if inspect.isclass(value) or inspect.isfunction(value):
        (node,) = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(value)))).body
        yield from _class(node) if isinstance(node, ast.ClassDef) else _function(node)
    elif get_origin(value) is Literal:
        yield f"{name} = Literal[{', '.join(map(repr, get_args(value)))}]"
    else:  # another alias, whose text depends on the Python version
        yield f"{name} = {value!r}" if isinstance(value, str | int) else name


def _class(node: ast.ClassDef) -> Iterator[str]:
    heads = [ast.unparse(each) for each in [*node.bases, *node.keywords]]
    yield f"class {node.name}({', '.join(heads)})" if heads else f"class {node.name}"
    for each in node.body:
        match each:
            case ast.AnnAssign(target=ast.Name(id=name)) if not name.startswith("_"):
                yield f"    {ast.unparse(each)}"
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if _is_public(name):
                yield from (f"    {line}" for line in _function(each))
            case _:
                pass


def _is_public(name: str) -> bool:
    return not name.startswith("_") or name in ("__init__", "__call__", "__aiter__", "__anext__", "__str__")


def _function(node: ast.stmt) -> Iterator[str]:
    assert isinstance(node, Function)
    yield from (f"@{ast.unparse(each)}" for each in node.decorator_list)
    kind = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    yield f"{kind} {node.name}({ast.unparse(node.args)}){returns}"
