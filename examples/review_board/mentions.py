"""Mentions: the dotted names that a documentation page writes as code, with their lines."""

import ast
import mimetypes
import re
from collections.abc import Iterable, Iterator
from textwrap import dedent
from typing import NamedTuple

from .modules import chain

FENCE = re.compile(r"^\s*(?P<mark>`{3,}|~{3,})\s*\{?(?P<kind>[\w-]*)")
BLOCK = re.compile(r"^(?P<indent>\s*)\.\. (?:code-block|code|sourcecode|ipython|testcode|doctest)::\s*(?P<kind>[\w-]*)")
PYTHON = {"python", "python3", "py", "py3", "pycon", "testcode", "doctest", "ipython"}
INLINE = re.compile(
    r"(?::(?P<rst>[\w:+-]+):|\{(?P<myst>[\w:+-]+)\})?`+[~!]?(?:[^`<>]*<)?(?P<name>[A-Za-z_]\w*(?:\.\w+)+)(?:\(\))?>?`"
)
ROLES = {"func", "class", "meth", "attr", "exc", "mod", "data", "obj", "const", "any"}
MODULE = re.compile(r"^\s*\.\. (?:py:)?(?:current)?module:: ([\w.]+)")
AUTO = re.compile(
    r"^\s*\.\. auto(?:(?:module|function|class|exception|data|decorator)::|"
    r"(?:method|attribute|property)::(?= \w+\.)) ([\w.]+)"
)
HISTORY = re.compile(
    r"(?i)remov|renam|deprecat|no longer|replac|former|previous|used to|obsolete|legacy|drop|\bold|instead|migrat|"
    r"upgrad|\bport|future|planned|propos|\bwould\b|imagin|suppos|hypothe|exist|not (yet )?implement|pseudo|wrong|"
    r"don't|do not|avoid|version(added|changed)|\berror|rais|fail|your|\bif you\b"
)
NO_NAME = (
    "com",
    "org",
    "net",
    "io",
    "dev",
    "toml",
    "cfg",
    "ini",
    "lock",
    "yml",
    "pyi",
    "rst",
)  # ends of files and hosts


class Mention(NamedTuple):
    """A name as it can be imported, and the line, from 1, that writes it."""

    dotted: str
    line: int
    text: str


class Block(NamedTuple):
    """Python code in a page; `line` is the number of its first line."""

    line: int
    lines: tuple[str, ...]


def mentioned(text: str, packages: frozenset[str]) -> Iterator[Mention]:
    """The names below these packages that the page relies on, as code, as a role or directive of Sphinx.

    What a paragraph says of history, errors or wishes is passed over.
    """
    lines = text.splitlines()
    blocks = list(_blocks(lines))
    inside = {block.line + at for block in blocks for at in range(len(block.lines))}
    module = ""
    for number, line in enumerate(lines, 1):
        module = found[1] if (found := MODULE.match(line)) else module
        said = [] if number in inside else [*_inline(line), *_documented(line, module, packages)]
        names = [name for name in said if _top(name) in packages]
        if names and not HISTORY.search(re.sub(r"`[^`]*`", "", _paragraph(lines, number))):
            yield from (Mention(name, number, line.strip()) for name in names)
    for block in blocks:
        if not HISTORY.search(_paragraph(lines, block.line - 1) + "\n".join(block.lines)):
            yield from _in_code(block, packages)


def _top(name: str) -> str:
    return name.partition(".")[0]


def _paragraph(lines: list[str], number: int) -> str:
    """The lines around this one, and the paragraph above where it is the directive of a block."""
    at = min(number - 1, len(lines) - 1)
    while at > 0 and (not lines[at].strip() or re.match(r"\s*(\.\. |:|```|~~~)", lines[at])):
        at -= 1
    first = last = max(at, 0)
    while first > 0 and lines[first - 1].strip():
        first -= 1
    while last < len(lines) - 1 and lines[last + 1].strip():
        last += 1
    return "\n".join(lines[first : max(last + 1, number)])


def _inline(line: str) -> Iterator[str]:
    for found in INLINE.finditer(line):
        role = (found["rst"] or found["myst"] or "").rpartition(":")[2]
        if role in ROLES or (not role and not _is_file(found["name"])):
            yield found["name"]


def _is_file(name: str) -> bool:
    """True if it may be the name of a file, or of a host."""
    return name.rpartition(".")[2] in NO_NAME or mimetypes.guess_type(name)[0] is not None


def _documented(line: str, module: str, packages: frozenset[str]) -> Iterator[str]:
    """What a directive of autodoc documents."""
    if found := AUTO.match(line):
        name = found[1]
        whole = _top(name) in packages or not module
        yield name if whole else f"{module}.{name}"


def _blocks(lines: list[str]) -> Iterator[Block]:
    """Fenced blocks, blocks of a directive, and sessions at the prompt that stand alone."""
    at = 0
    while at < len(lines):
        if fence := FENCE.match(lines[at]):
            end = _closing(lines, at + 1, fence["mark"])
            if fence["kind"] in PYTHON:
                yield Block(at + 2, tuple(lines[at + 1 : end]))
            at = end + 1
        elif block := BLOCK.match(lines[at]):
            end = _outdented(lines, at + 1, len(block["indent"]))
            if block["kind"] in PYTHON or not block["kind"]:
                yield Block(at + 2, tuple(lines[at + 1 : end]))
            at = end
        elif lines[at].lstrip().startswith(">>> "):
            end = next((n for n in range(at, len(lines)) if not lines[n].strip()), len(lines))
            yield Block(at + 1, tuple(lines[at:end]))
            at = end
        else:
            at += 1


def _closing(lines: list[str], at: int, mark: str) -> int:
    return next((n for n in range(at, len(lines)) if lines[n].strip().startswith(mark)), len(lines))


def _outdented(lines: list[str], at: int, indent: int) -> int:
    def outside(line: str) -> bool:
        return bool(line.strip()) and len(line) - len(line.lstrip()) <= indent

    return next((n for n in range(at, len(lines)) if outside(lines[n])), len(lines))


def _in_code(block: Block, packages: frozenset[str]) -> Iterator[Mention]:
    try:
        tree = ast.parse(_code(block.lines))
    except (SyntaxError, ValueError):
        return
    names = packages - {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    for node in ast.walk(tree):
        for dotted in _relied_on(node, names):
            if _top(dotted) in packages:
                line = getattr(node, "lineno", 1)
                yield Mention(dotted, block.line + line - 1, block.lines[line - 1].strip())


def _relied_on(node: ast.AST, names: frozenset[str]) -> Iterable[str]:
    match node:
        case ast.ImportFrom(module=str(module), level=0):
            return [f"{module}.{alias.name}" for alias in node.names if alias.name != "*"]
        case ast.Import():
            return [alias.name for alias in node.names]
        case ast.Attribute(ctx=ast.Load()):
            parts = chain(node)
            return [".".join(parts)] if parts and parts[0] in names else []
        case _:
            return []


def _code(lines: tuple[str, ...]) -> str:
    """The block's code with its lines where they were; of a session at the prompt only what is typed."""
    text = [re.sub(r"^(\s*)(>>>|\.\.\.)( |$)", r"\1", line) for line in lines]
    if any(line.lstrip().startswith(">>> ") for line in lines):
        text = [new if line.lstrip().startswith((">>>", "...")) else "" for line, new in zip(lines, text, strict=True)]
    return dedent("\n".join("" if line.lstrip().startswith(":") else line for line in text))
