"""Suspicion: the changes that a failure points at. A guess that saves runs; only a run decides."""

import re
from collections.abc import Mapping, Sequence

from hustings import Proposal

QUOTED = re.compile(r"['`\"]([A-Za-z_][\w.]*)['`\"]")
MOST_READ = 20  # failures: the first few name the same few culprits as all of them


def accused(proposals: Sequence[Proposal], failures: Mapping[str, str]) -> list[int]:
    """The places of those proposals that change a name which the failures quote; if there is none, of those that
    change a file which the failures name."""
    read = dict(list(failures.items())[:MOST_READ])
    names = {name.rpartition(".")[2] for why in read.values() for name in QUOTED.findall(_last_line(why))}
    said = "\n".join(f"{name}\n{why}" for name, why in read.items())
    by_name = [place for place, item in enumerate(proposals) if names and _changes_name(item, names)]
    return by_name or [
        place for place, item in enumerate(proposals) if any(edit.resource in said for edit in item.edits)
    ]


def _changes_name(item: Proposal, names: set[str]) -> bool:
    return any(_words(edit.was) & names != _words(edit.text) & names for edit in item.edits)


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else ""
