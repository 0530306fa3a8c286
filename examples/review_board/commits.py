"""Commits: a patch as small changes by topic, each with who proposed it, who objected, and the rule that decided."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from hustings.agents import RunReport
from hustings.protocols import Edit, Proposal, Verdict

from .edits import apply, digest

MOST_TOLD = 30  # changes told in the message of one commit


class Commit(NamedTuple):
    """A message, and the text of each file that the commit changes."""

    message: str
    files: Mapping[str, str]


def commits(report: RunReport, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Commit]:
    """From the files as they were to those as the patch leaves them: a commit for each specialist whose proposals
    stand, then one for what was decided about the rewritten files."""
    texts = {path: before[path] for path in after}
    done: list[Edit] = []
    for who, changes in sorted(_topics(report, before, after).items()):
        done += [edit for _, item in changes for edit in item.edits]
        now = {path: _edited(before[path], path, done) for path in texts}
        if files := {path: text for path, text in now.items() if text != texts[path]}:
            yield Commit(_message(report, who, changes), files)
            texts.update(files)
    if files := {path: text for path, text in after.items() if text != texts[path]}:
        yield Commit(f"Format what was rewritten\n\nDecided in run {report.run}.\n", files)


def _topics(
    report: RunReport, before: Mapping[str, str], after: Mapping[str, str]
) -> Mapping[str, list[tuple[Verdict, Proposal]]]:
    """The standing changes of these files by their first proposer; each change once, whoever else proposed it."""
    topics: dict[str, list[tuple[Verdict, Proposal]]] = {}
    seen: set[tuple[Edit, ...]] = set()
    bases = {path: digest(before[path].encode()) for path in after}
    for verdict in report.verdicts:
        for item in verdict.stands:
            if not isinstance(item, Proposal) or item.keeps or item.edits in seen:
                continue
            if all(bases.get(edit.resource) == edit.base for edit in item.edits):
                seen.add(item.edits)
                topics.setdefault(item.by, []).append((verdict, item))
    return topics


def _edited(text: str, path: str, edits: list[Edit]) -> str:
    return apply(text, [edit for edit in edits if edit.resource == path])


def _message(report: RunReport, who: str, changes: list[tuple[Verdict, Proposal]]) -> str:
    reasons = dict.fromkeys(item.because for _, item in changes)
    subject = f"Apply {who}: {next(iter(reasons))}" if len(reasons) == 1 else f"Apply {who}'s {len(changes)} changes"
    lines = [_told(verdict, item) for verdict, item in changes[:MOST_TOLD]]
    lines += [f"and {len(changes) - MOST_TOLD} more"] if len(changes) > MOST_TOLD else []
    return "\n".join([subject[:72], "", *lines, "", f"Decided in run {report.run}.", ""])


def _told(verdict: Verdict, item: Proposal) -> str:
    also = sorted({other.by for other in verdict.stands if other.by != item.by})
    against = sorted({dissent.by for dissent in verdict.dissent} - {item.by})
    edit = item.edits[0]
    return "".join(
        [
            f"{edit.resource}:{edit.start + 1} {item.because}, by {verdict.rule}",
            f"; proposed by {', '.join(also)} too" if also else "",
            f"; against {', '.join(against)}" if against else "",
        ]
    )
