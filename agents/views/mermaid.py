"""Mermaid: the messages of a run as the text of a sequence diagram that GitHub draws. Pure."""

import re
from collections import Counter
from collections.abc import Iterator

from ..history.timeline import Bar, Mark, Timeline
from ..observe.sanitize import inert
from .verdicts import marked

FEW = 3  # so many tasks of a step for one agent are drawn one by one
WIDTH = 80  # characters of a message
_PLAIN = re.compile(r"[^A-Za-z0-9 _.,()/+-]")
_KEYWORD = re.compile(r"\b(?=end\b)", re.IGNORECASE)  # a bare `end` would close a block
Line = tuple[float, str]


def sequence(timeline: Timeline) -> str:
    """The run as a `sequenceDiagram`: the goal, each task and its answer, the barriers, the end.

    Tasks of one skill for one agent become one arrow where there are many. What agents said is cut to a line and
    written so that it is only text in the diagram. The same log gives the same text.
    """
    goal = timeline.state.goal
    names = ["coordinator", *timeline.lanes]
    asks = [f"  client->>p0: {_text(goal.type)}"] if goal else []
    lines = sorted([*_tasks(timeline, names), *_marks(timeline)], key=lambda line: line[0])
    end = timeline.report
    return "\n".join(
        [
            "sequenceDiagram",
            "  participant client",
            *(f"  participant p{n} as {_text(name)}" for n, name in enumerate(names)),
            *asks,
            *(line for _, line in lines),
            f"  p0-->>client: {_text(f'{end.status}, {end.because}')}",
            "",
        ]
    )


def _tasks(timeline: Timeline, names: list[str]) -> Iterator[Line]:
    groups: dict[tuple[str, str, bool], list[Bar]] = {}
    for bar in timeline.bars:
        groups.setdefault((bar.lane, bar.skill, bar.inquiry), []).append(bar)
    for (lane, skill, inquiry), bars in groups.items():
        who = f"p{names.index(lane)}"
        word = f"inquiry {skill}" if inquiry else skill
        if len(bars) > FEW:
            failed = Counter(bar.status for bar in bars)["failed"]
            yield bars[0].asked, f"  p0->>{who}: {_text(f'{word}, {len(bars)} tasks')}"
            some = f", {failed} failed" if failed else ""
            yield max(bar.end for bar in bars), f"  {who}-->>p0: {_text(f'answers to {word}{some}')}"
        else:
            for bar in bars:
                yield from _attempt(bar, who, word)


def _attempt(bar: Bar, who: str, word: str) -> Iterator[Line]:
    again = f", attempt {bar.attempt}" if bar.attempt > 1 else ""
    yield bar.asked, f"  p0->>{who}: {_text(word + again)}"
    if bar.status == "done":
        yield bar.end, f"  {who}-->>p0: {_text(f'{word} answered in {bar.end - bar.start:.1f} s')}"
    elif bar.status == "failed":
        yield bar.end, f"  {who}--xp0: {_text(f'{word} failed, {bar.because}')}"


def _marks(timeline: Timeline) -> Iterator[Line]:
    for mark in timeline.marks:
        if mark.kind != "concluded":
            yield mark.at, f"  Note over p0: {_text(_noted(mark))}"


def _noted(mark: Mark) -> str:
    return f"{marked(mark)}, {mark.barrier}" if mark.barrier else marked(mark)


def _text(said: str) -> str:
    """One line in which every character that could mean something is an entity (mermaid.js.org, "Entity codes")."""
    line = " ".join(inert(said).split())
    short = line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"
    escaped = _PLAIN.sub(lambda found: f"#{ord(found[0])};", short) or "-"
    return _KEYWORD.sub("#8203;", escaped)
