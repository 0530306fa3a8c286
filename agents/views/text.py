"""Text: one line for people about each thing that happened."""

from collections import Counter
from collections.abc import Sequence
from time import localtime, strftime
from typing import get_args

from pydantic import JsonValue

from hustings.protocols import (
    COORDINATOR,
    Answered,
    Asked,
    Assigned,
    AttemptAbandoned,
    Called,
    Cancelled,
    Completion,
    Concluded,
    DeadLetter,
    Decision,
    Discarded,
    Entry,
    Event,
    Failure,
    GoalAsked,
    Opened,
    Planned,
    Result,
    Ruling,
    RunAcquired,
    Settled,
    Spent,
    ToolResult,
    Verdict,
)

from ..decider.state import ASK
from ..observe.sanitize import inert

_DECISIONS: tuple[type, ...] = get_args(Decision)
_COMPLETIONS: tuple[type, ...] = get_args(Completion)
_PLACES: dict[type, str] = {
    GoalAsked: "goal",
    Cancelled: "cancel",
    Discarded: "discard",
    Spent: "spend",
    Asked: "ask",
}
_SPANS = ((86400, "d"), (3600, "h"), (60, "min"))


def describe(entry: Entry) -> str:
    """One entry of a log on one line, without terminal control characters. An entry that was ignored is marked."""
    return plain(_told(entry))


def plain(text: str) -> str:
    """One line, without terminal control characters."""
    return " ".join(inert(text).split())


def clock(moment: float) -> str:
    """The local time of day."""
    return strftime("%H:%M:%S", localtime(moment))


def ago(seconds: float) -> str:
    """How long ago: "3 min ago"."""
    for size, unit in _SPANS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return f"{max(int(seconds), 0)} s ago"


def span(seconds: float) -> str:
    """A duration: "0.41 s", "12 s", "3 min 20 s", "2 h 5 min"."""
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def size(number: float) -> str:
    """A number of bytes: "512 B", "31 kB", "1.2 MB"."""
    unit = "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if number < 1000:
            break
        number, unit = number / 1000, larger
    return f"{number:.1f} {unit}" if unit != "B" and number < 10 else f"{number:.0f} {unit}"


def some(number: int, noun: str) -> str:
    """A number of things: "1 step", "2 steps", "2 processes"."""
    return f"{number} {noun}" if number == 1 else f"{number:,} {noun}{'es' if noun.endswith('s') else 's'}"


def contested(matters: int, conflicts: int) -> str:
    """How many matters there are: "3 matters, 2 of them conflicts"."""
    return f"{some(matters, 'matter')}, {conflicts} of them {'a conflict' if conflicts == 1 else 'conflicts'}"


def by_rule(verdicts: Sequence[Verdict | Ruling]) -> str:
    """How many verdicts each rule gave: "9 by unopposed, 2 by majority, 1 undecided"."""
    rules = Counter(verdict.rule for verdict in verdicts if verdict.decided)
    parts = [f"{number} by {rule}" for rule, number in rules.most_common()]
    undecided = sum(not verdict.decided for verdict in verdicts)
    return ", ".join([*parts, *([f"{undecided} undecided"] if undecided else [])]) or "nothing to settle"


def _told(entry: Entry) -> str:
    event = entry.event
    if event is None:
        return f"unreadable bytes from {entry.subject.author or 'an unknown author'}: {entry.why}"
    if not _in_place(entry, event):
        author = entry.subject.author
        return f"ignored: {author} may not write {event.__contract__}"
    if isinstance(event, GoalAsked | Cancelled | Discarded):
        return _from_client(entry.subject.author, event)
    if isinstance(event, Result | Failure):
        return _completion(event)
    if isinstance(event, Spent):
        return _spent(event)
    if isinstance(event, Called):
        return _called(event)
    if isinstance(event, Asked):
        return f"{event.task} asks for {event.skill}: {event.child}"
    return _decision(event)


def _in_place(entry: Entry, event: Event) -> bool:
    """True if its author may write it. The broker vouches only for the author in the subject."""
    author, kind = entry.subject.author, entry.subject.kind
    if isinstance(event, _DECISIONS):
        return author == COORDINATOR
    if isinstance(event, _COMPLETIONS):
        return kind == "result"
    if isinstance(event, Called):
        return kind in ("model", "tool")
    return kind == _PLACES.get(type(event))


def _from_client(author: str, event: GoalAsked | Cancelled | Discarded) -> str:
    if isinstance(event, Cancelled):
        return f"{author} cancels the run" + (f": {event.because}" if event.because else "")
    if isinstance(event, Discarded):
        return f"{author} discards the dead letter of {event.task}" + (f": {event.because}" if event.because else "")
    what = f"{some(len(event.again), 'task')} of {event.redrives} once more" if event.again else event.type
    return f"{author} asks for {what}" + (
        f", within {span(event.execution_timeout)}" if event.execution_timeout else ""
    )


def _spent(event: Spent) -> str:
    amounts = [f"{abs(amount):g} {kind}" for kind, amount in event.amount if amount]
    back = any(amount < 0 for _, amount in event.amount)
    return f"{event.task} {'returns' if back else 'reserves'} {', '.join(amounts) or 'nothing'}"


def _called(event: Called) -> str:
    what = f"{event.task} calls {event.name}"
    if isinstance(event.answer, ToolResult):
        return what + (": failed" if event.answer.failed else "")
    cost = f"{event.usage.total:,} tokens, ${event.spent.money:.4f}{'' if event.priced else ' est.'}"
    if event.answer is None:
        return f"{what}: {event.failed} ({cost})"
    return f"{what}: {event.answer.stop} ({cost})"


def _completion(event: Completion) -> str:
    if isinstance(event, Failure):
        return f"{event.task} failed ({event.kind}): {event.because}{_at(event.at)}"
    said = _said(event.output)
    return f"{event.task} done in {span(event.seconds)}" + (f": {said}" if said else "")


def _at(place: str) -> str:
    return f" ({place})" if place else ""


def _said(output: JsonValue) -> str:
    if isinstance(output, list):
        return some(len(output), "element")
    if not isinstance(output, dict):
        return ""
    counts = ((output.get(f"{noun}s"), noun) for noun in ("proposal", "claim"))
    return ", ".join(some(len(items), noun) for items, noun in counts if isinstance(items, list) and items)


def _decision(event: Event) -> str:
    match event:
        case RunAcquired():
            return f"{event.instance} has acquired the run"
        case Planned():
            absent = f"; absent: {', '.join(event.plan.absent)}" if event.plan.absent else ""
            because = f"; {event.plan.because['plan']}" if "plan" in event.plan.because else ""
            return f"planned: {some(len(event.plan.steps), 'step')}{absent}{because}"
        case Assigned():
            return _assigned(event)
        case Answered():
            return f"{event.child} is answered" if not event.failed else f"{event.child} has no answer: {event.failed}"
        case AttemptAbandoned():
            attempt = f"attempt {event.attempt} of {event.task}" if event.attempt else event.task
            return f"{attempt} abandoned: {event.because}"
        case DeadLetter():
            after = f"{some(event.attempts, 'attempt')} ({event.kind})"
            return f"{event.task} is dead after {after}: {event.because}{_at(event.at)}"
        case Opened():
            conflicts = sum(matter.contested for matter in event.matters)
            return f"{contested(len(event.matters), conflicts)}, before {event.barrier}"
        case Settled():
            return f"settled {event.barrier}: {by_rule(event.rulings)}"
        case Concluded():
            return f"concluded: {event.status}" + (f" — {event.because}" if event.because else "")
        case _:
            return event.__contract__


def _assigned(event: Assigned) -> str:
    again = f", attempt {event.attempt}" if event.attempt > 1 else ""
    again += f" of {event.retry.max_attempts}" if again and event.retry else ""
    again += f", timeout {event.timeout:g} s" if event.timeout else ""
    if event.asked_by == ASK:
        return f"gives {event.task} to {event.agent}: {event.skill}, asked for within a task{again}"
    if event.asked_by:
        return f"asks {event.agent} for {event.skill}: {event.task}, for {event.asked_by}{again}"
    return f"gives {event.task} to {event.agent}{again}"
