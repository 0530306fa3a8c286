"""Checker: the promises that every history must keep, whatever was killed. Pure, and linear in its length."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from hustings.protocols import (
    COORDINATOR,
    Assigned,
    Completion,
    Concluded,
    DeadLetter,
    Entry,
    GoalAsked,
    RunAcquired,
    Spent,
)
from hustings.protocols.plans import steps_of

from ..decider.folding import evolve
from ..decider.state import RunState
from .history import History, Op


class Violation(NamedTuple):
    """A broken promise: its name, and an example."""

    name: str
    says: str


Check = Callable[[History], Iterator[Violation]]


def check(history: History) -> list[Violation]:
    """All violations in a history; empty if every promise was kept."""
    return [violation for each in CHECKS for violation in each(history)]


# goals


def ends(history: History) -> Iterator[Violation]:
    """Every accepted goal ends, once. A goal without a reply may exist or not, but if it does, it ends."""
    for run, answer in history.asked.items():
        entries = history.entries.get(run, [])
        count = sum(isinstance(entry.event, Concluded) for entry in entries)
        if count > 1:
            yield Violation("two-ends", f"{run} was concluded {count} times")
        if run in history.stuck:
            yield Violation("stuck", f"{run} had not ended when the wait was over")
        elif not count and (answer == "accepted" or any(isinstance(entry.event, GoalAsked) for entry in entries)):
            yield Violation("lost-goal", f"{run} was accepted and has not ended")


def one_goal(history: History) -> Iterator[Violation]:
    """A goal is on the log once, however often the client sent it."""
    for run, entries in history.entries.items():
        if sum(isinstance(entry.event, GoalAsked) for entry in entries) > 1:
            yield Violation("two-goals", f"{run} is on the log twice")


def complete(history: History) -> Iterator[Violation]:
    """A decided run has all of its tasks, each with one result that counts."""
    for run, entries in history.entries.items():
        end = next((entry.event for entry in entries if isinstance(entry.event, Concluded)), None)
        if end and end.status != "decided":
            yield Violation("not-decided", f"{run} is {end.status}: {end.because}")


# effects


def one_effect(history: History) -> Iterator[Violation]:
    """Each task has its effect once, however many processes and attempts worked on it."""
    for (run, task), count in Counter((effect.run, effect.task) for effect in history.effects).items():
        if count > 1:
            yield Violation("duplicated-effect", f"{run} {task} was done {count} times")


def every_effect(history: History) -> Iterator[Violation]:
    """Each task of a decided run has its effect."""
    done = _tasks_with_effect(history)
    for run, wanted in history.tasks.items():
        count = len(done.get(run, ()))
        if _status(history, run) == "decided" and count != wanted:
            yield Violation("missing-effect", f"{run} has {count} effects, not {wanted}")


def _tasks_with_effect(history: History) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for effect in history.effects:
        found.setdefault(effect.run, set()).add(effect.task)
    return found


def _status(history: History, run: str) -> str:
    ends = [entry.event for entry in history.entries.get(run, ()) if isinstance(entry.event, Concluded)]
    return ends[0].status if ends else ""


# the log


def fenced(history: History) -> Iterator[Violation]:
    """Every decision comes from the coordinator that acquired the run last, and none follows the conclusion."""
    for run, entries in history.entries.items():
        driver, ended = "", False
        for entry in _coordinators(entries):
            assert entry.envelope
            if isinstance(entry.event, RunAcquired):
                driver = entry.event.instance
            if entry.envelope.source != driver:
                yield Violation(
                    "unfenced", f"{run} #{entry.seq} is by {entry.envelope.source}, but {driver} has acquired the run"
                )
            if ended:
                yield Violation("after-the-end", f"{run} #{entry.seq} follows the conclusion")
            ended = ended or isinstance(entry.event, Concluded)


def _coordinators(entries: list[Entry]) -> Iterator[Entry]:
    return (entry for entry in entries if entry.subject.author == COORDINATOR and entry.envelope)


def one_answer(history: History) -> Iterator[Violation]:
    """An attempt has one answer, and it is on the log before its agent gets the confirmation."""
    for run, entries in history.entries.items():
        answers = Counter(entry.subject for entry in entries if isinstance(entry.event, Completion))
        for subject, count in answers.items():
            if count > 1:
                yield Violation("two-answers", f"{run} {'.'.join(subject.rest)} was answered {count} times")


def assignments(history: History) -> Iterator[Violation]:
    """No task is assigned before its inputs exist, none again after it is done; its attempts count up."""
    for run, entries in history.entries.items():
        state, attempts = RunState(run), Counter[str]()
        for entry in entries:
            event = entry.event
            if isinstance(event, Assigned) and entry.subject.author == COORDINATOR:
                attempts[event.task] += 1
                if event.attempt != attempts[event.task]:
                    yield Violation("attempts", f"{run} #{entry.seq} is attempt {event.attempt} of {event.task}")
                if event.task in state.tasks and state.tasks[event.task].status == "done":
                    yield Violation("assigned-again", f"{run} #{entry.seq} assigns {event.task}, which is done")
                if early := _missing(state, event):
                    yield Violation("assigned-early", f"{run} #{entry.seq} assigns {event.task} without {early}")
            evolve(state, entry)


def _missing(state: RunState, event: Assigned) -> str:
    step = state.steps.get(event.step)
    needs = steps_of(step.step.inputs) if step else ()
    return next((need for need in needs if state.steps[need].status not in ("done", "lost")), "")


def folds(history: History) -> Iterator[Violation]:
    """The log folds to the state recorded at its conclusion; it has no invalid messages; all tasks are done by then."""
    for run, entries in history.entries.items():
        state, end = RunState(run), next((e.event for e in entries if isinstance(e.event, Concluded)), None)
        for entry in entries:
            evolve(state, entry)
            if end and entry.seq == end.at and state.hash() != end.state_hash:
                yield Violation("hash", f"{run} folds to {state.hash()[:12]}, but {end.state_hash[:12]} is recorded")
        if state.invalid:
            yield Violation("invalid", f"{run} has {state.invalid} invalid messages")
        unfinished = [name for name, step in state.steps.items() if step.status in ("waiting", "ready")]
        if end and end.status == "decided" and unfinished:
            yield Violation("ended-early", f"{run} was decided without {unfinished[0]}")


def dead_letters(history: History) -> Iterator[Violation]:
    """A task that failed for good has one dead letter, and no result that counts."""
    for run, entries in history.entries.items():
        letters = Counter(entry.event.task for entry in entries if isinstance(entry.event, DeadLetter))
        for task, count in letters.items():
            if count > 1:
                yield Violation("two-dead-letters", f"{run} {task} has {count}")


def budgets(history: History) -> Iterator[Violation]:
    """No run spends more than its goal allows."""
    for run, entries in history.entries.items():
        budget = next((entry.event.budget for entry in entries if isinstance(entry.event, GoalAsked)), None)
        calls = sum(entry.event.amount.calls for entry in entries if isinstance(entry.event, Spent))
        if budget and budget.calls is not None and calls > budget.calls:
            yield Violation("overspent", f"{run} spent {calls} of {budget.calls} calls")


# the processes' own records, compared with the log


def confirmed(history: History) -> Iterator[Violation]:
    """Everything that the broker confirmed is on the log: at that position, by that author, complete."""
    decided = {run: [*_coordinators(entries)] for run, entries in history.entries.items()}
    answers, places = _answers(history), {(run, e.seq) for run, entries in history.entries.items() for e in entries}
    sent: dict[tuple[int, str], Op] = {}
    for op in history.ops:
        run = op.about.get("run", "")
        if op.point == "append.before":
            sent[op.pid, run] = op
        elif op.point == "append.after":
            if not _stored(decided.get(run, []), sent[op.pid, run], op):
                yield Violation(
                    "lost-append", f"{run}: misses some of what process {op.pid} read up to #{op.about['seq']}"
                )
        elif op.point in ("ask.after", "spend.after") and (run, op.about["seq"]) not in places:
            yield Violation(
                "lost-append",
                f"{run}: process {op.pid} got a confirmation for #{op.about['seq']}, but its message is not there",
            )
        elif op.point == "answer.after" and not _there(answers, op):
            yield Violation("lost-answer", f"{run} {op.about['task']} was answered, and the log does not have it")


def _stored(decided: list[Entry], sent: Op, told: Op) -> bool:
    """True if everything sent is on the log after the one position and ends at the other."""
    first, end = (
        bisect_right(decided, place, key=lambda entry: entry.seq) for place in (sent.about["after"], told.about["seq"])
    )
    found = decided[first:end]
    said = [(type(entry.event).__name__.lower(), entry.envelope.source) for entry in found if entry.envelope]
    return said == [(kind, told.about["by"]) for kind in sent.about["kinds"]] and found[-1].seq == told.about["seq"]


def _answers(history: History) -> dict[tuple[str, ...], str]:
    """The author of the answer to each attempt: by run, task and attempt."""
    return {
        (run, *entry.subject.rest): entry.envelope.source
        for run, entries in history.entries.items()
        for entry in entries
        if entry.subject.kind == "result" and entry.envelope
    }


def _there(answers: dict[tuple[str, ...], str], op: Op) -> bool:
    author = answers.get((op.about["run"], op.about["task"], str(op.about["attempt"])))
    return author == op.about["by"] if op.about["first"] else author is not None


def acknowledged(history: History) -> Iterator[Violation]:
    """A task is acknowledged only after its answer was sent to the log, a goal only after its run's end was."""
    what = _deliveries(history)
    answering: set[tuple[str, str, int]] = set()
    ending: set[str] = set()
    for op in history.ops:
        run = op.about.get("run", "")
        if op.point == "answer.before":
            answering.add((run, op.about["task"], op.about["attempt"]))
        elif op.point == "append.before" and "concluded" in op.about["kinds"]:
            ending.add(run)
        elif op.point == "ack.before" and run not in ending:
            delivered = what.get((run, op.about["seq"]))
            if delivered is None:
                yield Violation("ack-before-end", f"the goal of {run} was acknowledged before the end of the run")
            elif (run, *delivered) not in answering:
                yield Violation("ack-before-answer", f"{run} {delivered[0]} was acknowledged without an answer")


def _deliveries(history: History) -> dict[tuple[str, int], tuple[str, int] | None]:
    """The subject of each delivered message: task and attempt; None for a goal."""
    found: dict[tuple[str, int], tuple[str, int] | None] = {}
    for run, entries in history.entries.items():
        for entry in entries:
            if isinstance(entry.event, Assigned):
                found[run, entry.seq] = (entry.event.task, entry.event.attempt)
    return found


def assigned_work(history: History) -> Iterator[Violation]:
    """No process works on a task that was not assigned."""
    assigned = {
        (run, entry.event.task, entry.event.attempt)
        for run, entries in history.entries.items()
        for entry in entries
        if isinstance(entry.event, Assigned)
    }
    for op in history.ops:
        if op.point == "work.before" and (op.about["run"], op.about["task"], op.about["attempt"]) not in assigned:
            yield Violation("unassigned-work", f"process {op.pid} worked on {op.about['run']} {op.about['task']}")


CHECKS: tuple[Check, ...] = (
    ends,
    one_goal,
    complete,
    one_effect,
    every_effect,
    fenced,
    one_answer,
    assignments,
    folds,
    dead_letters,
    budgets,
    confirmed,
    acknowledged,
    assigned_work,
)
