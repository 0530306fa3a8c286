"""Tell: a report in words, for a person."""

import json
from collections import Counter
from pathlib import Path

from moot.protocols import Proposal, Verdict

from ..report import Report
from ..team import Team
from ..words import some
from .output import inert

SHOWN = 40  # conflicts that are shown one by one


def tell(team: Team, folder: Path, came: Report) -> str:
    """The team's own words if it has some, and where to look for more."""
    own = team.tell(came) if team.tell else "\n".join(part for part in (verdicts(came), outcome(came)) if part)
    ending = f"run {came.run} {came.status}: {came.because} ({came.events} events, {came.seconds:.1f} s)"
    next_ = f"next  moot show {came.run}   moot replay {came.run}   files in {folder}"
    return inert("\n".join(part for part in (own, ending, next_) if part))


def outcome(came: Report) -> str:
    """The outcome's fields as JSON, without the verdicts."""
    said = came.plain()["verdicts"]
    fields = {name: value for name, value in came.outcome.items() if value != said}
    return json.dumps(fields, indent=2, ensure_ascii=False) if fields else ""


def verdicts(came: Report) -> str:
    """Each conflict in a line, and what was not contested as a count."""
    conflicts = [verdict for verdict in came.verdicts if verdict.contested]
    lines = [line(verdict) for verdict in conflicts[:SHOWN]]
    if len(conflicts) > SHOWN:
        lines.append(f"… and {len(conflicts) - SHOWN} more conflicts")
    rest = Counter(verdict.rule for verdict in came.verdicts if verdict not in conflicts)
    lines += [f"{some(number, 'uncontested matter')} settled by {rule}" for rule, number in rest.items()]
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
