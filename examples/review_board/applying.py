"""Applying: the patch of a review, on the folder that was reviewed; in a git checkout as a branch of its own."""

import os
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from hustings.agents import RunReport
from hustings.protocols import UsageError

from .commits import Commit, commits
from .gaps import counted
from .messages import Patch
from .patches import BadPatch, apply_patch
from .sources import read_sources

NOBODY = ("-c", "user.name=hustings", "-c", "user.email=hustings@localhost")


def apply_to(report: RunReport, paths: Mapping[str, Path]) -> str:
    """Write the patched files to the reviewed folder, all or none of them; in a git checkout commit them to the branch
    hustings/RUN, which begins at HEAD, and leave the files on disk as they are.

    Raises UsageError: a file does not fit, or the checkout has changes that are not committed.
    """
    root = paths["repository"].resolve()
    patch = Patch.of(report.outcome["patch"])
    files = {name: source.text for name, source in read_sources(root).files.items()}
    try:
        changed = apply_patch(patch.diff, files)
    except BadPatch as error:
        raise UsageError(f"the patch does not fit {root}", str(error), "Review it again.") from None
    if changed and (top := _checkout(root)):
        made = _branch(top, root, f"hustings/{report.run}", commits(report, files, changed))
        return (
            f"{counted(made, 'commit')} on the branch hustings/{report.run} of {top}: git merge hustings/{report.run}"
        )
    for name, text in changed.items():
        (root / name).write_bytes(text.encode())
    return f"applied {counted(patch.edits, 'edit')} to {counted(len(changed), 'file')} of {root}"


def _checkout(root: Path) -> Path | None:
    """The top folder of the checkout that has this folder's files; None if git does not know them."""
    try:
        tracked = _git(root, "ls-files", "--", ".")
        return Path(_git(root, "rev-parse", "--show-toplevel").strip()) if tracked else None
    except (OSError, subprocess.CalledProcessError):
        return None


def _branch(top: Path, root: Path, name: str, changes: Iterable[Commit]) -> int:
    """Commit the changes to a new branch, in a work tree of its own; gives their number."""
    if _git(top, "status", "--porcelain", "--untracked-files=no"):
        raise UsageError(
            f"{top} has changes that are not committed", "the branch begins at HEAD", "Commit or stash them first."
        )
    made = 0
    with tempfile.TemporaryDirectory(prefix="hustings-branch-") as scratch:
        tree = Path(scratch) / "tree"
        try:
            _git(top, "worktree", "add", "-q", "-b", name, str(tree), "HEAD")
        except subprocess.CalledProcessError as error:
            raise UsageError(f"the branch {name} cannot be made", error.stderr.strip()) from None
        try:
            for made, commit in enumerate(changes, 1):  # noqa: B007 - the number of the last is the result
                for path, text in commit.files.items():
                    (tree / root.relative_to(top) / path).write_bytes(text.encode())
                _git(tree, *_author(top), "commit", "-q", "--no-verify", "-a", "-m", commit.message)
        finally:
            _git(top, "worktree", "remove", "--force", str(tree))
    return made


def _author(top: Path) -> tuple[str, ...]:
    """Git's own settings, if it has an author."""
    try:
        _git(top, "var", "GIT_AUTHOR_IDENT")
    except subprocess.CalledProcessError:
        return NOBODY
    return ()


def _git(folder: Path, *words: str) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    ran = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=True, env=env)
    return ran.stdout
