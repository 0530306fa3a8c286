"""Rewriters: autoflake, pyupgrade, flynt and isort on a folder. Each proposes changes; none is sure to be right. All
use only the repository's own settings."""

import ast
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from hustings import Edit

from .checkout import fence
from .messages import Findings
from .pythons import oldest_python, supports_python_2
from .rewriting import Span, proposal, rewritten, touches
from .settings import orders_imports_with_isort, orders_imports_with_ruff
from .sources import Source, Sources, read_sources
from .tools import call


def autoflake_fixes(root: Path, bold: bool = False) -> Findings:
    """What autoflake drops as unused imports, in `__init__.py` too; `bold`: also `pass` where it is not needed. `root`
    is changed."""
    fence(root)
    found = rewritten(
        root,
        on_files("autoflake", "--in-place", "--remove-all-unused-imports", root=root),
        lambda _, edits: proposal(edits, "pyflakes", "the import is not used in this file"),
    )
    asked = tuple(item for item in found.proposals if bold or not all(_drops_pass(edit) for edit in item.edits))
    return found.model_copy(update={"proposals": asked})


def _drops_pass(edit: Edit) -> bool:
    return edit.was.strip() == "pass" and not edit.text.strip()


def pyupgrade_fixes(root: Path, bold: bool = False) -> Findings:
    """What pyupgrade rewrites for the oldest Python that the repository supports, 3.8 if it does not say; nothing where
    that is Python 2. `root` is changed."""
    if supports_python_2(root):
        return Findings(claims=read_sources(root).claims)
    oldest = oldest_python(root)
    formats = () if bold else ("--keep-percent-format",)  # str.format() is hardly better than %
    return rewritten(
        root,
        on_files("pyupgrade", f"--py3{oldest}-plus", *formats, root=root, ends=(0, 1)),
        lambda _, edits: proposal(edits, "pyupgrade", f"newer syntax for Python 3.{oldest} and later"),
    )


def flynt_fixes(root: Path, bold: bool = False) -> Findings:
    """What flynt turns into f-strings, which Python 2 lacks; `bold`: also where the value may be a tuple, which means
    something else. `root` is changed."""
    if supports_python_2(root):
        return Findings(claims=read_sources(root).claims)
    fence(root)
    unsure = {path: unsure_formats(source) for path, source in read_sources(root).files.items()}
    found = rewritten(
        root,
        on_files("flynt", "--quiet", root=root),
        lambda _, edits: proposal(edits, "flynt", "an f-string says the same, shorter"),
    )
    sure = tuple(
        item
        for item in found.proposals
        if bold or not any(touches(edit, span) for edit in item.edits for span in unsure[edit.resource])
    )
    return found.model_copy(update={"proposals": sure})


def unsure_formats(source: Source) -> list[Span]:
    """The lines of each `"..." % value` whose value may be a tuple."""
    return [
        (node.lineno - 1, node.end_lineno or node.lineno)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Mod)
        and isinstance(node.left, ast.Constant)
        and isinstance(node.left.value, str)
        and not isinstance(node.right, ast.Tuple | ast.Dict | ast.Constant | ast.JoinedStr)
    ]


def isort_fixes(root: Path, bold: bool = False) -> Findings:
    """The imports in isort's order where the repository asks for it, or `bold`; never where ruff orders them. `root` is
    changed."""
    if orders_imports_with_ruff(root) or not (bold or orders_imports_with_isort(root)):
        return Findings(claims=read_sources(root).claims)
    fence(root)
    return rewritten(
        root,
        on_files("isort", "--quiet", "--filter-files", root=root),
        lambda _, edits: proposal(edits, "isort", "imports in sections, each in alphabetical order"),
    )


def on_files(tool: str, *options: str, root: Path, ends: Sequence[int] = (0,)) -> Callable[[Sources], None]:
    """A job that lets the tool rewrite the files that can be parsed."""

    def work(sources: Sources) -> None:
        for files in portions(list(sources.files)):
            call(tool, [*options, *files], root, ends)

    return work


def portions(files: Sequence[str], size: int = 200) -> Iterator[list[str]]:
    """The files as arguments, as many at a time as fit on a command line."""
    return (["./" + file for file in files[at : at + size]] for at in range(0, len(files), size))
