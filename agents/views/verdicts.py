"""Verdicts as text: all of a run, one in a line, one in a few words."""

from collections import Counter

from hustings.protocols import Proposal, Verdict

from ..history.conflicts import Case
from ..history.run_report import RunReport
from .text import some

SHOWN = 40  # conflicts shown one by one


def verdicts(came: RunReport) -> str:
    """Each conflict in a line, and the number of uncontested matters by rule."""
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


def what_stands(case: Case) -> str:
    """The verdict in words: what stands, and which agents said it."""
    if case.verdict is None:
        return "not settled yet"
    if not case.verdict.decided:
        return "undecided: nothing stands"
    standing = [side for side in case.sides if side.stands]
    if not standing:
        return "nothing stands"
    return "; ".join(f"{side.says}, says {' and '.join(side.agents)}" for side in standing)
