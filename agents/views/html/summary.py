"""Summary: the top of a report: status, goal, numbers, proof, what is missing, and each agent's contribution."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from pydantic import JsonValue

from hustings.protocols import Data

from ...history.conflicts import witnesses
from ...history.run_report import Bill
from ...history.timeline import Timeline
from ..outline import PAGE, outline
from ..text import by_rule, span
from ..verdicts import ending, without_verdicts
from .outline import shown
from .tags import (
    Html,
    join,
    table,
    tag,
    text,
)

STATUS = {
    "decided": ("go", "✓"),
    "decided in part": ("wait", "?"),
    "partial": ("wait", "!"),
    "undecided": ("wait", "?"),
    "running": ("", "…"),
}

DEAD = 20  # dead letters named


def head(timeline: Timeline, links: Html) -> Html:
    """The header of the page, ending with links to its sections."""
    came = timeline.report
    status = ending(came)
    kind, sign = STATUS.get(status, ("stop", "✗"))
    asked = datetime.fromtimestamp(timeline.state.asked_at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return tag(
        "header",
        tag("h1", f"{came.team} ", tag("span", came.run, class_="dim")),
        tag("p", tag("span", f"{sign} {status}", class_=f"pill {kind}"), " ", came.because),
        _tiles(timeline),
        _facts(timeline, asked),
        links,
    )


def _tiles(timeline: Timeline) -> Html:
    rejected = sum(case.rejected for case in timeline.cases)
    undecided = sum(case.undecided for case in timeline.cases)
    tiles: list[tuple[str, object]] = [
        ("time", span(timeline.seconds)),
        ("matters", f"{len(timeline.cases):,}"),
        ("of them conflicts", f"{len(timeline.conflicts):,}"),
        ("rejected by proof", f"{rejected:,}"),
        ("left open", f"{undecided:,}"),
        ("tasks", f"{len(timeline.bars):,}"),
    ]
    if timeline.report.dead:
        tiles.append(("dead letters", f"{len(timeline.report.dead):,}"))
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in tiles), class_="tiles")


def _facts(timeline: Timeline, asked: str) -> Html:
    goal, facts = timeline.state.goal, list[tuple[str, object]]()
    if goal:
        facts.append(("goal", join([text(f"{goal.type}, asked by {goal.by}, {asked}"), _goal(goal.goal)])))
    if timeline.report.verdicts:
        facts.append(("settled", by_rule(timeline.report.verdicts)))
    facts += [(name, _proof(said)) for name, said in timeline.report.outcome.items() if _proves(said)]
    if bills := timeline.report.models:
        facts.append(("models", tag("div", _bills(bills), class_="fit")))
    if timeline.state.missing:
        rows = [tag("li", tag("b", who), f" {why}") for who, why in sorted(timeline.state.missing.items())]
        facts.append(("missing", tag("ul", *rows)))
    if dead := timeline.report.dead:
        rows = [tag("li", tag("code", f"hustings dead show {each}")) for each in dead[:DEAD]]
        facts.append(("dead letters", tag("ul", *rows, *([tag("li", "…")] if len(dead) > DEAD else []))))
    return tag("dl", *(part for name, said in facts for part in (tag("dt", name), tag("dd", said))), class_="facts")


def _bills(bills: Sequence[Bill]) -> Html:
    """The spending, by agent and model."""
    rows = [
        (bill.agent, bill.model, bill.calls, bill.failed_calls, bill.usage.total - bill.usage.output, bill.usage.output,
         f"${bill.money:.4f}{' est.' if bill.estimated else ''}")
        for bill in bills
    ]  # fmt: skip
    return table(("agent", "model", "calls", "failed", "tokens in", "out", "cost"), rows, numbers=range(2, 7))


def _goal(goal: Data) -> Html:
    return shown(outline(goal, PAGE))


def outcome(timeline: Timeline) -> Html:
    """The outcome field by field, without what the page shows elsewhere: proofs, verdicts and patches."""
    left = without_verdicts(timeline.report)
    fields = {name: _without_diff(said) for name, said in left.items() if not _proves(said)}
    return shown(outline(fields, PAGE)) if fields else text("")


def _without_diff(said: JsonValue) -> JsonValue:
    if isinstance(said, dict):
        return {name: _without_diff(each) for name, each in said.items()}
    return "below, under Patch" if isinstance(said, str) and "--- a/" in said else said


def _proves(said: JsonValue) -> bool:
    return isinstance(said, dict) and isinstance(said.get("holds"), bool)


def _proof(said: JsonValue) -> Html:
    """A proof among the outcome's fields; with its counts before and after, side by side, if it has them."""
    proof = said if isinstance(said, dict) else {}
    gaps = proof.get("gaps")
    kind, word = ("wait" if gaps else "go", "✓ holds") if proof["holds"] else ("stop", "✗ does not hold")
    parts = [tag("span", word, class_=f"pill {kind}"), text(f" {proof.get('because') or ''}")]
    if how := proof.get("how"):
        parts.append(tag("p", f"how: {how}", class_="dim"))
    before, after = proof.get("before"), proof.get("after")
    if isinstance(before, dict) and isinstance(after, dict):
        names = [name for name in {**before, **after} if _counts(before.get(name)) or _counts(after.get(name))]
        rows = [
            ["before", *(before.get(name, "") for name in names)],
            ["after", *(after.get(name, "") for name in names)],
        ]
        parts.append(tag("div", table(["tests", *names], rows, numbers=range(1, len(names) + 1)), class_="fit"))
    fresh = proof.get("new_failures")
    if isinstance(fresh, list) and fresh:
        parts.append(tag("ul", *(tag("li", f"new failure: {each}") for each in fresh[:20])))
    if isinstance(gaps, list) and gaps:
        parts.append(tag("ul", *(tag("li", _gap(each)) for each in gaps if isinstance(each, dict))))
    return join(parts)


def _gap(said: Data) -> Html:
    """What the proof does not cover, with the names in a fold."""
    names = said.get("names")
    line = f"{said.get('count')} {said.get('kind')}: {said.get('why')}"
    if not isinstance(names, list) or not names:
        return text(line)
    return tag("details", tag("summary", line), tag("ul", *(tag("li", tag("code", str(each))) for each in names)))


def _counts(value: JsonValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def said(timeline: Timeline) -> Html:
    """Each agent's statements, and how many stood or fell."""
    counts, stood, once = Counter[tuple[str, str]](), Counter[str](), Counter[str]()
    for case in timeline.cases:
        for side in case.sides:
            for item in side.items:
                counts[item.by, item.__contract__] += 1
                stood[item.by] += side.stands
                once[item.by] += case.contested
    lineages: dict[str, set[str]] = {}
    for source in witnesses(side for case in timeline.cases for side in case.sides):
        for agent in source.agents:
            lineages.setdefault(agent, set()).add(source.lineage)
    rows = [
        (agent, ", ".join(sorted(lineages[agent])),
         counts[agent, "hustings.Proposal.v1"], counts[agent, "hustings.Claim.v1"],
         once[agent], stood[agent], _total(counts, agent) - stood[agent])
        for agent in sorted(lineages)
    ]  # fmt: skip
    heads = ("agent", "lineage", "proposals", "claims", "contested", "stand", "fall")
    return table(heads, rows, numbers=range(2, 7)) if rows else text("")


def _total(counts: Counter[tuple[str, str]], agent: str) -> int:
    return counts[agent, "hustings.Proposal.v1"] + counts[agent, "hustings.Claim.v1"]
