"""Tell: a run's report as text for people."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from ...history.run_report import Bill, RunReport
from ...history.timeline import Timeline
from ...observe.sanitize import inert
from ...team import Team
from ...views.outline import outline
from ...views.outline_text import shown
from ...views.text import some
from ...views.verdicts import ending, verdicts, without_verdicts
from ..frame.table import columns


def tell(team: Team, folder: Path, timeline: Timeline, *, because: bool = True) -> str:
    """The team's own text if it has one, else the conflicts and the outcome; the costs, and where to look for more.

    Without `because` an error has said why the run ended so.
    """
    came = timeline.report
    own = team.tell(came) if team.tell else "\n".join(_answer(timeline))
    why = f": {came.because}" if because else ""
    end = f"run {came.run} {ending(came)}{why} ({came.events} events, {came.seconds:.1f} s)"
    bill = "\n".join(bills(came))
    left_open = [verdict.matter for verdict in came.verdicts if not verdict.decided]
    explain = f"hustings explain {left_open[0]} {came.run}   " if left_open else ""
    next_ = f"next  {explain}hustings show {came.run}   hustings replay {came.run}\nfiles in {folder}"
    return inert("\n".join(part for part in (own, bill, end, next_) if part))


def bills(came: RunReport) -> Iterator[str]:
    """Tokens and money by agent and model; `est.` if the price or the tokens are estimated."""
    if not came.models:
        return
    rows = [_bill(bill.agent, bill.model, [bill]) for bill in came.models] + [_bill("all", "", came.models)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    yield "MODELS  with the tokens in and out"
    for agent, model, *numbers in rows:
        cells = [f"{number:>{width}}" for number, width in zip(numbers, widths[2:], strict=True)]
        yield f"  {agent:<{widths[0]}}  {model:<{widths[1]}}  {'  '.join(cells)}".rstrip()


def _bill(agent: str, model: str, bills: Sequence[Bill]) -> tuple[str, ...]:
    read = sum(bill.usage.total - bill.usage.output for bill in bills)
    failed = sum(bill.failed_calls for bill in bills)
    return (
        agent,
        model,
        some(sum(bill.calls for bill in bills), "call"),
        f"{read:,} in",
        f"{sum(bill.usage.output for bill in bills):,} out",
        f"${sum(bill.money for bill in bills):.4f}" + (" est." if any(bill.estimated for bill in bills) else ""),
        f"{failed} failed" if failed else "",
    )


def _answer(timeline: Timeline) -> Iterator[str]:
    came = timeline.report
    yield from verdicts(timeline.cases)
    if lines := outcome(came):
        yield from ("OUTCOME", *(f"  {line}" for line in lines))


def outcome(came: RunReport) -> list[str]:
    """The outcome field by field, without the verdicts, which are shown as conflicts."""
    fields = without_verdicts(came)
    whole = f"hustings show {came.run} -o json has all"
    return shown(outline(fields), columns(80) - 2, whole) if fields else []
