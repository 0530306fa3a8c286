"""Gantt chart: who did what when, as SVG. A lane is an agent, a bar an attempt of a task, a diamond a decision."""

from collections.abc import Sequence

from ...history.timeline import Bar, Mark
from ..retries import soon
from ..text import some
from ..verdicts import marked
from .tags import Html, number, tag

WIDTH, GUTTER, RIGHT = 1080, 138, 20
TOP, ROW, GAP, BAR = 34, 20, 10, 14
ROWS = 3  # rows of one lane, for tasks at the same time
LETTER = 6.4  # the usual width of a character in the labels
TINY = 1.5  # bars narrower than this are drawn together with their neighbours
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400)
_SIGNS = {"planned": "plan", "opened": "opened", "settled": "settled", "concluded": "end"}


def lanes(names: Sequence[str], bars: Sequence[Bar], marks: Sequence[Mark], seconds: float) -> Html:
    """The picture of a run of so many seconds; `names` gives the lanes from top to bottom, below the coordinator's.

    Its colours come from the classes of the page around it. The same input gives the same picture.
    """
    span = max(seconds, 0.001)
    rows = {name: _stacked([bar for bar in bars if bar.lane == name], span) for name in names}
    tops: dict[str, float] = {}
    y: float = TOP + ROW + GAP
    for name in names:
        tops[name] = y
        y += max(len(rows[name]), 1) * ROW + GAP
    parts = [
        *_grid(span, y),
        *_settling(marks, span, y),
        _coordinator(marks, span, y),
        *(_lane(name, tops[name], rows[name], span) for name in names),
    ]
    label = f"Swim lanes of {some(len(names), 'agent')} over {_moment(span)}"
    return tag(
        "svg", *parts, xmlns="http://www.w3.org/2000/svg", class_="lanes", role="img", aria_label=label,
        viewBox=f"0 0 {WIDTH} {number(y + 4)}",
    )  # fmt: skip


def _x(moment: float, span: float) -> float:
    return GUTTER + min(max(moment, 0.0), span) / span * (WIDTH - GUTTER - RIGHT)


def _moment(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:g} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:g} min" if seconds < 7200 else f"{seconds / 3600:g} h"


def _grid(span: float, bottom: float) -> list[Html]:
    """Vertical lines at round times, at most ten of them."""
    step = next((step for step in _STEPS if span / step <= 10), _STEPS[-1] * 10 ** len(str(int(span))))
    found = []
    for n in range(int(span / step) + 1):
        x = number(_x(n * step, span))
        found.append(tag("line", x1=x, x2=x, y1=TOP - 8, y2=number(bottom), class_="grid"))
        found.append(tag("text", _moment(round(n * step, 3)), x=x, y=TOP - 14, class_="tick"))
    return found


def _settling(marks: Sequence[Mark], span: float, bottom: float) -> list[Html]:
    """The periods in which a barrier was open, behind all lanes."""
    found = []
    for mark in marks:
        if mark.kind == "opened":
            end = next((m.at for m in marks if m.kind == "settled" and m.barrier == mark.barrier), span)
            x = _x(mark.at, span)
            title = tag("title", f"{mark.barrier} is settled here: {marked(mark)}")
            width = number(max(_x(end, span) - x, 1))
            found.append(
                tag("rect", title, x=number(x), y=TOP - 8, width=width, height=number(bottom - TOP + 8), class_="open")
            )
    return found


def _coordinator(marks: Sequence[Mark], span: float, bottom: float) -> Html:
    middle = TOP + ROW / 2
    parts = [_name("coordinator", TOP)]
    free = 0.0
    for n, mark in enumerate(marks):
        x = _x(mark.at, span)
        shape = f"M{number(x)} {number(middle - 6)}l6 6-6 6-6-6z"
        title = tag("title", f"{_clock(mark.at)} {mark.barrier} {marked(mark)}")
        parts.append(tag("path", title, d=shape, class_=f"mark {mark.kind}"))
        following = min((_x(m.at, span) for m in marks[n + 1 :]), default=WIDTH + 60.0)
        word = _word(mark)
        if x + 10 >= free and x + 10 + len(word) * LETTER < min(following - 6, WIDTH):
            parts.append(tag("text", word, x=number(x + 10), y=number(middle + 4), class_="said"))
            free = x + 10 + len(word) * LETTER
    return tag("g", *parts)


def _word(mark: Mark) -> str:
    if mark.kind == "opened":
        return f"{some(mark.conflicts, 'conflict')} in {some(mark.matters, 'matter')}"
    return _SIGNS[mark.kind]


def _lane(name: str, top: float, rows: Sequence[Sequence[list[Bar]]], span: float) -> Html:
    parts = [tag("line", x1=0, x2=WIDTH, y1=number(top - GAP / 2), y2=number(top - GAP / 2), class_="rule")]
    parts.append(_name(name, top))
    for n, row in enumerate(rows):
        for place, group in enumerate(row):
            room = _x(row[place + 1][0].asked, span) if place + 1 < len(row) else float(WIDTH)
            parts += _drawn(group, top + n * ROW + (ROW - BAR) / 2, room, span)
    return tag("g", *parts)


def _name(name: str, top: float) -> Html:
    short = name if len(name) <= 18 else name[:17] + "…"
    return tag("text", tag("title", name), short, x=GUTTER - 12, y=number(top + ROW / 2 + 4), class_="lane")


def _drawn(group: list[Bar], y: float, room: float, span: float) -> list[Html]:
    """A bar, or several that are too narrow to be shown apart: waiting as a line, working as a box, then a word."""
    first, last = group[0], group[-1]
    asked, start, end = _x(first.asked, span), _x(first.start, span), _x(max(bar.end for bar in group), span)
    width = max(end - start, 2.0)
    kind = " ".join(["bar", _status(group), *(["inquiry"] if first.inquiry else [])])
    found = []
    if start - asked > TINY:
        middle = number(y + BAR / 2)
        found.append(tag("line", x1=number(asked), x2=number(start), y1=middle, y2=middle, class_="wait"))
    found.append(
        tag("rect", tag("title", _title(group)), x=number(start), y=number(y), width=number(width), height=BAR, rx=2.5,
            class_=kind)
    )  # fmt: skip
    word = _label(group)
    inside = len(word) * LETTER + 10
    if inside < width:
        found.append(tag("text", word, x=number(start + 5), y=number(y + 10.5), class_=f"in {_status(group)}"))
    elif start + width + inside < min(room, WIDTH) and last is first:
        found.append(tag("text", word, x=number(start + width + 5), y=number(y + 10.5), class_="said"))
    return found


def _status(group: list[Bar]) -> str:
    return next((status for status in ("failed", "open") if any(bar.status == status for bar in group)), "done")


def _label(group: list[Bar]) -> str:
    if len(group) > 1:
        return f"{len(group)} tasks"
    bar = group[0]
    sign = {"failed": "✗ ", "open": "… ", "done": ""}[bar.status]
    return f"{sign}{bar.skill}{'?' if bar.inquiry else ''}"[:40]


def _title(group: list[Bar]) -> str:
    if len(group) > 1:
        failed = sum(bar.status == "failed" for bar in group)
        how = f", {some(failed, 'attempt')} failed" if failed else ""
        return f"{len(group)} tasks from {_clock(group[0].asked)} to {_clock(max(bar.end for bar in group))}{how}"
    bar = group[0]
    again = f", attempt {bar.attempt}" if bar.attempt > 1 else ""
    worked = f"{_clock(bar.start)} to {_clock(bar.end)}"
    then = f"; {soon(bar.again)}" if bar.again else ""
    how = {"done": "done", "failed": f"failed: {bar.because}{then}", "open": "never answered"}[bar.status]
    return f"{bar.task} ({bar.skill}{again}) {worked}: {how}"


def _clock(seconds: float) -> str:
    return f"{seconds:.2f} s"


def _stacked(bars: Sequence[Bar], span: float) -> list[list[list[Bar]]]:
    """The bars in rows, without overlaps while there are rows; narrow bars are joined."""
    ends: list[float] = []
    rows: list[list[list[Bar]]] = []
    for bar in sorted(bars, key=lambda bar: (bar.start, bar.end, bar.task)):
        free = next((n for n, end in enumerate(ends) if end <= bar.start), None)
        if free is None and len(ends) < ROWS:
            free = len(ends)
            ends.append(0.0)
            rows.append([])
        row = free if free is not None else ends.index(min(ends))
        ends[row] = max(ends[row], bar.end)
        if rows[row] and (free is None or _one(rows[row][-1], bar, span)):
            rows[row][-1].append(bar)
        else:
            rows[row].append([bar])
    return rows


def _one(group: list[Bar], bar: Bar, span: float) -> bool:
    """True if the bar is too close to the group to be seen as another bar."""
    narrow = _x(bar.end, span) - _x(bar.start, span) < TINY * 2
    return narrow and not bar.inquiry and _x(bar.start, span) - _x(group[-1].end, span) < TINY
