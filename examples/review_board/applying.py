"""Applying: the patch of a review, written to the folder that was reviewed."""

from collections.abc import Mapping
from pathlib import Path

from hustings.agents import RunReport
from hustings.protocols import UsageError

from .messages import Patch
from .patches import BadPatch, apply_patch
from .sources import read_sources


def apply_to(report: RunReport, paths: Mapping[str, Path]) -> str:
    """Write the patched files to the reviewed folder, all or none of them. Raises UsageError if a file does not fit."""
    root = paths["repository"]
    patch = Patch.of(report.outcome["patch"])
    files = {name: source.text for name, source in read_sources(root).files.items()}
    try:
        changed = apply_patch(patch.diff, files)
    except BadPatch as error:
        raise UsageError(f"the patch does not fit {root}", str(error), "Review it again.") from None
    for name, text in changed.items():
        (root / name).write_bytes(text.encode())
    return f"applied {patch.edits} edits to {len(changed)} files of {root}"
