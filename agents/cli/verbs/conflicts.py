"""`hustings conflicts RUN`: the disagreements of a run's specialists, and how each was settled."""

from collections import Counter

import click

from hustings.protocols import Data

from ...history.conflicts import Case, versus
from ...history.timeline import Timeline, timeline_of
from ...views.text import plain
from ...views.verdicts import what_stands
from ..frame.options import common
from ..frame.output import emit
from ..frame.session import go, reading
from ..frame.settings import Settings
from ..frame.table import table

_FIT = "rule: "  # stands in a verdict before the name of a team's own rule


@click.command()
@click.argument("run", default="@last")
@click.option("--all", "everything", is_flag=True, help="List uncontested matters too.")
@click.option("--undecided", is_flag=True, help="Only undecided conflicts.")
@click.option("--rule", metavar="NAME", help="Only what this rule settled: keep, majority, verified ...")
@click.option("--team", help="The team of the run, if the id fits runs of several teams.")
@common
def conflicts(
    settings: Settings, run: str, everything: bool, undecided: bool, rule: str | None, team: str | None
) -> None:
    """List the conflicts of a run: who disagrees with whom, what stands, and by which rule.

    RUN is an id, the beginning of one, @prev, or @last, the default. The number in brackets counts independent
    witnesses: agents of one lineage count once.
    """
    timeline = go(recorded, settings, run, team)
    known = [case for case in timeline.cases if case.contested or everything]
    found = [
        case
        for case in known
        if (case.undecided or not undecided) and (rule is None or rule.removeprefix(_FIT) == short(case))
    ]
    emit(settings, [row(case) for case in found], lambda _: _text(timeline, found, known))


async def recorded(settings: Settings, run: str, team: str | None) -> Timeline:
    """The timeline of a run, read from its log. Raises as `reading`."""
    async with reading(settings, run, team) as (bus, found):
        return timeline_of(bus.team, found, [entry async for entry in bus.log.read(found)])


def short(case: Case) -> str:
    """The name of the rule, without the mark of a team's own rules."""
    return case.rule.removeprefix(_FIT)


def row(case: Case) -> Data:
    """A conflict in brief, as `-o json` prints it."""
    return {
        "matter": case.matter,
        "kind": case.kind,
        "about": case.about,
        "contested": case.contested,
        "sides": [
            {
                "says": side.says,
                "agents": list(side.agents),
                "lineages": [source.lineage for source in side.sources],
                "stands": side.stands,
            }
            for side in case.sides
        ],
        "settled": case.verdict is not None,
        "decided": not case.undecided,
        "rule": case.rule,
        "because": case.verdict.because if case.verdict else "",
        "says": what_stands(case),
    }


def _text(timeline: Timeline, found: list[Case], known: list[Case]) -> str:
    lines = [
        (case.matter, case.kind, case.place, versus(case) if case.contested else "", short(case), _verdict(case))
        for case in found
    ]
    if lines:
        return table(("id", "kind", "about", "sides (witnesses)", "rule", "verdict"), lines)
    rules = Counter(short(case) or "no rule yet" for case in known)
    there = ", ".join(f"{number} by {name}" for name, number in rules.most_common())
    run = timeline.report.run
    return plain(f"no such conflict in {run}; settled there: {there}" if there else f"no conflicts in {run}")


def _verdict(case: Case) -> str:
    because = f": {case.verdict.because}" if case.verdict and not any(side.stands for side in case.sides) else ""
    return what_stands(case) + because
