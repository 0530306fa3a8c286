"""Formatting: what ruff format changes in a draft, as proposals on the rewritten files."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from hustings import Edit, NonRetryableError

from .edits import hunks
from .messages import Draft, Formatting, Rewritten
from .rewriters import portions
from .rewriting import groups, proposal, touches, unmoved
from .settings import asks_for_format, formats_with_ruff, has_ruff_settings
from .sources import Source, read_sources
from .tools import call

ANY_QUOTES = ("--config", "format.quote-style='preserve'")


def format_draft(root: Path, draft: Draft, bold: bool = False) -> Formatting:
    """Format the lines that the draft rewrote; whole files only where they were in this format before.

    Other files only if the repository asks for the format, or `bold`. `root` is changed. Raises NonRetryableError if
    the draft was made from other files.
    """
    before = {file.resource: _text(root, file) for file in draft.files}
    asked = bold or asks_for_format(root)
    options = _options(root)
    tidy = {path for path, text in _formatted(root, before, options).items() if text == before[path]}
    drafted = {file.resource: file.text for file in draft.files}
    after = _formatted(root, drafted, options)
    proposals = [
        proposal(group, "ruff", "the format of the file" if path in tidy else "the format of what was rewritten")
        for path, text in drafted.items()
        if asked or path in tidy
        for group in groups(
            Source(path, text), list(_wanted(Source(path, text), before[path], after[path], path in tidy))
        )
    ]
    return Formatting(proposals=tuple(proposals))


def format_all(root: Path) -> None:
    """Let ruff format every file of the folder that it can."""
    options = _options(root)
    for files in portions(list(read_sources(root).files)):
        call("ruff", ["format", "--quiet", "--no-cache", "--force-exclude", *options, *files], root)


def _options(root: Path) -> tuple[str, ...]:
    """Nothing outside the folder counts; in a repository without a style its own quotes are its style."""
    return (*(() if has_ruff_settings(root) else ("--isolated",)), *(() if formats_with_ruff(root) else ANY_QUOTES))


def _text(root: Path, file: Rewritten) -> str:
    path = root / file.resource
    source = Source(file.resource, path.read_bytes().decode() if path.is_file() else "")
    if source.digest != file.base:
        raise NonRetryableError(f"cannot format {file.resource}", "the draft was made from another version of it")
    return source.text


def _formatted(root: Path, texts: Mapping[str, str], options: tuple[str, ...]) -> dict[str, str]:
    for path, text in texts.items():
        (root / path).write_bytes(text.encode())
    for files in portions(list(texts)):
        call("ruff", ["format", "--quiet", "--no-cache", "--force-exclude", *options, *files], root)
    return {path: (root / path).read_bytes().decode() for path in texts}


def _wanted(draft: Source, before: str, after: str, whole: bool) -> Iterator[Edit]:
    """The hunks that touch rewritten lines, each with the other half of what it moves."""
    rewritten = [(edit.start, edit.end) for edit in hunks(draft.path, draft.text, before)]
    for part in unmoved(draft, hunks(draft.path, draft.text, after)):
        if whole or any(touches(edit, span) for edit in part for span in rewritten):
            yield from part
