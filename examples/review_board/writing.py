"""Writing: the accepted proposals as rewritten files, and the rewritten files as a patch."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from hustings import Edit, NonRetryableError, Proposal, Verdict

from .edits import BadEdit, apply, digest, hunks
from .messages import Draft, Patch, Rewritten
from .patches import unified
from .sources import Sources, read_sources


def write_draft(root: Path, verdicts: Iterable[Verdict]) -> Draft:
    """The files with the edits of all standing proposals. Raises NonRetryableError if these do not fit together."""
    sources = read_sources(root)
    accepted = [item for verdict in verdicts for item in verdict.stands if isinstance(item, Proposal)]
    by_file: dict[str, list[Edit]] = defaultdict(list)
    for edit in (edit for proposal in accepted for edit in proposal.edits if not edit.keeps):
        by_file[edit.resource].append(edit)
    files = [_rewritten(sources, path, edits) for path, edits in sorted(by_file.items())]
    return Draft(accepted=tuple(item for item in accepted if not item.keeps), files=tuple(files))


def finished(draft: Draft, verdicts: Iterable[Verdict]) -> Draft:
    """The draft with those edits that stand and were made for its own files: the second round of decisions.

    Raises NonRetryableError if those do not fit together.
    """
    stand = [
        edit for verdict in verdicts for item in verdict.stands if isinstance(item, Proposal) for edit in item.edits
    ]
    return draft.model_copy(update={"files": tuple(_finished(file, stand) for file in draft.files)})


def overwrite(root: Path, draft: Draft) -> None:
    """Put the draft's files in place of the folder's. Raises NonRetryableError: the draft is of other files."""
    sources = read_sources(root)
    for file in draft.files:
        _base(sources, file.resource, file.base)
        (root / file.resource).write_bytes(file.text.encode())


def write_patch(root: Path, draft: Draft, inside: str = "") -> Patch:
    """The unified diff between the folder and the draft, its paths relative to `inside`.

    Raises NonRetryableError if the draft was made from other files.
    """
    sources = read_sources(root)
    pairs = [(file, _base(sources, file.resource, file.base)) for file in sorted(draft.files, key=lambda f: f.resource)]
    diffs = [unified(file.resource.removeprefix(inside), base, file.text) for file, base in pairs]
    edits = sum(len(hunks(file.resource, base, file.text)) for file, base in pairs)
    return Patch(diff="".join(diffs), edits=edits, files=sum(bool(diff) for diff in diffs))


def _rewritten(sources: Sources, path: str, edits: list[Edit]) -> Rewritten:
    base = _base(sources, path, edits[0].base)
    try:
        return Rewritten(resource=path, base=edits[0].base, text=apply(base, edits))
    except BadEdit as error:
        raise NonRetryableError(f"what was decided about {path} cannot be written", str(error)) from error


def _finished(file: Rewritten, stand: Iterable[Edit]) -> Rewritten:
    name = digest(file.text.encode())
    edits = [edit for edit in stand if (edit.resource, edit.base) == (file.resource, name)]
    try:
        return file.model_copy(update={"text": apply(file.text, edits)})
    except BadEdit as error:
        raise NonRetryableError(
            f"what was decided about the format of {file.resource} cannot be written", str(error)
        ) from error


def _base(sources: Sources, path: str, name: str) -> str:
    source = sources.files.get(path)
    if source is None or source.digest != name:
        raise NonRetryableError(f"cannot change {path}", "it is not in the repository as it was read")
    return source.text
