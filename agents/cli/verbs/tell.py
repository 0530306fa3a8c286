"""Tell: a run's report as text for people."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from ...history.run_report import Bill, RunReport
from ...observe.sanitize import inert
from ...team import Team
from ...views.text import some
from ...views.verdicts import verdicts


def tell(team: Team, folder: Path, came: RunReport) -> str:
    """The team's own text if it has one, the costs, and where to look for more."""
    own = team.tell(came) if team.tell else "\n".join(part for part in (verdicts(came), outcome(came)) if part)
    ending = f"run {came.run} {came.status}: {came.because} ({came.events} events, {came.seconds:.1f} s)"
    bill = "\n".join(bills(came))
    next_ = f"next  hustings show {came.run}   hustings replay {came.run}   files in {folder}"
    return inert("\n".join(part for part in (own, bill, ending, next_) if part))


def bills(came: RunReport) -> Iterator[str]:
    """Tokens and money by agent and model; `est.` if the price or the tokens are estimated."""
    if not came.models:
        return
    rows = [_bill(bill.agent, bill.model, [bill]) for bill in came.models] + [_bill("all", "", came.models)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    yield "MODELS"
    for agent, model, *numbers in rows:
        cells = [f"{number:>{width}}" for number, width in zip(numbers, widths[2:], strict=True)]
        yield f"  {agent:<{widths[0]}}  {model:<{widths[1]}}  {'  '.join(cells)}".rstrip()


def _bill(agent: str, model: str, bills: Sequence[Bill]) -> tuple[str, ...]:
    read = sum(bill.usage.total - bill.usage.output for bill in bills)
    failed = sum(bill.failed for bill in bills)
    return (
        agent,
        model,
        some(sum(bill.calls for bill in bills), "call"),
        f"{read:,} tokens in",
        f"{sum(bill.usage.output for bill in bills):,} out",
        f"${sum(bill.money for bill in bills):.4f}" + (" est." if any(bill.estimated for bill in bills) else ""),
        f"{failed} failed" if failed else "",
    )


def outcome(came: RunReport) -> str:
    """The outcome's fields as JSON, without the verdicts."""
    said = came.plain()["verdicts"]
    fields = {name: value for name, value in came.outcome.items() if value != said}
    return json.dumps(fields, indent=2, ensure_ascii=False) if fields else ""
