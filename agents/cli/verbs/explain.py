"""`hustings explain C-7`: one conflict with all statements, the verdict, and what would have changed it."""

import json
from collections.abc import Iterable, Iterator

import click

from hustings.protocols import Claim, Evidence, NotFound, Proposal

from ...history.conflicts import Case, Side, counted_once, gathered, people
from ...history.timeline import Timeline
from ...observe.sanitize import inert
from ...views.text import plain, some, span
from ...views.unified_diff import lines_of
from ...views.verdicts import what_stands
from ..frame.hints import close_to, did_you_mean
from ..frame.options import common
from ..frame.output import emit
from ..frame.session import go
from ..frame.settings import Settings
from ..frame.streams import stdout
from ..frame.table import cut
from .conflicts import recorded

WIDTH = 200  # characters shown of a line of code
EVIDENCE = 8  # pieces of evidence shown for one item
_COLOURS = {"-": "red", "+": "green", "@": "cyan"}


@click.command()
@click.argument("id", metavar="ID")
@click.argument("run", default="@last")
@click.option("--team", help="The team of the run, if the id fits runs of several teams.")
@common
def explain(settings: Settings, id: str, run: str, team: str | None) -> None:
    """Show one conflict: claims, proposals, evidence, rule, verdict, dissent.

    ID is a conflict (C-7) or an uncontested matter (M-3), as `hustings conflicts` lists them. RUN is an id, the
    beginning of one, @prev, or @last, the default.
    """
    timeline = go(recorded, settings, run, team)
    emit(settings, find(timeline, id), lambda case: "\n".join(text(case, timeline, colored=settings.colored(stdout()))))


def find(timeline: Timeline, id: str) -> Case:
    """The conflict of that id, in upper or lower case. Raises NotFound, which lists the ids there are."""
    known = {case.matter: case for case in timeline.cases}
    if id.upper() in known:
        return known[id.upper()]
    run, conflicts = timeline.report.run, len(timeline.conflicts)
    others = len(known) - conflicts
    look = "conflicts" if known else "show"
    there = [f"C-1 to C-{conflicts}"] * bool(conflicts) + [f"M-1 to M-{others}"] * bool(others)
    raise NotFound(
        f"there is no {id} in {run}",
        f"there are {' and '.join(there)}" if there else "nothing was to be settled in it so far",
        did_you_mean(close_to(id.upper(), known)) or f"`hustings {look} {run}` shows what there is",
    )


def text(case: Case, timeline: Timeline, *, colored: bool = False) -> Iterator[str]:
    """A conflict for people, line by line, without terminal control characters except our own colours."""
    report = timeline.report
    state = "" if case.contested else ", not contested"
    yield _bold(f"{case.matter}  {case.place}")
    yield plain(f"{case.kind}{state}, run {report.run} of team {report.team}, before {case.barrier}")
    for side in case.sides:
        yield ""
        yield from _side(side)
    yield ""
    yield from _shared(case)
    yield from _verdict(case)


def _side(side: Side) -> Iterator[str]:
    status = click.style("✓ stands", fg="green", bold=True) if side.stands else click.style("✗ falls", fg="red")
    yield f"{click.style(side.letter, bold=True)}  {status}  {plain(side.says)}"
    yield "   " + plain(f"{some(len(side.sources), 'independent witness')}: {people(side.sources)}")
    yield from _wanted(side.items[0])
    for item in side.items:
        lineage = f", of {item.lineage}" if item.lineage and item.lineage != item.by else ""
        because = f": {item.because}" if item.because else ""
        yield "   " + plain(f"{item.by}{lineage}, confidence {item.confidence:g}{because}")
        yield from _evidence(item.evidence, "     ")


def _wanted(item: Claim | Proposal) -> Iterator[str]:
    """The value that is claimed, or each edit as a small diff."""
    if isinstance(item, Claim):
        yield "   = " + plain(json.dumps(item.value, ensure_ascii=False))
        return
    for edit in item.edits:
        yield click.style("   " + plain(f"{edit.resource}:{edit.start + 1}"), dim=True)
        for sign, number, said in lines_of(edit):
            code = cut(inert(said).expandtabs(4), WIDTH)
            line = f"   {number or '':>5} {sign} {code}".rstrip()
            yield click.style(line, fg=_COLOURS[sign]) if sign in _COLOURS else line


def _evidence(found: Iterable[Evidence], indent: str) -> Iterator[str]:
    groups = gathered(found)
    for kind, says, sources in groups[:EVIDENCE]:
        where = f" ({', '.join(sources)})" if sources else ""
        yield indent + plain(f"{kind}: {says}{where}")
    if len(groups) > EVIDENCE:
        yield f"{indent}… {len(groups) - EVIDENCE} more; -o json has all"


def _shared(case: Case) -> Iterator[str]:
    shared = counted_once(case)
    if shared:
        yield _fact("one witness", people(shared))


def _verdict(case: Case) -> Iterator[str]:
    verdict = case.verdict
    yield _fact("verdict", what_stands(case), bold=True)
    if verdict is None:
        return
    yield _fact("rule", verdict.rule)
    yield _fact("because", verdict.because)
    ranked = sorted(verdict.weights.items(), key=lambda pair: (-pair[1], pair[0]))
    for n, (word, weight) in enumerate(ranked):
        yield _fact("" if n else "weights", f"{weight:g}  {word}")
    if ranked:
        yield _fact("margin", f"{verdict.margin:g}")
    for n, line in enumerate(_evidence(verdict.evidence, "")):
        yield _fact("" if n else "evidence", line)
    dissent = dict.fromkeys(f"{each.by}: {each.says}" for each in verdict.dissent)
    for n, line in enumerate(dissent):
        yield _fact("" if n else "dissent", line)
    if verdict.flips:
        yield _fact("would flip", verdict.flips)
    yield from _proof(case)


def _proof(case: Case) -> Iterator[str]:
    proving = case.proving
    if proving is None or not case.rejected:
        return
    yield _fact("proof", f"{proving.agent} took {span(proving.seconds)} ({proving.task}): {proving.because}")
    for item, why in proving.rejects.items():
        yield _fact("", f"{item} {why}")
    if proving.proof:
        yield _fact("", json.dumps(proving.proof, ensure_ascii=False))


def _fact(name: str, said: str, *, bold: bool = False) -> str:
    shown = plain(said)
    return f"{click.style(f'{name:<12}', dim=True)} {_bold(shown) if bold else shown}"


def _bold(said: str) -> str:
    return click.style(plain(said), bold=True)
