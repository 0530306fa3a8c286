"""`hustings conflicts RUN`: what the specialists of a run disagreed about, and how it was settled."""

from collections import Counter

import click

from hustings.protocols import Data

from ...history.conflicts import Case, ruling, versus
from ...history.timeline import Story, tell
from ...views.text import plain
from ..frame.options import common
from ..frame.output import emit
from ..frame.session import go, reading
from ..frame.settings import Settings
from ..frame.table import table

_FIT = "rule: "  # what a verdict puts before the name of a team's own rule


@click.command()
@click.argument("run", default="@last")
@click.option("--all", "everything", is_flag=True, help="The uncontested matters as well.")
@click.option("--undecided", is_flag=True, help="Only what nobody decided.")
@click.option("--rule", metavar="NAME", help="Only what was settled by this rule: keep, majority, verified ...")
@click.option("--team", help="The team of the run, where an id fits runs of several.")
@common
def conflicts(
    settings: Settings, run: str, everything: bool, undecided: bool, rule: str | None, team: str | None
) -> None:
    """List the conflicts of a run: who against whom, and what stands by which rule.

    RUN is an id, the beginning of one, @prev, or @last, the default. In brackets is the number of independent
    witnesses: agents of one lineage count once.
    """
    story = go(recorded, settings, run, team)
    known = [case for case in story.cases if case.contested or everything]
    found = [
        case
        for case in known
        if (case.undecided or not undecided) and (rule is None or rule.removeprefix(_FIT) == short(case))
    ]
    emit(settings, [row(case) for case in found], lambda _: _text(story, found, known))


async def recorded(settings: Settings, run: str, team: str | None) -> Story:
    """The story of a run from its log; raises as `reading`."""
    async with reading(settings, run, team) as (bus, found):
        return tell(bus.team, found, [entry async for entry in bus.log.read(found)])


def short(case: Case) -> str:
    """The rule's name without what tells a team's own rules from the arbiters."""
    return case.rule.removeprefix(_FIT)


def row(case: Case) -> Data:
    """A case in brief, as `-o json` has it."""
    return {
        "id": case.id,
        "kind": case.kind,
        "about": case.about,
        "contested": case.contested,
        "sides": [
            {
                "says": side.says,
                "by": list(side.agents),
                "witnesses": [source.lineage for source in side.sources],
                "stands": side.stands,
            }
            for side in case.sides
        ],
        "settled": case.verdict is not None,
        "decided": not case.undecided,
        "rule": case.rule,
        "because": case.verdict.because if case.verdict else "",
        "verdict": ruling(case),
    }


def _text(story: Story, found: list[Case], known: list[Case]) -> str:
    lines = [
        (case.id, case.kind, case.place, versus(case) if case.contested else "", short(case), _verdict(case))
        for case in found
    ]
    if lines:
        return table(("id", "kind", "about", "who against whom (witnesses)", "rule", "verdict"), lines)
    rules = Counter(short(case) or "nobody yet" for case in known)
    there = ", ".join(f"{number} by {name}" for name, number in rules.most_common())
    run = story.report.run
    return plain(f"none of that kind in {run}: there are {there}" if there else f"nobody disagreed in {run}")


def _verdict(case: Case) -> str:
    because = f": {case.verdict.because}" if case.verdict and not any(side.stands for side in case.sides) else ""
    return ruling(case) + because
