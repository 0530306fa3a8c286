"""What must be so, whatever went wrong: each check reads a History and says what it finds amiss.

They share nothing with the decider: `_Task` is a second, simpler opinion on which answer counts.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pydantic import JsonValue

from hustings.agents import RunState
from hustings.agents.decider import folding
from hustings.protocols import (
    COORDINATOR,
    Assigned,
    AttemptAbandoned,
    Cancelled,
    Concluded,
    Entry,
    Failure,
    GoalAsked,
    Result,
    RetryPolicy,
    RunAcquired,
)

from . import teams
from .world import History

OWN = ("raised", "non_retryable")  # what only a skill itself can bring about
Check = Callable[[History], Iterator[str]]


def ends_once(history: History) -> Iterator[str]:
    """Every goal that was accepted is on the log once, and has exactly one conclusion; in time."""
    yield from history.late
    goals = Counter(each.subject.run for each in _all(history) if isinstance(each.event, GoalAsked))
    ends = Counter(each.subject.run for each in _all(history) if isinstance(each.event, Concluded))
    for run, clients in history.asked.items():
        if len(clients) != 1 or goals[run] != 1:
            yield f"{run}: accepted from {sorted(clients)}, asked {goals[run]} times"
    for run in goals:
        if ends[run] != 1:
            yield f"{run}: {ends[run]} conclusions"


def replays(history: History) -> Iterator[str]:
    """The log folds to the hash that its conclusion has recorded, and nothing behind the conclusion changes it."""
    for run in _runs(history):
        state, frozen = RunState(run), ""
        for each in history.entries(run):
            folding.evolve(state, each)
            if isinstance(each.event, Concluded):
                frozen = frozen or _content(state)
                before = _folded(run, history, each.event.at)
                if before.hash() != each.event.state_hash:
                    yield f"{run}: replays to another state than was recorded at {each.event.at}"
        if frozen and _content(state) != frozen:
            yield f"{run}: changed after its conclusion"


def one_driver(history: History) -> Iterator[str]:
    """Behind a newer driver's RunAcquired there is nothing of an older one."""
    for run in _runs(history):
        driver = ""
        for each in history.entries(run):
            if each.subject.author != COORDINATOR or each.envelope is None:
                continue
            if isinstance(each.event, RunAcquired):
                driver = each.event.instance
            elif each.envelope.source != driver:
                yield f"{run}: {each.seq} is from {each.envelope.source} while {driver} drives"


def one_answer(history: History) -> Iterator[str]:
    """An attempt has at most one answer, an attempt is assigned once, and no fact is decided twice."""
    places = Counter(kept.subject for kept in history.log if ".result." in kept.subject)
    yield from (f"{place} has {times} messages" for place, times in places.items() if times > 1)
    facts: Counter[tuple[object, ...]] = Counter()
    for each in _all(history):
        if isinstance(each.event, Assigned):
            facts[each.subject.run, "assigned", each.event.task, each.event.attempt] += 1
        elif kind := type(each.event).__name__ if each.subject.kind == "event" else "":
            what = getattr(each.event, "barrier", "") or getattr(each.event, "task", "")
            if kind in ("Planned", "Opened", "Settled", "AttemptAbandoned"):
                facts[each.subject.run, kind, what, getattr(each.event, "attempt", 0)] += 1
    yield from (f"{fact} {times} times" for fact, times in facts.items() if times > 1)


def effects_once(history: History) -> Iterator[str]:
    """What a task does outside is done once, and is done if the task was counted."""
    done = Counter(history.effects)
    yield from (f"effect {effect} {times} times" for effect, times in done.items() if times > 1)
    for run in _runs(history):
        for name, task in _judged(history, run).items():
            effect = (run, task.effect, task.ordinal)
            if task.counted is not None and not done[effect]:
                yield f"{run}: {name} was counted, and effect {effect} never was"


def tasks_go_on(history: History) -> Iterator[str]:
    """Attempts follow each other, what is done is not assigned again, and what follows gets the answers that count."""
    for run in _runs(history):
        for task in _judged(history, run).values():
            yield from (f"{run}: {wrong}" for wrong in task.wrong)


def folds_what_counts(history: History) -> Iterator[str]:
    """The fold keeps of each task the answer that counts."""
    for run in _runs(history):
        ends = [each.seq for each in history.entries(run) if isinstance(each.event, Concluded)]
        state = _folded(run, history, min(ends, default=2**63))
        for name, task in _judged(history, run).items():
            kept = state.steps[task.step].outputs.get(task.ordinal) if task.step in state.steps else None
            if kept != task.counted:
                yield f"{run}: of {name} {kept} is kept, {task.counted} counts"


def decided_right(history: History) -> Iterator[str]:
    """A run that was withdrawn is cancelled. Of the others, as attempts abound, everything was done and is right."""
    for run in _runs(history):
        tasks, withdrawn = _judged(history, run), 2**63
        for each in history.entries(run):
            if isinstance(each.event, Cancelled):
                withdrawn = min(withdrawn, each.seq)
            if isinstance(each.event, Concluded) and withdrawn <= each.event.at:
                yield from [f"{run}: withdrawn, and {each.event.status}"] if each.event.status != "cancelled" else []
            elif isinstance(each.event, Concluded):
                yield from (f"{run}: {wrong}" for wrong in _wrong(run, history, each.event, tasks))


def said_is_there(history: History) -> Iterator[str]:
    """What a process was told is stored is on the log."""
    seqs = {kept.seq for kept in history.log}
    subjects = {kept.subject for kept in history.log}
    for point, detail in history.told:
        if point in ("append.after", "ask.after"):
            there = detail["seq"] in seqs
        else:
            there = point != "answer.after" or any(_is_answer(subject, detail) for subject in subjects)
        if not there:
            yield f"{point} {detail}: not there"


def answers_stand(history: History) -> Iterator[str]:
    """What an inbox is past is not taken for lost where its answer is on the log: that was there before the ack."""
    for run in _runs(history):
        answers = {
            _attempt(each): each.seq for each in history.entries(run) if isinstance(each.event, Result | Failure)
        }
        for each in history.entries(run):
            lost = isinstance(each.event, AttemptAbandoned) and "does not hold it" in each.event.because
            if lost and answers.get(_attempt(each), each.seq) < each.seq:
                yield f"{run}: {_attempt(each)} abandoned at {each.seq}, and was answered"


def attempts_wait(history: History) -> Iterator[str]:
    """No attempt begins before its wait is over, counted from the failure of the one before."""
    for run in _runs(history):
        for task in _judged(history, run).values():
            yield from (f"{run}: {early}" for early in task.early)


def skills_hold(history: History) -> Iterator[str]:
    """No skill of these teams raises anything but a hiccup: all else is a fault of the simulation."""
    for each in _all(history):
        if isinstance(each.event, Failure) and not _is_hiccup(each.event) and each.event.kind in OWN:
            yield f"{each.subject.run}: {each.event.task} {each.event.kind}: {each.event.because}"


def words_in_time(history: History) -> Iterator[str]:
    """Deliveries are acknowledged by who holds them, once what came of them is on the log."""
    yield from history.words


def settled_rests(history: History) -> Iterator[str]:
    """What comes again is only begun again if nothing has come of it yet."""
    yield from history.begun_again


CHECKS: tuple[Check, ...] = (
    ends_once, replays, one_driver, one_answer, effects_once, tasks_go_on, folds_what_counts, decided_right,
    said_is_there, answers_stand, attempts_wait, skills_hold, words_in_time, settled_rests,
)  # fmt: skip


def violations(history: History) -> list[str]:
    """What is amiss, with the name of the check."""
    return [f"{check.__name__}: {wrong}" for check in CHECKS for wrong in check(history)]


@dataclass
class _Task:
    """What has become of a task by the rules: the first answer to the attempt that is open counts."""

    step: str
    ordinal: int
    skill: str
    attempt: int = 0
    open: bool = False
    counted: JsonValue = None
    next: float = 0.0  # before which no attempt may begin

    def __post_init__(self) -> None:
        self.wrong: list[str] = []
        self.early: list[str] = []
        self.retry: RetryPolicy | None = None

    @property
    def effect(self) -> str:
        return f"{self.skill}-{self.step}" if self.skill == "doubt" else self.skill

    def failed(self, now: float, team: RetryPolicy) -> None:
        """What failed may be otherwise a little later: the least that the policy in force lets it wait."""
        retry, longest = self.retry or team, 0.0
        for _ in range(self.attempt):
            longest = min(longest * retry.backoff or retry.initial_interval, retry.max_interval)
        self.next = now + longest * (1 - retry.jitter) - 1e-5  # the waits are rounded

    def assigned(self, event: Assigned, now: float) -> None:
        if now < self.next:
            self.early.append(f"attempt {event.attempt} of {event.task} comes {self.next - now:.3f} s too early")
        if self.counted is not None:
            self.wrong.append(f"{event.task} is done, and assigned again")
        if self.open or event.attempt != self.attempt + 1:
            self.wrong.append(f"attempt {event.attempt} of {event.task} follows attempt {self.attempt}")
        self.attempt, self.open, self.retry = event.attempt, True, event.retry


def _judged(history: History, run: str) -> dict[str, _Task]:
    """All tasks of a run, by the rules."""
    tasks: dict[str, _Task] = {}
    for each in history.entries(run):
        event = each.event
        if isinstance(event, Concluded):
            return tasks
        if isinstance(event, Assigned):
            task = tasks.setdefault(event.task, _Task(event.step, event.ordinal, event.skill))
            task.assigned(event, each.time)
            task.wrong += _misled(event, tasks)
        elif isinstance(event, Result | Failure | AttemptAbandoned) and event.task in tasks:
            task = tasks[event.task]
            if task.open and event.attempt == task.attempt:
                task.open = False
                task.counted = event.output if isinstance(event, Result) else None
                if not isinstance(event, Result) and event.kind in ("raised", "timed_out"):
                    task.failed(each.time, history.team.retry)
    return tasks


def _misled(event: Assigned, tasks: dict[str, _Task]) -> Iterator[str]:
    """The input of `total` must be the squares that count, of `weigh` a verdict on each number."""
    if event.skill == "total":
        squares = [tasks[name].counted for name in sorted(tasks) if name.startswith("square-")]
        if event.input.get("squares") != squares:
            yield f"total was given {event.input.get('squares')}, what counts is {squares}"


def _wrong(run: str, history: History, end: Concluded, tasks: dict[str, _Task]) -> Iterator[str]:
    undone = [name for name, task in tasks.items() if task.counted is None]
    if end.status != "decided" or undone:
        yield f"{end.status}, {end.because}; undone: {undone}"
    upto, last = history.upto, "total" if history.team is teams.sums else "weigh"
    right = sum(n**2 for n in range(upto)) if history.team is teams.sums else upto
    expected = tasks[last].counted if last in tasks else None
    total = _folded(run, history, 2**63).outcome().get("total")
    if total != expected or not isinstance(expected, dict) or expected["value"] != right:
        yield f"the outcome is {total}, what counts is {expected}, right is {right}"


def _is_hiccup(failure: Failure) -> bool:
    return failure.error_types[:1] == (teams.Hiccup.__name__,)


def _is_answer(subject: str, detail: dict[str, JsonValue]) -> bool:
    return f".{detail['run']}." in subject and subject.endswith(f".result.{detail['task']}.{detail['attempt']}")


def _attempt(entry: Entry) -> tuple[str, int]:
    return getattr(entry.event, "task", ""), getattr(entry.event, "attempt", 0)


def _folded(run: str, history: History, upto: int) -> RunState:
    state = RunState(run)
    for each in history.entries(run):
        if each.seq <= upto:
            folding.evolve(state, each)
    return state


def _content(state: RunState) -> str:
    """The state without the position on the log."""
    seq, fence = state.seq, state.fence
    state.seq = state.fence = 0
    content = state.hash()
    state.seq, state.fence = seq, fence
    return content


def _all(history: History) -> list[Entry]:
    return [each for run in _runs(history) for each in history.entries(run)]


def _runs(history: History) -> list[str]:
    return sorted(history.by_run)
