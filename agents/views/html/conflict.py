"""Conflict: one matter as HTML: each side as a diff or a value, the verdict, and the proof."""

import json
from collections.abc import Sequence

from hustings.protocols import Claim, Evidence, Proposal

from ...history.conflicts import Case, Proving, Side, counted_once, gathered, people, versus
from ..unified_diff import Sign, lines_of, runs
from ..verdicts import what_stands
from .highlight import coloured
from .tags import (
    Html,
    join,
    tag,
    text,
)

CLASSES: dict[Sign, str] = {"-": "minus", "+": "plus", " ": "same", "@": "hunk"}
ITEMS = 12  # items of one side shown one by one
EVIDENCE = 12  # pieces shown of one item


def exhibit(case: Case, *, opened: bool = False) -> Html:
    """A conflict that can be unfolded."""
    head = tag(
        "summary",
        tag("span", case.matter, class_="id"),
        tag("code", case.place, class_="place"),
        tag("span", f"{case.kind}: {versus(case)}", class_="dim"),
        tag("span", _verdict_pill(case), class_="end"),
    )
    sides = tag("div", *(_side(side) for side in case.sides), class_="sides")
    body = tag("div", sides, _ruling(case), class_="body")
    return tag("details", head, body, id=case.matter, open=opened)


def pre(lines: Sequence[tuple[Sign, str]], *, code: bool = False) -> Html:
    """Lines of a diff, coloured if added or removed; the text includes the signs. `code`: its words have colours."""
    parts = (tag("span", join([*map(text, said)], "\n"), class_=CLASSES[sign]) for sign, said in runs(lines))
    return tag("pre", *parts, class_="code" if code else None)


def mini(item: Proposal, *, paths: bool = True) -> Html:
    """The edits of a proposal as small diffs, with the old line numbers at the left."""
    lines: list[tuple[Sign, str]] = []
    for edit in item.edits:
        if paths:
            lines.append(("@", f"{edit.resource}:{edit.start + 1}"))
        found = lines_of(edit)
        colours = coloured(edit.resource, [(sign, said) for sign, _, said in found])
        heads = [text(f"{number or '':>5} {sign} ") for sign, number, _ in found]
        lines += [(line.sign, join([*both])) for line, *both in zip(found, heads, colours, strict=True)]
    return pre(lines, code=True)


def _verdict_pill(case: Case) -> Html:
    if case.verdict is None:
        return tag("span", "… not settled", class_="pill")
    if not case.verdict.decided:
        return tag("span", "? left open", class_="pill wait")
    if case.rejected:
        return tag("span", "✗ rejected by proof", class_="pill stop")
    return tag("span", f"✓ {case.rule}", class_="pill go")


def _side(side: Side) -> Html:
    status = tag("span", "✓ stands", class_="pill go") if side.stands else tag("span", "✗ falls", class_="pill")
    count = len(side.sources)
    witnesses = f"{count} independent witness{'es' if count != 1 else ''}: {people(side.sources)}"
    shown = [_item(item) for item in _distinct(side)[:ITEMS]]
    first = side.items[0]
    keeps = [tag("span", "keep the current lines", class_="dim")] if isinstance(first, Proposal) and first.keeps else []
    what = _value(first) if isinstance(first, Claim) else mini(first)
    return tag(
        "div",
        tag("h4", tag("span", side.letter), status, *keeps),
        tag("div", witnesses, class_="dim"),
        what,
        *shown,
        class_="side stands" if side.stands else "side",
    )


def _distinct(side: Side) -> list[Claim | Proposal]:
    return list({(item.by, item.because, item.confidence, item.evidence): item for item in side.items}.values())


def _value(claim: Claim) -> Html:
    value = claim.value if isinstance(claim.value, str) else json.dumps(claim.value, ensure_ascii=False)
    return tag("div", value[:2000], class_="value")


def _item(item: Claim | Proposal) -> Html:
    lineage = f", of {item.lineage}" if item.lineage and item.lineage != item.by else ""
    who = tag("p", tag("b", item.by), tag("span", f"{lineage}, confidence {item.confidence:g}", class_="dim"))
    because = [tag("p", item.because[:4000])] if item.because else []
    return tag("div", who, *because, *evidence(item.evidence), class_="item")


def evidence(found: Sequence[Evidence]) -> list[Html]:
    """Evidence as a list; equal evidence is one line with all its sources; nothing if there is none."""
    groups = gathered(found)
    rows = [tag("li", _evidence(*group)) for group in groups[:EVIDENCE]]
    if len(groups) > EVIDENCE:
        rows.append(tag("li", f"… {len(groups) - EVIDENCE} more", class_="dim"))
    return [tag("ul", *rows)] if rows else []


def _evidence(kind: str, says: str, sources: Sequence[str]) -> Html:
    some = ", ".join(sources[:EVIDENCE]) + (f" and {len(sources) - EVIDENCE} more" if len(sources) > EVIDENCE else "")
    place = join([text(" "), tag("code", some)]) if some else text("")
    return join([tag("span", f"{kind}: ", class_="dim"), text(says[:2000]), place])


def _ruling(case: Case) -> Html:
    verdict = case.verdict
    if verdict is None:
        return tag("p", "Not settled yet.")
    facts: list[tuple[str, object]] = [("verdict", tag("b", what_stands(case))), ("rule", verdict.rule)]
    facts.append(("because", verdict.because))
    shared = counted_once(case)
    if shared:
        facts.append(("counted as one", people(shared)))
    if verdict.weights:
        facts.append(("weights", _weights(verdict.weights, verdict.margin)))
    if verdict.evidence:
        facts.append(("evidence used", join(evidence(verdict.evidence))))
    if verdict.dissent:
        said = [f"{each.by}: {each.says[:1000]}" for each in verdict.dissent]
        facts.append(("dissent", tag("ul", *(tag("li", line) for line in dict.fromkeys(said)))))
    if verdict.flips:
        facts.append(("would flip", verdict.flips))
    if case.proving and case.rejected:
        facts.append(("proof", _proving(case.proving)))
    return tag("dl", *(part for name, said in facts for part in (tag("dt", name), tag("dd", said))), class_="facts")


def _weights(weights: dict[str, float], margin: float) -> Html:
    ranked = sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))
    rows = [tag("li", tag("b", f"{weight:g}"), f"  {word}") for word, weight in ranked]
    return join([tag("ul", *rows), tag("span", f"margin {margin:g}", class_="dim")])


def _proving(proving: Proving) -> Html:
    rows = [tag("li", tag("code", item), f" {why}") for item, why in proving.rejects.items()]
    runs = f" {json.dumps(proving.proof, ensure_ascii=False)[:600]}" if proving.proof else ""
    asked = f"{proving.agent} was asked ({proving.task}) and took {proving.seconds:.1f} s: {proving.because}."
    return join([text(asked), tag("ul", *rows) if rows else text(""), tag("code", runs) if runs else text("")])
