"""Figures: the size of a storm, how long work stalled, and how soon it went on after each fault."""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from typing import Any

from hustings.protocols import (
    Assigned,
    AttemptAbandoned,
    Completion,
    Concluded,
    Data,
    DeadLetter,
    Entry,
    GoalAsked,
    Result,
)

from .history import History, Injected, Op

STALL = 0.5  # seconds without any answer, while there is work, that count as a stall


def figures(history: History) -> Data:
    """Numbers for people and for JSON; times in seconds."""
    events = [entry.event for entries in history.entries.values() for entry in entries]
    accepted = [run for run, answer in history.asked.items() if answer == "accepted"]
    ended = {run for run, entries in history.entries.items() if any(isinstance(e.event, Concluded) for e in entries)}
    effects = Counter((effect.run, effect.task) for effect in history.effects)
    return {
        "goals": {
            "accepted": len(accepted),
            "ended": len(ended & {*accepted}),
            "lost": len({*accepted} - ended - {*history.stuck}),
            "stuck": len(history.stuck),
        },
        "effects": {
            "expected": sum(history.tasks.values()),
            "done": len(effects),
            "duplicated": sum(count > 1 for count in effects.values()),
        },
        "attempts": sum(isinstance(event, Assigned) for event in events),
        "results": sum(isinstance(event, Result) for event in events),
        "abandoned": sum(isinstance(event, AttemptAbandoned) for event in events),
        "dead_letters": sum(isinstance(event, DeadLetter) for event in events),
        "finished_tasks_repeated": repeated(history.ops),
        "operations": len(history.ops),
        "faults": {**Counter(f"{fault.victim} {fault.kind}" for fault in history.faults)},
        "faults_at_work": at_work(history),
        "stalls": spread(stalls(history)),
        "recovery": {victim: spread(times) for victim, times in recoveries(history).items()},
    }


def repeated(ops: list[Op]) -> int:
    """How often a task was begun again after its result had been confirmed."""
    confirmed: set[tuple[Any, Any]] = set()
    again = 0
    for op in ops:
        task = (op.about.get("run"), op.about.get("task"))
        if op.point == "answer.after":
            confirmed.add(task)
        elif op.point == "work.before":
            again += task in confirmed
    return again


def at_work(history: History) -> int:
    """How many faults happened while some process had work: between a run's first fold and its end."""
    begun, ended = dict[str, int](), dict[str, int]()
    for op in history.ops:
        if op.point == "fold.before":
            begun.setdefault(op.about["run"], op.t)
        elif op.point == "append.before" and "concluded" in op.about["kinds"]:
            ended[op.about["run"]] = op.t
    spans = [(t, ended.get(run, math.inf)) for run, t in begun.items()]
    return sum(any(begin <= fault.t <= end for begin, end in spans) for fault in history.faults)


def stalls(history: History) -> list[float]:
    """The periods in which there was work, but no answer and no end. By the broker's clock, which stamps the log."""
    return [gap for gap in _gaps(_in_order(history)) if gap >= STALL]


def _in_order(history: History) -> list[Entry]:
    return sorted((entry for entries in history.entries.values() for entry in entries), key=lambda entry: entry.seq)


def _gaps(log: list[Entry]) -> Iterator[float]:
    open_runs, since = set[str](), 0.0
    for entry in log:
        run = entry.subject.run
        if isinstance(entry.event, GoalAsked):
            since = since if open_runs else entry.time
            open_runs.add(run)
        elif isinstance(entry.event, Completion | Concluded) and run in open_runs:
            yield entry.time - since
            since = entry.time
            open_runs -= {run} if isinstance(entry.event, Concluded) else set()


def recoveries(history: History) -> dict[str, list[float]]:
    """For each kill, by victim, the seconds until another process took over its work."""
    by_point: dict[str, list[Op]] = {}
    for op in history.ops:
        by_point.setdefault(op.point, []).append(op)
    found: dict[str, list[float]] = {}
    for fault in history.faults:
        if fault.kind == "kill":
            found.setdefault(fault.victim, []).extend(_recovery(fault, by_point))
    return found


def _recovery(fault: Injected, by_point: dict[str, list[Op]]) -> list[float]:
    """A broker: until the next confirmed write. A coordinator that drove runs: until another appends to each of them.
    A specialist with tasks in progress: until another has begun each of them."""
    if fault.victim == "broker":
        ops = sorted([*by_point.get("answer.after", ()), *by_point.get("append.after", ())], key=lambda op: op.t)
        return [(op.t - fault.t) / 1e9 for op in _behind(ops, fault.t)[:1]]
    begin, end = ("append.before", "append.after") if fault.victim == "coordinator" else ("work.before", "answer.after")
    return _handed_over(fault, by_point.get(begin, []), by_point.get(end, []))


def _handed_over(fault: Injected, begun: list[Op], done: list[Op]) -> list[float]:
    def key(op: Op) -> tuple[Any, Any]:
        return op.about["run"], op.about.get("task")

    over = {key(op) for op in done if op.t <= fault.t and "task" in op.about}
    concluded = {op.about["run"] for op in begun if op.t <= fault.t and "concluded" in op.about.get("kinds", ())}
    in_hand = {key(op) for op in begun if op.pid == fault.pid and op.t <= fault.t} - over
    in_hand = {(run, task) for run, task in in_hand if run not in concluded}
    times = []
    for op in _behind(begun, fault.t):
        if key(op) in in_hand and op.pid != fault.pid:
            in_hand.discard(key(op))
            times.append((op.t - fault.t) / 1e9)
    return times


def _behind(ops: list[Op], t: int) -> list[Op]:
    return ops[bisect_right(ops, t, key=lambda op: op.t) :]


def spread(times: list[float]) -> Data:
    if not times:
        return {"count": 0}
    ordered = sorted(times)
    return {
        "count": len(ordered),
        "p50": round(ordered[len(ordered) // 2], 2),
        "p99": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], 2),
        "max": round(ordered[-1], 2),
    }
