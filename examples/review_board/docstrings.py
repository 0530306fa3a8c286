"""Docstrings: the parameters that they describe and their functions do not have."""

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

FIELD = re.compile(r"^\s*:param(?:eter)?\s+(?:[^:]*\s)?(?P<stars>\\?\*{0,2})(?P<name>\w+)\s*:")
SECTION = re.compile(r"^(?P<indent>\s*)(?:Args|Arguments|Parameters|Keyword Args|Keyword Arguments):\s*$")
ENTRY = re.compile(r"^\*{0,2}(?P<name>[A-Za-z_]\w*)\s*(?:\([^()]*(?:\([^()]*\)[^()]*)*\))?\s*:(?!:)")
TITLE = re.compile(r"^\s*Parameters\s*$")
ROW = re.compile(r"^\*{0,2}(?P<names>[A-Za-z_]\w*(?:,\s*\*{0,2}[A-Za-z_]\w*)*)\s*:")
HARMLESS = {  # decorators that leave the parameters as they are
    "staticmethod", "classmethod", "abstractmethod", "overload", "override", "final",
    "contextmanager", "asynccontextmanager", "lru_cache", "cache", "setter", "typing_extensions", "typing", "functools",
    "contextlib", "abc",
}  # fmt: skip
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Stray(NamedTuple):
    """A described parameter: its name, the line of the file that describes it, and the function that lacks it, with its
    line and parameters."""

    name: str
    line: int
    text: str
    function: str
    defined: int
    parameters: tuple[str, ...]


def strays(tree: ast.Module) -> Iterator[Stray]:
    """The described parameters that are not there. Whoever takes any keyword or is decorated is left out."""
    for node in ast.walk(tree):
        if isinstance(node, Function):
            yield from _of(node, node)
        elif isinstance(node, ast.ClassDef):
            made = [each for each in node.body if isinstance(each, Function) and each.name in ("__init__", "__new__")]
            if len(made) == 1 and not node.decorator_list:
                yield from _of(node, made[0])


def _of(documented: Function | ast.ClassDef, function: Function) -> Iterator[Stray]:
    there = _parameters(function)
    first = documented.body[0]
    if there is None or not isinstance(first, ast.Expr) or not isinstance(first.value, ast.Constant):
        return
    text = first.value.value
    if isinstance(text, str):
        lines = text.split("\n")
        for at, name in described(lines):
            if name not in there:
                yield Stray(name, first.lineno + at, lines[at].strip(), documented.name, function.lineno, tuple(there))


def _parameters(function: Function) -> list[str] | None:
    """The names; None if there may be others."""
    arguments = function.args
    if arguments.kwarg or arguments.vararg or any(not _harmless(each) for each in function.decorator_list):
        return None
    return [each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]


def _harmless(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return not HARMLESS.isdisjoint(re.findall(r"\w+", ast.unparse(called))[-1:])


def described(lines: list[str]) -> Iterator[tuple[int, str]]:
    """The parameters that a docstring describes, with their lines from 0, in the style of Sphinx, Google or numpy."""
    for at, line in enumerate(lines):
        if field := FIELD.match(line):
            yield at, field["name"]
        elif section := SECTION.match(line):
            yield from _google(lines, at + 1, len(section["indent"]))
        elif TITLE.match(line) and at + 1 < len(lines) and re.fullmatch(r"\s*-{3,}\s*", lines[at + 1]):
            yield from _numpy(lines, at + 2, _indent(line))


def _google(lines: list[str], at: int, indent: int) -> Iterator[tuple[int, str]]:
    inner = next((_indent(line) for line in lines[at:] if line.strip()), 0)
    for number in range(at, len(lines)):
        line = lines[number]
        if line.strip() and (_indent(line) <= indent or inner <= indent):
            return
        if _indent(line) == inner and (entry := ENTRY.match(line.strip())):
            yield number, entry["name"]


def _numpy(lines: list[str], at: int, indent: int) -> Iterator[tuple[int, str]]:
    for number in range(at, len(lines)):
        line = lines[number]
        if re.fullmatch(r"\s*-{3,}\s*", lines[number + 1] if number + 1 < len(lines) else ""):
            return
        if line.strip() and _indent(line) == indent and (row := ROW.match(line.strip())):
            yield from ((number, name.strip(" *")) for name in row["names"].split(","))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
