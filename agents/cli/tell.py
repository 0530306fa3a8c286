"""Tell: a report in words, for a person."""

from collections import Counter
from pathlib import Path

from moot.protocols import Proposal, Verdict

from ..report import Report
from ..team import Team
from .output import inert

SHOWN = 40  # conflicts that are shown one by one


def tell(team: Team, folder: Path, came: Report) -> str:
    """The team's own words if it has some, and where to look for more."""
    own = team.tell(came) if team.tell else verdicts(came)
    ending = f"run {came.run} {came.status}: {came.because} ({came.events} events, {came.seconds:.1f} s)"
    next_ = f"next  moot show {came.run}   moot replay {came.run}   files in {folder}"
    return inert("\n".join(part for part in (own, ending, next_) if part))


def verdicts(came: Report) -> str:
    """Each conflict in a line, and what was not contested as a count."""
    conflicts = [verdict for verdict in came.verdicts if verdict.matter.startswith("C-")]
    lines = [line(verdict) for verdict in conflicts[:SHOWN]]
    if len(conflicts) > SHOWN:
        lines.append(f"… and {len(conflicts) - SHOWN} more conflicts")
    rest = Counter(verdict.rule for verdict in came.verdicts if verdict not in conflicts)
    lines += [f"{number} uncontested matters settled by {rule}" for rule, number in rest.items()]
    return "\n".join(lines)


def line(verdict: Verdict) -> str:
    """A verdict in one line: what stands, by which rule, and who dissents."""
    dissent = "; ".join(dict.fromkeys(f"{each.by}: {' '.join(each.says.split())}" for each in verdict.dissent))
    against = f"  (against {dissent})" if dissent else ""
    if not verdict.decided:
        return f"{verdict.matter}  undecided: {verdict.because}"
    return f"{verdict.matter}  {_what(verdict)}  [{verdict.rule}]{against}"


def _what(verdict: Verdict) -> str:
    if not verdict.stands:
        return f"nothing stands: {verdict.because}"
    first = verdict.stands[0]
    by = ", ".join(dict.fromkeys(item.by for item in verdict.stands))
    if isinstance(first, Proposal):
        edit = first.edits[0]
        act = "keep" if first.keeps else "change"
        return f"{edit.resource}:{edit.start + 1} {act}, says {by}"
    return f"{first.about} = {verdict.value}, says {by}"
