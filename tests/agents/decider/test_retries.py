"""Retries in the decider: who is tried again, when, and what the log says of it; without a bus, in virtual time."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from hustings.agents import Brief, Docket, Policy, RunState, fold
from hustings.agents.decider.decision import wake
from hustings.agents.decider.fold_retries import wait
from hustings.agents.decider.state import TaskState
from hustings.agents.history.run_report import report
from hustings.agents.planning.planner import fixed
from hustings.protocols import (
    COORDINATOR,
    Assigned,
    AttemptAbandoned,
    Data,
    DeadLetter,
    Failure,
    FromGoal,
    FromSteps,
    Goal,
    Inquiry,
    Message,
    Outcome,
    Plan,
    RetryPolicy,
    RunAcquired,
    SkillCard,
    Step,
    Verdict,
)

from ..simulation import Handler, Simulation, card, raised
from .test_asking import last, put, question
from .test_asking import office as asking


class Ask(Goal, contract="retries.Ask.v1"):
    words: int = 1


class Sum(Message, contract="retries.Sum.v1"): ...


class Summed(Outcome):
    total: Sum


GOAL: Data = {"words": 1}
STEADY = RetryPolicy(max_attempts=4, initial_interval=10.0, jitter=0.0)


def clerk(agent: str, **own: object) -> SkillCard:
    return card(agent, "sum", "retries.Sum.v1", ask="retries.Ask.v1").model_copy(update=own)


def office(*cards: SkillCard, answers: Handler = lambda _: raised(), **policy: Any) -> Simulation:
    laid_down: dict[str, Any] = {"retry": STEADY, **policy}
    return Simulation(Policy(goal=Ask, outcome=Summed, **laid_down), [*cards], {"sum": answers})


def begun(run: Simulation) -> Assigned:
    run.ask(GOAL, Ask.__contract__)
    run.decide()
    return run.assigned()[0]


def failed(because: str = "boom", **fields: Any) -> Failure:
    return raised(because).model_copy(update=fields)


def ends(run: Simulation) -> dict[tuple[str, int], float]:
    """When each failed attempt ended."""
    said = [(entry.event, entry.time) for entry in run.log]
    return {(e.task, e.attempt): time for e, time in said if isinstance(e, Failure | AttemptAbandoned)}


def waits(run: Simulation) -> list[float]:
    """How long each further attempt waited, to the nearest tenth of a second."""
    failed = ends(run)
    said = [(entry.event, entry.time) for entry in run.log]
    further = [(e.task, e.attempt, time) for e, time in said if isinstance(e, Assigned) and e.attempt > 1]
    return [round(time - failed[task, attempt - 1], 1) for task, attempt, time in further]


def test_each_attempt_waits_longer_than_the_one_before() -> None:
    """10 s, 20 s, 40 s; until then nothing is decided, and wake says when."""
    run = office(clerk("ann"))
    run.run(GOAL, Ask.__contract__)
    assert waits(run) == [10.0, 20.0, 40.0]
    assert run.state.tasks["ann-sum"].status == "lost"


def test_nothing_is_decided_before_an_attempt_is_due() -> None:
    run = office(clerk("ann"))
    run.say(begun(run), raised())
    due = run.now + 10.0
    assert not run.decided()
    assert wake(run.state, run.policy, run.view()) == pytest.approx(due)
    run.now = due - 0.01
    assert not run.decided()
    run.now = due
    run.decide()
    assert [task.attempt for task in run.assigned()] == [1, 2]


@settings(derandomize=True, max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 1))
def test_the_waits_follow_from_the_log(seed: int, jitter: float) -> None:
    """Whoever folds it gets the same state, whatever crashes; each wait is within the jitter."""
    retry = RetryPolicy(max_attempts=3, initial_interval=10.0, backoff=1.0, jitter=jitter)
    run = office(clerk("ann"), retry=retry)
    run.seed, run.crash = seed, True
    end = run.run(GOAL, Ask.__contract__)
    assert fold("r1", [entry for entry in run.log if entry.seq <= end.at]).hash() == end.state_hash
    assert all(10 * (1 - jitter) - 0.1 <= wait <= 10.1 for wait in waits(run))


def test_tasks_that_fail_together_are_not_tried_again_together() -> None:
    """The jitter follows from run, task and attempt."""
    steps = [Step(id=f"s{n}", skill="sum", inputs={"ask": FromGoal()}, agents=("ann",)) for n in range(5)]
    plan = Plan(steps=tuple(steps), outcome={"total": FromSteps(steps=("s0",))})
    run = office(clerk("ann"), planner=fixed(plan), retry=RetryPolicy(initial_interval=10.0, jitter=0.5))
    begun(run)
    for task in run.assigned():
        run.say(task, raised())
    dues = [task.due for task in run.state.tasks.values()]
    assert len(set(dues)) == 5
    assert all(4.9 < due - run.now <= 10.0 for due in dues)
    assert run.state.retries == sorted(run.state.retries)
    run.now = sorted(dues)[2]
    run.decide()
    assert sum(task.attempt == 2 for task in run.assigned()) == 3


def test_the_jitter_differs_by_run_task_and_attempt() -> None:
    """Runs that fail together because a service is away do not come back to it together either."""

    def waited(run: str, task: str, attempt: int) -> float:
        retry = RetryPolicy(initial_interval=10.0, backoff=1.0, jitter=0.5)
        state = RunState(run, retry=retry, tasks={task: TaskState("s", "ann", attempt, 0.0, 0.0)})
        return wait(state, failed(task=task, attempt=attempt, agent="ann"))

    places = [("r1", "a", 1), ("r2", "a", 1), ("r1", "b", 1), ("r1", "a", 2)]
    assert len({waited(*place) for place in places}) == 4
    assert waited("r1", "a", 1) == waited("r1", "a", 1)


# who waits


@pytest.mark.parametrize(
    ("failure", "wait"),
    [
        (failed(), 10.0),
        (failed(kind="timed_out"), 10.0),
        (failed(kind="invalid"), 10.0),
        (failed(kind="killed"), 0.0),
        (failed(lasting=True), 0.0),
        (failed(kind="abandoned"), 0.0),
    ],
    ids=lambda each: f"{each.kind} {each.lasting}" if isinstance(each, Failure) else "",
)
def test_what_may_pass_waits_and_an_agent_that_is_the_reason_is_replaced_at_once(failure: Failure, wait: float) -> None:
    run = office(clerk("ann"), clerk("bob"), retry=STEADY)
    run.say(begun(run), failure)
    run.decide()
    if wait:
        assert len(run.assigned()) == 1
        run.sleep()
        run.decide()
    assert [task.agent for task in run.assigned()] == ["ann", "bob"]
    assert waits(run) == [wait]


def test_the_only_agent_that_would_fail_again_is_not_waited_for() -> None:
    """A key is missing: no attempt would be better, so the letter is written now."""
    run = office(clerk("ann"))
    run.say(begun(run), failed(lasting=True))
    before = run.now
    run.decide()
    assert [entry.event.attempts for entry in run.log if isinstance(entry.event, DeadLetter)] == [1]
    assert run.now - before < 1


def test_an_agent_that_is_lost_is_replaced_at_once_and_one_that_is_late_after_the_wait() -> None:
    lost = office(clerk("ann"), clerk("bob"), heartbeat_timeout=2.0)
    begun(lost)
    lost.dead = frozenset({"ann"})
    lost.sleep()
    lost.decide()
    assert waits(lost) == [0.0]
    late = office(clerk("ann"), clerk("bob"), attempt_timeout=5.0)
    begun(late)
    late.sleep()
    late.decide()
    (given_up,) = [entry.event for entry in late.log if isinstance(entry.event, AttemptAbandoned)]
    assert (given_up.kind, late.state.failures["ann-sum"].kind) == ("timed_out", "timed_out")
    late.sleep()
    late.decide()
    assert waits(late) == [10.0]


# what is never tried again


def test_an_exception_that_the_policy_names_is_not_tried_again() -> None:
    """By its class or by a base class of it; the letter says that no attempt was to follow."""
    run = office(clerk("ann"), clerk("bob"), retry=RetryPolicy(max_attempts=9, non_retryable=(LookupError,)))
    run.say(begun(run), failed(error_types=("KeyError", "LookupError", "Exception")))
    run.decide()
    (letter,) = [entry.event for entry in run.log if isinstance(entry.event, DeadLetter)]
    assert (letter.kind, letter.attempts, len(run.assigned())) == ("non_retryable", 1, 1)
    other = office(clerk("ann"), clerk("bob"), retry=RetryPolicy(max_attempts=2, non_retryable=(LookupError,)))
    other.say(begun(other), failed(error_types=("OSError", "Exception")))
    assert other.state.tasks["ann-sum"].status == "failed"


# what a skill lays down for itself


def test_a_skill_has_attempts_and_waits_of_its_own() -> None:
    """It stands in the card, and from there on the log, so that a fold needs neither."""
    own = RetryPolicy(max_attempts=2, initial_interval=3.0, jitter=0.0)
    run = office(clerk("ann", retry=own))
    run.run(GOAL, Ask.__contract__)
    assert waits(run) == [3.0]
    assert {task.retry for task in run.assigned()} == {own}
    assert len(ends(run)) == 2


def test_what_equals_the_teams_is_not_written() -> None:
    """And nothing is written for a skill that lays down nothing."""
    run = office(clerk("ann", retry=STEADY))
    task = begun(run)
    assert not {"retry", "timeout"} & task.plain().keys()
    (acquired,) = [entry.event for entry in run.log if isinstance(entry.event, RunAcquired)]
    assert acquired.plain()["retry"] == {"max_attempts": 4, "initial_interval": 10.0, "jitter": 0.0}


def test_an_agent_without_a_policy_of_its_own_is_retried_as_the_team_says() -> None:
    """Where two can do a task, the last one that had it says how it goes on."""
    run = office(clerk("ann", retry=RetryPolicy(max_attempts=2, initial_interval=3.0, jitter=0.0)), clerk("bob"))
    run.say(begun(run), raised())
    run.sleep()
    run.decide()
    run.say(run.assigned()[-1], raised())
    run.sleep()
    run.decide()
    assert [(task.agent, task.attempt) for task in run.assigned()] == [("ann", 1), ("bob", 2), ("ann", 3)]
    assert waits(run) == [3.0, 20.0]


@pytest.mark.parametrize(("timeout", "deadline"), [(None, 60.0), (1.0, 60.0), (3600.0, 3600.0)])
def test_a_timeout_goes_with_the_task_and_may_be_longer_than_the_teams(timeout: float | None, deadline: float) -> None:
    """The agent counts it from the start of its work, the coordinator waits as long as the team says, or longer."""
    run = office(clerk("ann", timeout=timeout), attempt_timeout=60.0)
    task = begun(run)
    assert task.timeout == timeout
    assert task.deadline - run.now == pytest.approx(deadline, abs=0.1)


# questions


def test_a_question_of_an_agent_waits_too() -> None:
    """For as long as its skill says; the asker's other questions are served meanwhile."""
    run = asking(retry=STEADY, discovery_timeout=60.0)
    (task,) = run.assigned()
    child = put(run, question(task)).child
    run.decide()
    run.say(last(run, child), raised())
    failed_at = run.now
    assert not run.decided()
    put(run, question(task, "d-2"))
    run.decide()
    assert last(run, child).attempt == 1
    run.sleep()
    assert run.now == pytest.approx(failed_at + 10.0)
    run.decide()
    assert last(run, child).attempt == 2


def test_an_inquiry_waits_and_its_barrier_is_not_settled_meanwhile() -> None:
    """The arbiters are asked when the answer can be there, not at each event."""
    asked: list[int] = []

    def curious(docket: Docket) -> Iterator[Verdict | Inquiry]:
        asked.append(1)
        inquiry = Inquiry(skill="trial", given={"n": 1})
        if docket.answer(inquiry) is None:
            yield inquiry

    class Judged(Outcome):
        verdicts: list[Verdict]

    answers: Iterator[JsonValue | Failure] = iter([raised(), raised(), {}])
    cards = [
        card("eye", "look", "retries.Seen.v1", witness=True, ask="retries.Ask.v1"),
        card("judge", "trial", "retries.Trial.v1", n="retries.N.v1"),
    ]
    policy = Policy(goal=Ask, outcome=Judged, arbiters=(curious,), retry=STEADY)
    skills: dict[str, Handler] = {"look": lambda _: {"claims": []}, "trial": lambda _: next(answers)}
    run = Simulation(policy, cards, skills)
    assert run.run(GOAL, Ask.__contract__).status == "decided"
    assert waits(run) == [10.0, 20.0]
    calls = len(asked)
    again = Simulation(policy, cards, {**skills, "trial": lambda _: raised()})
    again.ask(GOAL, Ask.__contract__)
    while not ends(again):
        if not again.decided():
            again.answer(again.open_tasks()[0])
    asked.clear()
    for _ in range(3):
        assert not again.decided()
        again.append(None, "eve", "result", "x", "1")
    assert asked == []
    assert calls <= 6


def test_a_planners_inquiry_waits_too() -> None:
    inquiry = Inquiry(skill="think", given={"n": 1})

    def planner(brief: Brief) -> Plan | Inquiry:
        if brief.answer(inquiry) is None:
            return inquiry
        return Plan(
            steps=(Step(id="ann-sum", skill="sum", inputs={"ask": FromGoal()}, agents=("ann",)),),
            outcome={"total": FromSteps(steps=("ann-sum",))},
        )

    run = office(clerk("ann"), planner=planner, answers=lambda _: {})
    run.cards.append(card("sage", "think", "retries.Thought.v1", n="retries.N.v1"))
    answers: Iterator[JsonValue | Failure] = iter([raised(), {}])
    run.skills["think"] = lambda _: next(answers)
    assert run.run(GOAL, Ask.__contract__).status == "decided"
    assert waits(run)[0] == 10.0


# while it waits


def test_a_report_says_which_attempt_is_due_when_and_why() -> None:
    run = office(clerk("ann"))
    task = begun(run)
    assert report("office", run.state).due == ()
    run.say(task, raised("no disk"))
    (again,) = report("office", run.state).due
    assert (again.task, again.attempt, again.max_attempts, again.wait, again.because) == (
        "ann-sum",
        2,
        4,
        10.0,
        "no disk",
    )
    assert datetime.fromisoformat(again.time).timestamp() == pytest.approx(run.now + 10.0, abs=0.001)
    run.sleep()
    run.decide()
    assert report("office", run.state).due == ()


def test_a_run_that_ends_while_a_task_waits_leaves_nothing_due() -> None:
    run = office(clerk("ann"))
    run.say(begun(run), raised())
    run.append(
        DeadLetter(task="ann-sum", agent="ann", skill="sum", attempts=1, kind="raised", because=""),
        COORDINATOR,
        "event",
    )
    assert run.state.retries == []
    run.decide()
    assert run.state.concluded is not None
    assert report("office", run.state).due == ()


def test_another_coordinator_goes_on_with_the_waits_that_are_on_the_log() -> None:
    """It folds the log, and neither starts the wait again nor ends it sooner; its own policy counts from then on."""
    run = office(clerk("ann"))
    run.say(begun(run), raised())
    due = run.state.tasks["ann-sum"].due
    run.policy = Policy(goal=Ask, outcome=Summed, retry=RetryPolicy(max_attempts=4, initial_interval=1.0, jitter=0.0))
    run.append(RunAcquired(instance="two", retry=run.policy.retry), COORDINATOR, "event", "runacquired")
    run.refold()
    run.sleep()
    assert run.now == due
    run.decide()
    run.say(run.assigned()[-1], raised())
    run.sleep()
    run.decide()
    assert waits(run) == [10.0, 2.0]
