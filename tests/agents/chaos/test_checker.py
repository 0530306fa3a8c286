"""The check is checked: recorded histories in which every promise was kept pass, broken ones are told by name."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hustings.agents.chaos import History, Op, check, dump, figures, load
from hustings.protocols import (
    COORDINATOR,
    Amount,
    Assigned,
    Budget,
    Concluded,
    DeadLetter,
    Entry,
    Event,
    GoalAsked,
    Result,
    RunAcquired,
    Spent,
    Subject,
)
from hustings.protocols.envelope import seal

RECORDED = sorted((Path(__file__).parent / "histories").glob("*.jsonl"))
Change = Callable[[History], None]


def fresh(file: Path) -> History:
    return load(file)


def runs(history: History) -> list[str]:
    return [*history.entries]


def first(history: History, kind: type[Event], **fields: object) -> tuple[str, int, Entry]:
    """Where the first event of a kind lies: run, index, entry."""
    for run, entries in history.entries.items():
        for index, entry in enumerate(entries):
            if isinstance(entry.event, kind) and all(getattr(entry.event, k) == v for k, v in fields.items()):
                return run, index, entry
    raise AssertionError(f"no {kind}")


def again(entry: Entry, **changes: object) -> Entry:
    """The same entry with some of its event's fields changed."""
    assert entry.envelope
    data = entry.envelope.data.model_copy(update=changes)
    return entry._replace(envelope=entry.envelope.model_copy(update={"data": data}))


def said(event: Event, like: Entry, *, source: str, author: str, kind: str, rest: tuple[str, ...] = ()) -> Entry:
    return Entry(
        like.seq + 1,
        Subject(like.subject.run, author, kind, rest),
        like.time,
        seal(event, source=source, run=like.subject.run),
    )


def behind(history: History, run: str, index: int, *entries: Entry) -> None:
    """Put entries behind one, as if they had been stored there."""
    log = history.entries[run]
    log[index + 1 : index + 1] = entries


# good: what a kill may leave, and what says nothing


def as_it_was(history: History) -> None: ...


def unknown_and_there(history: History) -> None:
    """A client that had no answer for its goal, which was stored all the same."""
    history.asked[runs(history)[0]] = "unknown"


def unknown_and_not_there(history: History) -> None:
    """A client that had no answer for its goal, and it was not stored."""
    history.asked["r99"], history.tasks["r99"], history.entries["r99"] = "unknown", 3, []


def killed_before_it_could_say(history: History) -> None:
    """Whoever is killed behind an append writes no line about it."""
    last = {op.pid: op for op in history.ops}
    history.ops = [op for op in history.ops if op is not last[op.pid]]


def no_lines_at_all(history: History) -> None:
    """Nobody was asked to keep a history: what is on the log is still right."""
    history.ops = []


def worked_on_twice(history: History) -> None:
    """At least once: a task was begun by two processes, and had its effect once."""
    op = next(op for op in history.ops if op.point == "work.before")
    history.ops.insert(history.ops.index(op) + 1, op._replace(pid=op.pid + 1, t=op.t + 1))


def handed_back(history: History) -> None:
    op = next(op for op in history.ops if op.point == "take.after" and op.about.get("run"))
    about = {"run": op.about["run"], "seq": op.about["seq"], "word": "-NAK"}
    history.ops.insert(history.ops.index(op) + 1, Op(op.t + 1, op.pid, "back.before", about))


def not_begun_and_cut(history: History) -> None:
    """Effects of another table's runs do not matter."""
    history.tasks["r98"], history.asked["r98"], history.entries["r98"] = 0, "unknown", []


GOOD: list[Change] = [
    as_it_was,
    unknown_and_there,
    unknown_and_not_there,
    killed_before_it_could_say,
    no_lines_at_all,
    worked_on_twice,
    handed_back,
    not_begun_and_cut,
]


# bad: each breaks one promise


def goal_lost(history: History) -> None:
    run, index, _ = first(history, Concluded)
    del history.entries[run][index:]


def goal_vanished(history: History) -> None:
    history.entries[runs(history)[0]] = []


def goal_stuck(history: History) -> None:
    run, index, _ = first(history, Concluded)
    del history.entries[run][index:]
    history.stuck.append(run)


def ended_twice(history: History) -> None:
    run, index, entry = first(history, Concluded)
    behind(history, run, index, entry._replace(seq=entry.seq + 1))


def asked_twice(history: History) -> None:
    run, index, entry = first(history, GoalAsked)
    behind(history, run, index, entry._replace(seq=entry.seq + 1))


def failed_for_a_fault(history: History) -> None:
    run, index, entry = first(history, Concluded)
    history.entries[run][index] = again(entry, status="partial")


def effect_twice(history: History) -> None:
    history.effects.append(history.effects[0])


def effect_twice_under_another_key(history: History) -> None:
    """A key that contains the attempt: the sink took it for something else."""
    effect = history.effects[0]
    history.effects.append(effect._replace(key="another", attempt=2, pid=effect.pid + 1))


def effect_missing(history: History) -> None:
    del history.effects[0]


def effect_of_another_run(history: History) -> None:
    history.effects[0] = history.effects[0]._replace(run="r99")


def stale_driver_wrote(history: History) -> None:
    """No fence: another coordinator takes the wheel, and the one before goes on writing."""
    run, index, entry = first(history, RunAcquired)
    other = said(
        RunAcquired(instance="coordinator-other"),
        entry,
        source="coordinator-other",
        author=COORDINATOR,
        kind="event",
        rest=("runacquired",),
    )
    behind(history, run, index, other)


def wrote_behind_the_end(history: History) -> None:
    run, index, entry = first(history, Concluded)
    _, _, task = first(history, Assigned)
    assert entry.envelope
    assert task.envelope
    late = task._replace(
        seq=entry.seq + 1,
        subject=task.subject._replace(run=run),
        envelope=task.envelope.model_copy(update={"source": entry.envelope.source}),
    )
    behind(history, run, index, late)


def answered_twice(history: History) -> None:
    run, index, entry = first(history, Result)
    behind(history, run, index, entry._replace(seq=entry.seq + 1))


def done_and_assigned_again(history: History) -> None:
    """A takeover that did not read to the end: what was done is asked again."""
    run, index, entry = first(history, Result, task="rain")
    _, _, task = first(history, Assigned, task="rain")
    behind(history, run, index, again(task._replace(seq=entry.seq + 1), attempt=2))


def assigned_twice(history: History) -> None:
    run, index, entry = first(history, Assigned)
    behind(history, run, index, entry._replace(seq=entry.seq + 1))


def assigned_too_early(history: History) -> None:
    """A step whose needs are not there yet."""
    run, index, entry = first(history, Assigned, task="rain")
    _, _, last = first(history, Assigned, task="measure")
    behind(history, run, index, last._replace(seq=entry.seq + 1))


def concluded_too_early(history: History) -> None:
    run, _, _ = first(history, Concluded)
    entries = history.entries[run]
    history.entries[run] = [e for e in entries if getattr(e.event, "task", "") != "measure"]


def other_hash(history: History) -> None:
    run, index, entry = first(history, Concluded)
    history.entries[run][index] = again(entry, state_hash="0" * 64)


def message_lost_from_the_middle(history: History) -> None:
    """Power went: what was confirmed is not there any more."""
    run, index, _ = first(history, Result, task="rain")
    del history.entries[run][index]


def part_of_a_batch_lost(history: History) -> None:
    """What was confirmed together is there but for one of it."""
    run, index, _ = first(history, Assigned, task="fall-1")
    del history.entries[run][index]


def another_answer_in_its_place(history: History) -> None:
    """An agent was told that its answer is the one that stands, and another's does."""
    run, index, entry = first(history, Result, task="rain")
    assert entry.envelope
    other = entry.envelope.model_copy(update={"source": "cloud-other"})
    history.entries[run][index] = entry._replace(envelope=other)


def confirmed_and_not_there(history: History) -> None:
    op = next(op for op in history.ops if op.point == "append.after")
    history.ops.append(op._replace(about={**op.about, "seq": 10**9}))


def goal_acknowledged_while_it_went_on(history: History) -> None:
    run, _, entry = first(history, GoalAsked)
    begin = min(op.t for op in history.ops if op.about.get("run") == run)
    history.ops.insert(0, Op(begin, 1, "ack.before", {"run": run, "seq": entry.seq, "word": "+ACK"}))


def acknowledged_before_the_answer(history: History) -> None:
    run, _, entry = first(history, Assigned, task="rain")
    answer = next(op for op in history.ops if op.point == "answer.before" and op.about["run"] == run)
    early = Op(answer.t - 1, answer.pid, "ack.before", {"run": run, "seq": entry.seq, "word": "+ACK"})
    history.ops.insert(history.ops.index(answer), early)


def worked_on_what_was_not_assigned(history: History) -> None:
    op = next(op for op in history.ops if op.point == "work.before")
    history.ops.append(op._replace(about={**op.about, "attempt": 77}))


def two_letters(history: History) -> None:
    run, index, entry = first(history, RunAcquired)
    assert entry.envelope
    letter = DeadLetter(task="fall-0", agent="north", skill="fall", attempts=1, kind="killed", because="boom")
    each = said(letter, entry, source=entry.envelope.source, author=COORDINATOR, kind="event", rest=("deadletter",))
    behind(history, run, index, each, each._replace(seq=each.seq + 1))


def spent_too_much(history: History) -> None:
    run, index, entry = first(history, GoalAsked)
    history.entries[run][index] = again(entry, budget=Budget(calls=3))
    spent = Spent(task="fall-0", attempt=1, agent="north", amount=Amount(calls=2))
    each = said(spent, entry, source="north", author="north", kind="spend", rest=("fall-0", "1"))
    behind(history, run, index, each, each._replace(seq=each.seq + 1))


def a_stranger_wrote(history: History) -> None:
    run, index, entry = first(history, RunAcquired)
    behind(history, run, index, Entry(entry.seq + 1, entry.subject, entry.time, None, "not JSON"))


BAD: dict[Change, str] = {
    goal_lost: "lost-goal",
    goal_vanished: "lost-goal",
    goal_stuck: "stuck",
    ended_twice: "two-ends",
    asked_twice: "two-goals",
    failed_for_a_fault: "not-decided",
    effect_twice: "duplicated-effect",
    effect_twice_under_another_key: "duplicated-effect",
    effect_missing: "missing-effect",
    effect_of_another_run: "missing-effect",
    stale_driver_wrote: "unfenced",
    wrote_behind_the_end: "after-the-end",
    answered_twice: "two-answers",
    done_and_assigned_again: "assigned-again",
    assigned_twice: "attempts",
    assigned_too_early: "assigned-early",
    concluded_too_early: "ended-early",
    other_hash: "hash",
    message_lost_from_the_middle: "lost-answer",
    part_of_a_batch_lost: "lost-append",
    another_answer_in_its_place: "lost-answer",
    confirmed_and_not_there: "lost-append",
    goal_acknowledged_while_it_went_on: "ack-before-end",
    acknowledged_before_the_answer: "ack-before-answer",
    worked_on_what_was_not_assigned: "unassigned-work",
    two_letters: "two-dead-letters",
    spent_too_much: "overspent",
    a_stranger_wrote: "invalid",
}


@pytest.mark.parametrize("change", GOOD, ids=lambda change: change.__name__)
@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
def test_a_good_history_passes(file: Path, change: Change) -> None:
    history = fresh(file)
    change(history)
    assert check(history) == []


@pytest.mark.parametrize("change", BAD, ids=lambda change: change.__name__)
def test_a_bad_history_is_told_by_name(change: Change) -> None:
    """And by the same name in every recorded history, whatever faults were in it."""
    for file in RECORDED:
        history = fresh(file)
        change(history)
        assert BAD[change] in {violation.name for violation in check(history)}, file.stem


def test_there_are_enough_of_both() -> None:
    assert len(RECORDED) * len(GOOD) >= 20
    assert len(BAD) >= 20
    recorded = [fresh(file) for file in RECORDED]
    assert {fault.kind for history in recorded for fault in history.faults} >= {"kill", "pause"}
    assert all(history.ops for history in recorded)
    assert all(figures(history)["faults_at_work"] for history in recorded)


def test_what_is_written_down_is_read_again(tmp_path: Path) -> None:
    history = fresh(RECORDED[0])
    dump(history, tmp_path / "copy.jsonl")
    assert load(tmp_path / "copy.jsonl") == history


def test_the_figures_count_what_there_is() -> None:
    history = fresh(RECORDED[0])
    effect_twice(history)
    goal_lost(history)
    told = figures(history)
    accepted = len(history.asked)
    assert told["goals"] == {"accepted": accepted, "ended": accepted - 1, "lost": 1, "stuck": 0}
    assert told["effects"]["duplicated"] == 1  # type: ignore[call-overload, index]
