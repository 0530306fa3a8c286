"""Page: a run as one HTML file, without network and scripts; agents' words are escaped text in it."""

from base64 import b64encode
from collections import defaultdict
from collections.abc import Iterable
from hashlib import sha256
from itertools import groupby

from hustings.protocols import OUTCOME, Data, Failure, Plan

from ...history.conflicts import (
    Case,
    brief,
    people,
    witnesses,
)
from ...history.model_calls import model_calls
from ...history.run_report import NextAttempt
from ...history.timeline import Timeline
from ..retries import soon
from ..text import describe, some, span
from ..unified_diff import FilePatch, Sign, files_of, lines_of
from .calls import transcripts
from .conflict import exhibit, pre
from .gantt import lanes
from .highlight import coloured
from .plan_graph import GOAL, dag
from .style import STYLE
from .summary import head, outcome, said
from .tags import (
    Html,
    Row,
    cut,
    grid,
    join,
    tag,
    text,
    trusted,
)

OPEN = 3  # conflicts unfolded when the page opens
FULL = 400  # conflicts shown in full, as `explain` does; the others in a line each
ROWS = 1000  # shown of the log
NODES = 120  # of a plan; a larger one is not drawn


def page(timeline: Timeline) -> str:
    """The report of a run, a whole HTML document. The same log gives the same text."""
    sections = [
        _section("outcome", "Outcome", outcome(timeline)),
        _section("what", "Who said what", said(timeline)),
        _section("lanes", "Who did what when", _lanes(timeline)),
        _section("failed", "Failed attempts", _failed(timeline)),
        *_conflicts(timeline),
        _section("uncontested", "Uncontested", _uncontested(timeline)),
        _section("plan", "Plan", _plan(timeline)),
        *_patches(timeline),
        _section("models", "What the models were asked", _calls(timeline)),
        _section("log", "Log", _log(timeline)),
    ]
    present = [(name, title, body) for name, title, body in sections if body]
    links = tag("nav", *(tag("a", title, href=f"#{name}") for name, title, _ in present))
    main = [tag("section", tag("h2", title), body, id=name) for name, title, body in present]
    body = tag("body", head(timeline, links), tag("main", *main), _foot(timeline))
    return f"<!doctype html>\n{tag('html', _meta(timeline), body, lang='en')}\n"


def _section(name: str, title: str, body: Html) -> tuple[str, str, Html]:
    return name, title, body


def _meta(timeline: Timeline) -> Html:
    digest = b64encode(sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", f"{timeline.report.run}, {timeline.report.team}: {timeline.report.status}"),
        tag("style", trusted(STYLE)),
    )


# pictures


def _lanes(timeline: Timeline) -> Html:
    if not timeline.bars:
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
    picture = lanes(timeline.lanes, timeline.bars, timeline.marks, timeline.seconds)
    return join([key, tag("div", picture, class_="box", tabindex=0)])


def _failed(timeline: Timeline) -> Html:
    """Each exception on a line, with the attempt that was to follow and a traceback; only the first one is unfolded."""
    again = {(bar.task, bar.attempt): bar.again for bar in timeline.bars if bar.again}
    failures = [event for entry in timeline.log if isinstance(event := entry.event, Failure)][:ROWS]
    return join(
        [_traceback(each, again.get((each.task, each.attempt)), opened=not n) for n, each in enumerate(failures)]
    )


def _traceback(failure: Failure, again: NextAttempt | None, *, opened: bool) -> Html:
    then = f"; {soon(again)}" if again else ""
    top = tag(
        "summary",
        tag("span", f"{failure.task}, attempt {failure.attempt}{then}"),
        tag("code", failure.at, class_="place"),
        tag("span", cut(failure.because, 300), class_="dim"),
    )
    return tag("details", top, tag("div", tag("pre", failure.traceback or failure.because), class_="body"), open=opened)


def _plan(timeline: Timeline) -> Html:
    plan = timeline.state.plan
    if plan is None:
        return tag("p", "The run was not planned.")
    drawn = len(plan.steps) <= NODES
    picture = tag("div", dag(plan, _notes(timeline, plan)), class_="box", tabindex=0) if drawn else text("")
    rows: list[Row] = [
        (step.id, name, plan.because.get(f"{step.id}.{name}", "")) for step in plan.steps for name in step.inputs
    ]
    rows += [("outcome", name, plan.because.get(f"outcome.{name}", "")) for name in plan.outcome]
    bound = tag("div", grid(("step", "parameter", "because"), rows), class_="body scroll")
    asked = [tag("p", tag("b", who), f" asked by the arbiter {arbiter}") for who, arbiter in plan.asked.items()]
    skipped = [tag("p", tag("b", who), f" skipped: {why}") for who, why in plan.skipped.items()]
    return join([picture, *asked, *skipped, tag("details", tag("summary", "Why each parameter is bound so"), bound)])


def _notes(timeline: Timeline, plan: Plan) -> dict[str, str]:
    notes = {GOAL: timeline.state.goal.type if timeline.state.goal else "", OUTCOME: ", ".join(plan.outcome)}
    for name, barrier in timeline.state.barriers.items():
        notes[name] = f"{sum(m.contested for m in barrier.matters)} of {len(barrier.matters)} contested"
    seconds: dict[str, float] = defaultdict(float)
    for task in timeline.state.tasks.values():
        seconds[task.step] += task.seconds
    for step in plan.steps:
        state = timeline.state.steps[step.id]
        notes[step.id] = span(seconds[step.id]) if state.status == "done" else state.status
    return notes


# the cases


def _conflicts(timeline: Timeline) -> list[tuple[str, str, Html]]:
    """First the conflicts with something rejected by a proof, then the undecided ones, then the others."""
    rejected = [case for case in timeline.cases if case.rejected]
    undecided = [case for case in timeline.conflicts if case.undecided]
    others = [case for case in timeline.conflicts if not case.rejected and not case.undecided]
    opened = {case.matter for case in [*rejected, *undecided, *others][:OPEN]}
    room = FULL
    found = []
    for name, title, group in (
        ("rejected", "Rejected by proof", rejected),
        ("undecided", "Left open", undecided),
        ("conflicts", "Other conflicts" if rejected or undecided else "Conflicts", others),
    ):
        full, rest = group[:room], group[room:]
        room -= len(full)
        parts = [exhibit(case, opened=case.matter in opened) for case in full]
        found.append((name, f"{title} ({len(group)})", join(parts + _compact(rest))))
    return found


def _uncontested(timeline: Timeline) -> Html:
    rest = [case for case in timeline.cases if not case.contested and not case.rejected]
    return join(_compact(rest))


def _compact(group: Iterable[Case]) -> list[Html]:
    """Conflicts by file, each as a few lines of one block: with fewer elements the page opens faster."""
    found = []
    for resource, members in groupby(sorted(group, key=lambda case: (case.resource, case.about)), lambda c: c.resource):
        each = list(members)
        count = some(len(each), "matter")
        top = tag("summary", tag("code", resource, class_="place"), tag("span", count, class_="dim"))
        lines = [line for case in each for line in _few(case)]
        found.append(tag("details", top, tag("div", pre(lines), class_="body")))
    return found


def _few(case: Case) -> list[tuple[Sign, str]]:
    """A conflict in a few lines: each side with its agents, the rule, and the change."""
    verdict = "" if case.rule == "unopposed" else f", {case.rule or 'not settled'}"
    who = people(witnesses(case.sides))
    lines: list[tuple[Sign, str]] = [("@", f"{case.matter}  {case.place.rpartition(':')[2]}  {who}{verdict}")]
    for side in case.sides:
        first = side.items[0]
        if len(case.sides) > 1:
            lines.append(("@", f"        {', '.join(side.agents)}"))
        if first.__contract__ == "hustings.Claim.v1":
            lines.append((" ", f"        {_line(brief(first))}  {_line(first.because)}"))
        for edit in getattr(first, "edits", ()):
            lines += [(sign, f"{number or '':>5} {sign} {line}") for sign, number, line in lines_of(edit)]
    return lines


def _patches(timeline: Timeline) -> list[tuple[str, str, Html]]:
    """Each unified diff among the outcome's fields, file by file."""
    found = []
    for name, diff in _diffs(timeline.report.outcome):
        files = files_of(diff)
        parts = []
        for file in files:
            count = f"+{file.count('+')} −{file.count('-')}"
            top = tag("summary", tag("code", file.path, class_="place"), tag("span", count, class_="dim"))
            parts.append(tag("details", top, tag("div", _patch(file), class_="body")))
        found.append((f"patch-{name}", f"Patch ({some(len(files), 'file')})", join(parts)))
    return found


def _patch(file: FilePatch) -> Html:
    bare = [(sign, said if sign == "@" else said[1:]) for sign, said in file.lines]
    colours = coloured(file.path, bare)
    lines = [
        (sign, join([text("" if sign == "@" else sign), said])) for (sign, _), said in zip(bare, colours, strict=True)
    ]
    return pre(lines, code=True)


def _diffs(outcome: Data) -> list[tuple[str, str]]:
    fields = [("outcome", outcome), *((name, came) for name, came in outcome.items() if isinstance(came, dict))]
    pairs = [(name, came.get("diff")) for name, came in fields]
    return [(name, diff) for name, diff in pairs if isinstance(diff, str) and "--- a/" in diff]


def _calls(timeline: Timeline) -> Html:
    return transcripts(model_calls(timeline.log), timeline.report.run)


# the log


def _log(timeline: Timeline) -> Html:
    rows = [
        (entry.seq, f"{entry.time - timeline.state.asked_at:.3f}", entry.subject.author, cut(describe(entry), 300))
        for entry in timeline.log[:ROWS]
    ]
    more = len(timeline.log) - ROWS
    rest = [tag("p", f"… {more:,} more entries: hustings replay {timeline.report.run}")] if more > 0 else []
    shown = grid(("seq", "seconds", "author", "says"), rows, numbers=range(2))
    return tag(
        "details", tag("summary", f"{len(timeline.log):,} entries"), tag("div", shown, *rest, class_="body scroll")
    )


def _foot(timeline: Timeline) -> Html:
    came = timeline.report
    replay = tag("code", f"hustings replay {came.run}")
    one = [", one conflict with ", tag("code", f"hustings explain C-1 {came.run}")] if timeline.conflicts else []
    return tag(
        "footer",
        tag("div", "state hash ", tag("code", came.state_hash)),
        tag("div", "step through it with ", replay, *one),
    )


def _line(words: str) -> str:
    return " ".join(words.split())
