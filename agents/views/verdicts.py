"""Verdicts as text: all conflicts of a run, one in a line, one in a few words; and how the run ended."""

from collections import Counter
from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from hustings.protocols import Data

from ..history.conflicts import Case, Side
from ..history.run_report import RunReport
from ..history.timeline import Mark
from .text import contested, plain, some

SHOWN = 40  # conflicts shown one by one
NAMED = 10  # ids of open matters shown
FEW = 4  # sides of a conflict shown, and agents of a side


def ending(came: RunReport) -> str:
    """The status in words. A run that left matters open does not read like one that settled all."""
    left_open = any(not verdict.decided for verdict in came.verdicts)
    return "decided in part" if came.status == "decided" and left_open else came.status


def marked(mark: Mark) -> str:
    """A decision of the coordinator, in words."""
    return contested(mark.matters, mark.conflicts) if mark.kind == "opened" else mark.says


def without_verdicts(came: RunReport) -> Data:
    """The fields of the outcome that are more than a list of the run's verdicts."""
    known = {verdict.matter: verdict.plain() for verdict in came.verdicts}
    return {name: value for name, value in came.outcome.items() if not _only_verdicts(value, known)}


def _only_verdicts(value: JsonValue, known: Mapping[str, Data]) -> bool:
    if not isinstance(value, list):
        return False
    matters = [each.get("matter") if isinstance(each, dict) else None for each in value]
    same = (isinstance(m, str) and known.get(m) == each for m, each in zip(matters, value, strict=True))
    return bool(known) and all(same)


def verdicts(cases: Sequence[Case]) -> list[str]:
    """How many conflicts there were, each in a line, and the number of uncontested matters by rule."""
    lines = [line(case) for case in cases if case.contested or case.undecided]
    rest = Counter(case.rule for case in cases if not case.contested and not case.undecided)
    more = [f"… and {some(len(lines) - SHOWN, 'more conflict')}"] if len(lines) > SHOWN else []
    uncontested = [f"{some(number, 'uncontested matter')} settled by {rule}" for rule, number in rest.items()]
    head = [f"CONFLICTS  {tally(cases)}"] if lines else []
    return [*head, *(f"  {each}" for each in [*lines[:SHOWN], *more]), *uncontested]


def tally(cases: Sequence[Case]) -> str:
    """How many of the conflicts are settled: "3 found, 2 settled, 1 left open (C-2)"."""
    found = [case for case in cases if case.contested or case.undecided]
    left_open = [case.matter for case in found if case.undecided]
    names = ", ".join(left_open[:NAMED]) + (" …" if len(left_open) > NAMED else "")
    more = f", {len(left_open)} left open ({names})" if left_open else ""
    return f"{len(found)} found, {len(found) - len(left_open)} settled{more}"


def line(case: Case) -> str:
    """A matter in one line: what stands against what falls, who says it, and by which rule."""
    return plain(f"{case.matter} {case.place}: {_sides(case)} [{_settled(case)}]").replace(" ", "  ", 1)


def _sides(case: Case) -> str:
    standing = _few([_said(side) for side in case.sides if side.stands])
    falling = _few([_said(side) for side in case.sides if not side.stands])
    if case.undecided:
        return ", against ".join(falling)
    if not standing:
        return f"nothing stands of {'; '.join(falling)}"
    return ", against ".join(["; ".join(standing), *falling])


def _few(words: Sequence[str]) -> list[str]:
    """The first few; how many more there are stands for the rest."""
    rest = len(words) - FEW
    return [*words[:FEW], f"{rest:,} more"] if rest > 1 else list(words)


def _settled(case: Case) -> str:
    if case.verdict is None:
        return "not settled yet"
    if not case.verdict.decided:
        return "left open" if case.rule == "undecided" else f"left open: {case.verdict.because}"
    nothing = not any(side.stands for side in case.sides)
    return f"{case.rule}: {case.verdict.because}" if nothing else case.rule


def _said(side: Side) -> str:
    return f"{side.says}, {'says' if len(side.agents) == 1 else 'say'} {' and '.join(_few(side.agents))}"


def what_stands(case: Case) -> str:
    """The verdict in words: what stands, and which agents said it."""
    if case.verdict is None:
        return "not settled yet"
    if not case.verdict.decided:
        return "left open: nothing stands"
    return "; ".join(_few([_said(side) for side in case.sides if side.stands])) or "nothing stands"
