"""Page: a run as one HTML file that needs nothing else: no network, no script; what agents said is only text in it."""

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from itertools import groupby

from pydantic import JsonValue

from moot.protocols import Data, Plan

from .cases import Case, brief, people, witnesses
from .cli.words import by_rule, describe, span
from .dag import GOAL, OUTCOME, dag
from .diffs import Sign, files_of, lines_of
from .exhibits import exhibit, pre
from .lanes import lanes
from .markup import Html, join, tag, text, trusted
from .sheet import STYLE
from .story import Story

OPEN = 3  # conflicts that are open when the page is
FULL = 400  # conflicts that are shown as `explain` does; the others in a line each
ROWS = 1000  # of the log
NODES = 120  # of a plan that is drawn
STATUS = {"decided": ("go", "✓"), "partial": ("wait", "!"), "undecided": ("wait", "?"), "running": ("", "…")}

Row = Sequence[object]


def page(story: Story) -> str:
    """The report of a run, a whole HTML document. The same log gives the same text."""
    sections = [
        _section("what", "Who said what", _said(story)),
        _section("lanes", "Who did what when", _lanes(story)),
        *_conflicts(story),
        _section("uncontested", "Uncontested", _uncontested(story)),
        _section("plan", "Plan", _plan(story)),
        *_patches(story),
        _section("log", "Log", _log(story)),
    ]
    present = [(name, title, body) for name, title, body in sections if body]
    links = tag("nav", *(tag("a", title, href=f"#{name}") for name, title, _ in present))
    main = [tag("section", tag("h2", title), body, id=name) for name, title, body in present]
    body = tag("body", _head(story, links), tag("main", *main), _foot(story))
    return f"<!doctype html>\n{tag('html', _meta(story), body, lang='en')}\n"


def _section(name: str, title: str, body: Html) -> tuple[str, str, Html]:
    return name, title, body


def _meta(story: Story) -> Html:
    digest = b64encode(sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", f"{story.report.run}, {story.report.team}: {story.report.status}"),
        tag("style", trusted(STYLE)),
    )


# the summary


def _head(story: Story, links: Html) -> Html:
    came = story.report
    kind, sign = STATUS.get(came.status, ("stop", "✗"))
    asked = datetime.fromtimestamp(story.state.asked_at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return tag(
        "header",
        tag("h1", f"{came.team} ", tag("span", came.run, class_="dim")),
        tag("p", tag("span", f"{sign} {came.status}", class_=f"pill {kind}"), " ", came.because),
        _tiles(story),
        _facts(story, asked),
        links,
    )


def _tiles(story: Story) -> Html:
    rejected = sum(case.rejected for case in story.cases)
    undecided = sum(case.undecided for case in story.cases)
    tiles: list[tuple[str, object]] = [
        ("time", span(story.seconds)),
        ("matters", f"{len(story.cases):,}"),
        ("of them conflicts", f"{len(story.conflicts):,}"),
        ("rejected by proof", f"{rejected:,}"),
        ("undecided", f"{undecided:,}"),
        ("tasks", f"{len(story.bars):,}"),
    ]
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in tiles), class_="tiles")


def _facts(story: Story, asked: str) -> Html:
    goal, facts = story.state.goal, list[tuple[str, object]]()
    if goal:
        facts.append(("goal", join([text(f"{goal.type}, asked by {goal.by}, {asked}"), _goal(goal.goal)])))
    if story.report.verdicts:
        facts.append(("settled", by_rule(story.report.verdicts)))
    facts += [(name, _proof(said)) for name, said in story.report.outcome.items() if _proves(said)]
    if story.state.missing:
        rows = [tag("li", tag("b", who), f" {why}") for who, why in sorted(story.state.missing.items())]
        facts.append(("missing", tag("ul", *rows)))
    return tag("dl", *(part for name, said in facts for part in (tag("dt", name), tag("dd", said))), class_="facts")


def _goal(goal: Data) -> Html:
    return tag("div", tag("code", _short(json.dumps(goal, ensure_ascii=False), 400)))


def _proves(said: JsonValue) -> bool:
    return isinstance(said, dict) and isinstance(said.get("holds"), bool)


def _proof(said: JsonValue) -> Html:
    """A proof among the outcome's fields; what it counted before and after, side by side, if it did."""
    proof = said if isinstance(said, dict) else {}
    kind, word = ("go", "✓ holds") if proof["holds"] else ("stop", "✗ does not hold")
    parts = [tag("span", word, class_=f"pill {kind}"), text(f" {proof.get('because') or ''}")]
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
    return join(parts)


def _counts(value: JsonValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _said(story: Story) -> Html:
    """What each agent said and how it fared."""
    said, stood, once = Counter[tuple[str, str]](), Counter[str](), Counter[str]()
    for case in story.cases:
        for side in case.sides:
            for item in side.items:
                said[item.by, item.contract] += 1
                stood[item.by] += side.stands
                once[item.by] += case.contested
    lineages: dict[str, set[str]] = {}
    for source in witnesses(side for case in story.cases for side in case.sides):
        for agent in source.agents:
            lineages.setdefault(agent, set()).add(source.lineage)
    rows = [
        (agent, ", ".join(sorted(lineages[agent])), said[agent, "moot.Proposal.v1"], said[agent, "moot.Claim.v1"],
         once[agent], stood[agent], _total(said, agent) - stood[agent])
        for agent in sorted(lineages)
    ]  # fmt: skip
    heads = ("agent", "lineage", "proposals", "claims", "contested", "stand", "fall")
    return table(heads, rows, numbers=range(2, 7)) if rows else text("")


def _total(said: Counter[tuple[str, str]], agent: str) -> int:
    return said[agent, "moot.Proposal.v1"] + said[agent, "moot.Claim.v1"]


# pictures


def _lanes(story: Story) -> Html:
    if not story.bars:
        return text("")
    key = tag(
        "p",
        tag("span", tag("i"), "a task"),
        tag("span", tag("i", class_="inquiry"), "? an inquiry: a question before a decision"),
        tag("span", tag("i", class_="failed"), "✗ a failed attempt"),
        tag("span", tag("i", class_="open"), "a barrier: waiting for verdicts"),
        tag("span", "◆ a decision of the coordinator"),
        class_="key",
    )
    picture = lanes(story.lanes, story.bars, story.marks, story.seconds)
    return join([key, tag("div", picture, class_="box", tabindex=0)])


def _plan(story: Story) -> Html:
    plan = story.state.plan
    if plan is None:
        return tag("p", "The run was not planned.")
    picture = (
        tag("div", dag(plan, _notes(story, plan)), class_="box", tabindex=0) if len(plan.steps) <= NODES else text("")
    )
    rows: list[Row] = [
        (step.id, name, plan.because.get(f"{step.id}.{name}", "")) for step in plan.steps for name in step.inputs
    ]
    rows += [("outcome", name, plan.because.get(f"outcome.{name}", "")) for name in plan.outcome]
    why = tag(
        "details",
        tag("summary", "Why each parameter is bound so"),
        tag("div", _grid(("step", "parameter", "because"), rows), class_="body"),
    )
    skipped = [tag("p", tag("b", who), f" skipped: {why}") for who, why in plan.skipped.items()]
    return join([picture, *skipped, why])


def _notes(story: Story, plan: Plan) -> dict[str, str]:
    notes = {GOAL: story.state.goal.type if story.state.goal else "", OUTCOME: ", ".join(plan.outcome)}
    for name, barrier in story.state.barriers.items():
        notes[name] = f"{sum(m.contested for m in barrier.matters)} of {len(barrier.matters)} contested"
    seconds: Counter[str] = Counter()
    for task in story.state.tasks.values():
        seconds[task.step] += task.seconds  # type: ignore[assignment]  # a Counter counts floats as well
    for step in plan.steps:
        state = story.state.steps[step.id]
        notes[step.id] = span(seconds[step.id]) if state.status == "done" else state.status
    return notes


# the cases


def _conflicts(story: Story) -> list[tuple[str, str, Html]]:
    """What a proof rejected first, contested or not; then what nobody decided; then the other conflicts."""
    rejected = [case for case in story.cases if case.rejected]
    undecided = [case for case in story.conflicts if case.undecided]
    others = [case for case in story.conflicts if not case.rejected and not case.undecided]
    opened = {case.id for case in [*rejected, *undecided, *others][:OPEN]}
    room = FULL
    found = []
    for name, title, group in (
        ("rejected", "Rejected by proof", rejected),
        ("undecided", "Undecided", undecided),
        ("conflicts", "Conflicts", others),
    ):
        full, rest = group[:room], group[room:]
        room -= len(full)
        parts = [exhibit(case, opened=case.id in opened) for case in full]
        found.append((name, f"{title} ({len(group)})", join(parts + _compact(rest))))
    return found


def _uncontested(story: Story) -> Html:
    rest = [case for case in story.cases if not case.contested and not case.rejected]
    return join(_compact(rest))


def _compact(group: Iterable[Case]) -> list[Html]:
    """Cases by file, each in its lines of one block: so many elements less to open the page with."""
    found = []
    for resource, members in groupby(sorted(group, key=lambda case: (case.resource, case.about)), lambda c: c.resource):
        each = list(members)
        count = f"{len(each)} matter{'s' if len(each) != 1 else ''}"
        head = tag("summary", tag("code", resource, class_="place"), tag("span", count, class_="dim"))
        lines = [line for case in each for line in _few(case)]
        found.append(tag("details", head, tag("div", pre(lines), class_="body")))
    return found


def _few(case: Case) -> list[tuple[Sign, str]]:
    """A case in a few lines: who says what of which line, by which rule, and the change."""
    verdict = "" if case.rule == "unopposed" else f", {case.rule or 'not settled'}"
    who = people(witnesses(case.sides))
    lines: list[tuple[Sign, str]] = [("@", f"{case.id}  {case.place.rpartition(':')[2]}  {who}{verdict}")]
    for side in case.sides:
        first = side.items[0]
        if first.contract == "moot.Claim.v1":
            lines.append((" ", f"        {_line(brief(first))}  {_line(first.because)}"))
        for edit in getattr(first, "edits", ()):
            lines += [(sign, f"{number or '':>5} {sign} {said}") for sign, number, said in lines_of(edit)]
    return lines


def _patches(story: Story) -> list[tuple[str, str, Html]]:
    """Each unified diff among the outcome's fields, file by file."""
    found = []
    for name, diff in _diffs(story.report.outcome):
        files = files_of(diff)
        parts = []
        for file in files:
            count = f"+{file.count('+')} −{file.count('-')}"
            head = tag("summary", tag("code", file.path, class_="place"), tag("span", count, class_="dim"))
            parts.append(tag("details", head, tag("div", pre(file.lines), class_="body")))
        found.append((f"patch-{name}", f"Patch ({len(files)} files)", join(parts)))
    return found


def _diffs(outcome: Data) -> list[tuple[str, str]]:
    fields = [("outcome", outcome), *((name, said) for name, said in outcome.items() if isinstance(said, dict))]
    pairs = [(name, said.get("diff")) for name, said in fields]
    return [(name, diff) for name, diff in pairs if isinstance(diff, str) and "--- a/" in diff]


# the log


def _log(story: Story) -> Html:
    rows = [
        (entry.seq, f"{entry.time - story.state.asked_at:.3f}", entry.subject.author, _short(describe(entry), 300))
        for entry in story.log[:ROWS]
    ]
    more = (
        [tag("p", f"… {len(story.log) - ROWS} more entries: moot replay {story.report.run}")]
        if story.log[ROWS:]
        else []
    )
    head = tag("summary", f"{len(story.log):,} entries")
    return tag(
        "details",
        head,
        tag("div", _grid(("seq", "seconds", "author", "says"), rows, numbers=range(2)), *more, class_="body"),
    )


def _foot(story: Story) -> Html:
    came = story.report
    return tag(
        "footer",
        tag("div", "state hash ", tag("code", came.state_hash)),
        tag(
            "div",
            "replay ",
            tag("code", f"moot replay {came.run}"),
            ", one case ",
            tag("code", f"moot explain C-1 {came.run}"),
        ),
    )


# tables


def table(heads: Sequence[str], rows: Sequence[Row], *, numbers: Iterable[int] = ()) -> Html:
    """A table in a box of its own; the columns `numbers` are set right."""
    return tag("div", _grid(heads, rows, numbers=numbers), class_="box", tabindex=0)


def _grid(heads: Sequence[str], rows: Iterable[Row], *, numbers: Iterable[int] = ()) -> Html:
    right = set(numbers)
    kinds = ["n" if n in right else "tight" if n == 0 else None for n in range(len(heads))]
    top = tag("tr", *(tag("th", head, class_=kind) for head, kind in zip(heads, kinds, strict=True)))
    body = [tag("tr", *(tag("td", cell, class_=kind) for cell, kind in zip(row, kinds, strict=True))) for row in rows]
    return tag("table", tag("thead", top), tag("tbody", *body))


def _line(said: str) -> str:
    return " ".join(said.split())


def _short(said: str, room: int) -> str:
    return said if len(said) <= room else said[: room - 1] + "…"
