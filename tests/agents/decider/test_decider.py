"""The decider: whole runs without a bus, in orders of chance, with crashes, failures, silence and strangers."""

import gc
import math
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import Any

import pytest
from pydantic import JsonValue

from hustings.agents import (
    Brief,
    Docket,
    Policy,
    RunState,
    decide,
    fixed,
    fold,
    independent,
    keep,
    majority,
    rules,
    unopposed,
    verified,
)
from hustings.agents.arbitration.settling import settle
from hustings.agents.decider.decision import wake
from hustings.protocols import (
    COORDINATOR,
    Assigned,
    AttemptAbandoned,
    Cancelled,
    Claim,
    Data,
    DeadLetter,
    Failure,
    FromGoal,
    FromSteps,
    FromVerdicts,
    Goal,
    GoalAsked,
    Inquiry,
    Message,
    Opened,
    Outcome,
    Plan,
    Planned,
    Result,
    RetryPolicy,
    Ruling,
    Settled,
    Step,
    Verdict,
    open_envelope,
)

from ..sayings import edit, proposal
from ..simulation import AT_ONCE, Handler, Simulation, card, raised, refused


class Text(Message):
    words: int


class Ask(Goal):
    text: Text


class Summary(Message): ...


class Proven(Message): ...


class Summed(Outcome):
    summary: Summary


class Reviewed(Outcome):
    summary: Summary
    proof: Proven
    verdicts: list[Verdict]


GOAL: Data = {"text": {"words": 1}}

# the review board, in small

BOARD = [
    card("ruff", "check", "Findings.v1", witness=True, text="Text.v1"),
    card("flake", "check", "Findings.v1", witness=True, text="Text.v1"),
    card("guard", "check", "Findings.v1", witness=True, text="Text.v1"),
    card("scribe", "draft", "Draft.v1", text="Text.v1", verdicts="[hustings.Verdict.v1]"),
    card("black", "format", "Formatting.v1", witness=True, draft="Draft.v1"),
    card("scribe", "finish", "Summary.v1", draft="Draft.v1", verdicts="[hustings.Verdict.v1]"),
    card("prover", "prove", "Proven.v1", text="Text.v1", summary="Summary.v1"),
    card("prover", "trial", "hustings.Trial.v1", text="Text.v1", proposals="[hustings.Proposal.v1]"),
]
MEMBERS = ("ruff", "flake", "guard", "scribe", "black", "prover")
ARBITERS = (unopposed, independent, rules(keep), majority, verified("trial"))


def says(*proposals: Message, claims: Iterable[Claim] = ()) -> Handler:
    said: Data = {
        "claims": [each.plain() for each in claims],
        "proposals": [each.plain() for each in proposals],
    }
    return lambda _: said


def trial(given: Data) -> JsonValue:
    """The prover finds whoever writes "bad" guilty."""
    asked = given["proposals"]
    assert isinstance(asked, list)
    guilty = {str(each["id"]): "breaks a test" for each in asked if isinstance(each, dict) and "bad" in str(each)}
    holds: list[JsonValue] = [each["id"] for each in asked if isinstance(each, dict) and each["id"] not in guilty]
    return {"holds": holds, "falls": dict(guilty), "because": "the tests ran"}


SKILLS: dict[str, Handler] = {
    "ruff.check": says(
        proposal("", "", edit(1, 2, "y"), lineage="pyflakes"),
        proposal("", "", edit(5, 6, "z")),
        proposal("", "", edit(20, 21, "bad")),
    ),
    "flake.check": says(
        proposal("", "", edit(1, 2, "y"), lineage="pyflakes"),
        proposal("", "", edit(5, 7, "q")),
        claims=[Claim(about="size", value=1)],
    ),
    "guard.check": says(
        proposal("", "", edit(30, 31, "old"), proven=True),
        proposal("", "", edit(20, 21, "bad")),
        claims=[Claim(about="size", value=2)],
    ),
    "draft": lambda given: {"verdicts": given["verdicts"]},
    "format": says(proposal("", "", edit(9, 9, "n", base="b2"))),
    "finish": lambda given: {"draft": given["draft"], "verdicts": given["verdicts"]},
    "prove": lambda _: {},
    "trial": trial,
}


def board(seed: int = 0, *, crash: bool = False, skills: dict[str, Handler] | None = None, **policy: Any) -> Simulation:
    laid_down: dict[str, Any] = {"members": MEMBERS, "arbiters": ARBITERS, "retry": AT_ONCE, **policy}
    return Simulation(
        Policy(goal=Ask, outcome=Reviewed, **laid_down), BOARD, {**SKILLS, **(skills or {})}, seed=seed, crash=crash
    )


def verdicts(run: Simulation) -> list[Verdict]:
    return [verdict for barrier in run.state.barriers.values() for verdict in barrier.verdicts]


def test_any_order_and_any_crash_gives_the_same_end() -> None:
    """200 orders of answers, after each decision only a prefix stored and the log folded afresh: one outcome."""
    ends = set()
    for seed in range(200):
        run = board(seed, crash=seed > 0)
        end = run.run(GOAL, Ask.__contract__)
        ends.add(
            (end.status, end.because, repr(run.state.outcome()), tuple(v.model_dump_json() for v in verdicts(run)))
        )
    assert len(ends) == 1
    settled = {verdict.matter: verdict for verdict in verdicts(run)}
    assert (end.status, end.missing) == ("decided", ())
    assert {verdict.rule for verdict in settled.values()} == {"unopposed", "undecided", "verified"}
    assert [v.because for v in settled.values() if v.rule == "verified"] == ["breaks a test"]


def test_a_replay_gives_the_hash_that_the_conclusion_names() -> None:
    """Folded up to Concluded.at, the log gives Concluded.state_hash, crashes or not."""
    for seed in range(10):
        run = board(seed, crash=seed > 4)
        end = run.run(GOAL, Ask.__contract__)
        assert fold("r1", [entry for entry in run.log if entry.seq <= end.at]).hash() == end.state_hash


FOLD = """
import sys
from hustings.agents import fold
from hustings.protocols import Entry, Subject, open_envelope
entries = []
for line in sys.stdin:
    seq, author, kind, rest, time, raw = line.rstrip().split(" ", 5)
    subject = Subject("r1", author, kind, tuple(rest.split(".")) if rest != "-" else ())
    entries.append(Entry(int(seq), subject, float(time), open_envelope(raw.encode())))
print(fold("r1", entries).hash())
"""


@pytest.mark.processes
def test_another_process_folds_to_the_same_hash() -> None:
    """From the bytes on the wire and under another seed of Python's hashes."""
    run = board()
    run.run(GOAL, Ask.__contract__)
    lines = [
        f"{e.seq} {e.subject.author} {e.subject.kind} {'.'.join(e.subject.rest) or '-'} {e.time!r} "
        + e.envelope.encode().decode()
        for e in run.log
        if e.envelope
    ]
    found = subprocess.run(
        [sys.executable, "-c", FOLD],
        input="\n".join(lines),
        env={"PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == run.state.hash()


# attempts


def office(*agents: str, skills: dict[str, Handler] | None = None, **policy: Any) -> Simulation:
    """Interchangeable clerks that each offer `sum`."""
    cards = [card(agent, "sum", "Summary.v1", text="Text.v1") for agent in agents]
    laid_down: dict[str, Any] = {"retry": AT_ONCE, **policy}
    return Simulation(Policy(goal=Ask, outcome=Summed, **laid_down), cards, {"sum": lambda _: {}, **(skills or {})})


def tries(most: int) -> RetryPolicy:
    return AT_ONCE.model_copy(update={"max_attempts": most})


def begun(run: Simulation) -> Simulation:
    """The run with its goal asked, and all decided that can be decided before anybody answers."""
    run.ask(GOAL, Ask.__contract__)
    run.decide()
    return run


def test_a_second_attempt_goes_to_another_agent() -> None:
    """Whatever went wrong, somebody else may do better; after `max_attempts` the step is lost."""
    run = office("ann", "bob", "cy", retry=tries(3), skills={"sum": lambda _: raised()})
    end = run.run(GOAL, Ask.__contract__)
    first, second, third = run.assigned()
    assert [first.attempt, second.attempt, third.attempt] == [1, 2, 3]
    assert first.agent != second.agent != third.agent
    assert end.status == "failed"
    assert end.because == f"outcome.summary cannot be filled any more: {third.agent}: boom"


def test_an_agent_that_is_alone_gets_the_second_attempt_too() -> None:
    """A hiccup of the only agent costs an attempt, not the run."""
    answers: Iterator[JsonValue | Failure] = iter([raised(), {}])
    run = office("ann", skills={"sum": lambda _: next(answers)})
    assert run.run(GOAL, Ask.__contract__).status == "decided"
    assert [(task.agent, task.attempt) for task in run.assigned()] == [("ann", 1), ("ann", 2)]


def test_what_was_refused_is_never_tried_again() -> None:
    """Bad input stays bad: nobody else is asked."""
    run = office("ann", "bob", retry=tries(5), skills={"sum": lambda _: refused("no text")})
    end = run.run(GOAL, Ask.__contract__)
    assert len(run.assigned()) == 1
    assert (end.status, end.missing) == ("failed", ("ann",))
    assert "no text" in end.because


def test_a_failure_that_lasts_is_left_to_others() -> None:
    """A key that is missing stays missing: whoever said so is not asked again, others have all attempts that are left.
    With nobody else the task is given up at once."""
    unfit = raised("no key").model_copy(update={"lasting": True})
    for others, answers, agents, status in (
        ((), [], ["ann"], "failed"),
        (("bob",), [raised(), raised(), {}], ["ann", "bob", "bob", "bob"], "decided"),
        (("bob",), [unfit], ["ann", "bob"], "failed"),
        (("bob", "cy"), [raised(), unfit, raised(), {}], ["ann", "bob", "cy", "bob", "bob"], "decided"),
    ):
        said = iter(answers)
        skills: dict[str, Handler] = {"ann.sum": lambda _: unfit, "sum": lambda _, said=said: next(said)}  # type: ignore[misc]
        run = office("ann", *others, retry=tries(5), skills=skills)
        end = run.run(GOAL, Ask.__contract__)
        assert ([task.agent for task in run.assigned()], end.status) == (agents, status)
        letters = [entry.event for entry in run.log if isinstance(entry.event, DeadLetter)]
        assert [letter.attempts for letter in letters] == [len(agents)] * (status == "failed")


def test_no_answer_by_the_deadline_is_a_new_attempt() -> None:
    """The deadline is `timeout` after the assignment; the next attempt has one of its own."""
    run = begun(office("ann", "bob", attempt_timeout=30.0))
    (first,) = run.assigned()
    run.sleep()
    assert run.now == first.deadline
    run.decide()
    _, second = run.assigned()
    assert (second.agent, second.attempt) == ("bob", 2)
    assert second.deadline == run.state.deadlines[0][0] >= first.deadline + 30


def test_silence_past_the_lease_is_a_new_attempt() -> None:
    """An agent that is gone loses its task after the lease, long before the deadline; not sooner."""
    run = begun(office("ann", "bob", heartbeat_timeout=5.0))
    (first,) = run.assigned()
    run.dead = frozenset({first.agent})
    run.decide()
    assert len(run.assigned()) == 1
    since = run.now
    run.sleep()
    assert since < run.now <= since + 5.0
    run.decide()
    (abandoned,) = [entry.event for entry in run.log if isinstance(entry.event, AttemptAbandoned)]
    assert "heartbeat" in abandoned.because
    assert run.assigned()[1].agent == "bob"


def test_an_answer_to_an_older_attempt_changes_nothing() -> None:
    """It is on record, and the later attempt still counts."""
    run = begun(office("ann", "bob", attempt_timeout=30.0))
    (first,) = run.assigned()
    run.sleep()
    run.decide()
    before = run.state.steps, run.state.tasks
    run.say(first, {"late": True})
    assert (run.state.steps, run.state.tasks) == before
    assert run.state.invalid == 0
    run.play()
    assert run.state.outcome() == {"summary": {}}


def answers(state: RunState) -> Callable[[Inquiry], Data]:
    def answer(inquiry: Inquiry) -> Data:
        said = state.answers[inquiry.task]
        assert isinstance(said, dict)
        return said

    return answer


def test_a_log_of_rulings_gives_the_verdicts_that_the_arbiters_gave() -> None:
    """Written, read and folded afresh, each barrier has the items of the results, and what `settle` makes of them."""
    for seed in range(20):
        run = board(seed, crash=seed % 2 > 0)
        run.run(GOAL, Ask.__contract__)
        read = [open_envelope(entry.envelope.encode()) for entry in run.log if entry.envelope]
        state = fold("r1", [entry._replace(envelope=said) for entry, said in zip(run.log, read, strict=True)])
        for barrier in state.barriers.values():
            assert barrier.verdicts == tuple(settle(barrier.matters, barrier.items, ARBITERS, answers(state)))
            assert barrier.verdicts
        assert state.hash() == run.state.hash()


def test_rulings_on_what_nobody_said_are_invalid() -> None:
    """Matters and items that are not there, whoever names them: counted, and the barrier waits for a right one."""
    run = board()
    run.ask(GOAL, Ask.__contract__)
    while not run.state.unsettled:
        if not run.decided():
            run.answer(run.open_tasks()[0])
    (name,) = run.state.unsettled
    for ruling in (
        Ruling(matter="C-99", decided=True, rule="r", because="b"),
        Ruling(matter="C-1", decided=True, rule="r", because="b", stands=("ghost.0",)),
    ):
        before = run.state.invalid
        run.append(Settled(barrier=name, rulings=(ruling,)), COORDINATOR, "event", "settled")
        assert (run.state.invalid, run.state.barriers[name].status) == (before + 1, "open")
    assert run.play().status == "decided"


# strangers


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda run, task: run.append(None, task.agent, "result", task.task, "1"), id="unreadable bytes"),
        pytest.param(
            lambda run, task: run.append(
                Result(task=task.task, attempt=1, agent="eve", output={}), "eve", "result", task.task, "1"
            ),
            id="another author",
        ),
        pytest.param(
            lambda run, task: run.append(
                Result(task="other", attempt=1, agent=task.agent, output={}), task.agent, "result", task.task, "1"
            ),
            id="the answer to something else",
        ),
    ],
)
def test_an_invalid_answer_costs_one_attempt(spoil: Callable[[Simulation, Assigned], None]) -> None:
    """A stranger's bytes on the subject of an open attempt cost that attempt, never the run."""
    run = begun(office("ann", "bob"))
    spoil(run, run.assigned()[0])
    assert run.state.invalid == 1
    run.decide()
    assert [task.attempt for task in run.assigned()] == [1, 2]
    assert run.play().status == "decided"


def test_the_reason_of_an_invalid_answer_is_true() -> None:
    """It names the author where that is wrong, and what was answered where that is wrong."""
    run = begun(office("ann", retry=tries(1)))
    run.append(Result(task="other", attempt=1, agent="ann", output={}), "ann", "result", "ann-sum", "1")
    assert run.state.missing == {"ann": "the answer is to something else"}


def test_a_witness_that_gives_no_testimony_costs_one_attempt() -> None:
    """Its answer is invalid; the witness is lost, and the run names it."""
    run = board(skills={"ruff.check": lambda _: {"claims": "none"}})
    end = run.run(GOAL, Ask.__contract__)
    assert len(run.assigned("ruff-check")) == 2
    assert (end.status, end.missing) == ("partial", ("ruff",))
    assert "not a Testimony" in end.because


def test_a_witness_may_say_a_list_of_testimonies() -> None:
    """All that is in the list is heard, each item under an id of its own."""
    two: JsonValue = [{"claims": [{"about": "p", "value": 1}]}, {"claims": [{"about": "q", "value": 2}]}]
    run = board(skills={"ruff.check": lambda _: two})
    assert run.run(GOAL, Ask.__contract__).status == "decided"
    heard = [item for barrier in run.state.barriers.values() for item in barrier.items.values() if item.by == "ruff"]
    assert [(item.id, item.value) for item in heard if isinstance(item, Claim)] == [
        ("ruff-check.0", 1),
        ("ruff-check.1", 2),
    ]


NOISE = [
    None,
    Assigned(task="x", step="ghost", agent="ann", attempt=1, skill="sum", input={}, deadline=0.0),
    Assigned(task="x", step="", agent="ann", attempt=1, skill="sum", input={}, deadline=0.0, asked_by="ghost"),
    AttemptAbandoned(task="ghost", attempt=1, because="so"),
    Opened(barrier="ghost", matters=()),
    Opened(barrier="scribe-draft.verdicts", matters=()),
    Settled(barrier="ghost", rulings=()),
    Opened(barrier="outcome.verdicts", matters=()),
    Settled(barrier="outcome.verdicts", rulings=()),
    Settled(barrier="scribe-draft.verdicts", rulings=()),
    Planned(plan=Plan(steps=(), outcome={})),
    GoalAsked(type="Other.v1", goal={}, by="eve"),
    Result(task="x", attempt=1, agent="eve", output={}),
]


def test_strangers_on_the_coordinators_subjects_are_counted_and_passed_over() -> None:
    """Whatever is written there out of place, readable or not: the run comes to the same end."""
    quiet = board()
    quiet.run(GOAL, Ask.__contract__)
    loud = board()
    loud.ask(GOAL, Ask.__contract__)
    for event in NOISE[:1]:
        loud.append(event, COORDINATOR, "event", "runacquired")
    loud.decided()
    for event in NOISE:
        loud.append(event, COORDINATOR, "event", "runacquired")
    assert loud.state.invalid == 1 + len(NOISE)
    assert loud.state.fence == loud.state.seq
    loud.play()
    assert loud.state.outcome() == quiet.state.outcome()
    assert verdicts(loud) == verdicts(quiet)


# what is lost


def test_a_lost_witness_is_partial_and_named() -> None:
    """The others' verdicts stand; the run says who is missing and why."""
    run = board(skills={"flake.check": lambda _: raised("no config")})
    end = run.run(GOAL, Ask.__contract__)
    assert (end.status, end.missing) == ("partial", ("flake",))
    assert "flake: no config" in end.because
    assert {"summary", "proof", "verdicts"} == set(end.filled)


def test_a_lost_outcome_is_a_failed_run_that_names_the_field() -> None:
    """What hangs on a lost step is lost; the reason at its root is told."""
    end = board(skills={"draft": lambda _: raised("no paper")}).run(GOAL, Ask.__contract__)
    assert end.status == "failed"
    assert end.because == "outcome.summary cannot be filled any more: scribe: no paper"


def test_absent_members_are_waited_for_and_then_named() -> None:
    """Planning waits for `execution_timeout`, then goes on without; who is absent makes the run partial."""
    run = board(discovery_timeout=10.0)
    run.dead = frozenset({"flake"})
    run.ask(GOAL, Ask.__contract__)
    asked = run.now
    assert not run.decided()
    run.sleep()
    assert run.now == asked + 10.0
    end = run.play()
    assert (end.status, end.missing) == ("partial", ("flake",))
    assert run.assigned("flake-check") == []


def test_a_plan_that_cannot_be_without_the_absent_fails_and_names_them() -> None:
    """The error of the planner is the reason of the run."""
    run = board(discovery_timeout=10.0)
    run.dead = frozenset({"scribe"})
    end = run.run(GOAL, Ask.__contract__)
    assert (end.status, end.missing) == ("failed", ("scribe",))
    assert "absent: scribe" in end.because


# inquiries


def test_nobody_to_prove_fails_closed_after_patience() -> None:
    """The barrier waits for whoever could answer; then nothing unproved stands, and the run goes on."""
    run = board(discovery_timeout=10.0)
    run.cards = [each for each in BOARD if each.name != "trial"]
    end = run.run(GOAL, Ask.__contract__)
    assert end.status == "decided"
    assert run.now > 1010.0
    changed = [item for verdict in verdicts(run) for item in verdict.stands if not isinstance(item, Claim)]
    assert all(item.keeps for item in changed)
    assert any("trial: nobody offers it" in verdict.because for verdict in verdicts(run))


def test_a_prover_that_cannot_be_fed_is_told_apart_from_none() -> None:
    """Somebody offers the skill, but one of its parameters is not to be had."""
    run = board(discovery_timeout=10.0)
    greedy = card("prover", "trial", "hustings.Trial.v1", key="Key.v1", proposals="[hustings.Proposal.v1]")
    run.cards = [greedy if each.name == "trial" else each for each in BOARD]
    run.run(GOAL, Ask.__contract__)
    assert any("cannot be given all parameters" in verdict.because for verdict in verdicts(run))


def test_a_prover_that_dies_and_leaves_no_card_fails_closed() -> None:
    """An inquiry whose first attempt failed and that nobody can be asked again does not go round for ever."""
    run = board(discovery_timeout=10.0)
    run.ask(GOAL, Ask.__contract__)
    while not (asked := [task for task in run.open_tasks() if task.skill == "trial"]):
        if not run.decided():
            run.answer(run.open_tasks()[0])
    run.say(asked[0], raised("out of memory"))
    run.cards = [each for each in BOARD if each.name != "trial"]
    assert run.play().status == "decided"


def test_an_inquiry_that_fails_is_asked_again() -> None:
    """Inquiries are tasks like any other: as many attempts, and then the reason is on record."""
    answers: Iterator[JsonValue | Failure] = iter([raised(), raised("no disk"), *[raised("again")] * 2])
    run = board(skills={"trial": lambda _: next(answers)})
    assert run.run(GOAL, Ask.__contract__).status == "decided"
    first = verdicts(run)[0]
    assert "no disk" in first.because
    attempts = [task.attempt for task in run.assigned() if task.skill == "trial"]
    assert attempts == [1, 2, 1, 2]


@pytest.mark.parametrize("nonsense", [None, 3, "proved", [], {"holds": "all"}])
def test_a_prover_that_answers_nonsense_fails_closed(nonsense: JsonValue) -> None:
    """Even null is an answer: nothing unproved stands, and the run goes on."""
    run = board(skills={"trial": lambda _: nonsense})
    assert run.run(GOAL, Ask.__contract__).status == "decided"
    assert any("the answer is not a Trial" in verdict.because for verdict in verdicts(run))


def test_an_empty_docket_may_be_asked_about_too() -> None:
    """An arbiter that inquires where nothing was said is answered before the barrier is settled."""

    def curious(docket: Docket) -> Iterator[Verdict | Inquiry]:
        inquiry = Inquiry(skill="trial", given={"proposals": []})
        if docket.answer(inquiry) is None:
            yield inquiry

    nothing = says()
    silence = {"ruff.check": nothing, "flake.check": nothing, "guard.check": nothing, "format": nothing}
    run = board(skills=silence, arbiters=(curious,))
    assert run.run(GOAL, Ask.__contract__).status == "decided"
    kinds = [type(e.event).__name__ for e in run.log if isinstance(e.event, Opened | Settled) or _trial(e.event)]
    assert kinds[:3] == ["Opened", "Assigned", "Settled"]


def _trial(event: object) -> bool:
    return isinstance(event, Assigned) and event.skill == "trial"


def test_a_planner_may_ask_before_it_plans() -> None:
    """Its Inquiry is answered, and the plan it leads to carried out; that nobody answers reaches it as a Failure."""
    plan = Plan(
        steps=(Step(id="ann-sum", skill="sum", inputs={"text": FromGoal(field="text")}, agents=("ann",)),),
        outcome={"summary": FromSteps(steps=("ann-sum",))},
    )
    heard: list[Data | Failure] = []

    def planner(brief: Brief) -> Plan | Inquiry:
        inquiry = Inquiry(skill="think", given={"about": "it"})
        answer = brief.answer(inquiry)
        if answer is None:
            return inquiry
        heard.append(answer)
        return plan

    run = office("ann", planner=planner, skills={"think": lambda given: given})
    run.cards.append(card("sage", "think", "Thought.v1", text="Text.v1"))
    assert run.run(GOAL, Ask.__contract__).status == "decided"
    assert heard == [{"about": "it", "text": {"words": 1}}]
    alone = office("ann", planner=planner)
    assert alone.run(GOAL, Ask.__contract__).status == "decided"
    assert isinstance(heard[-1], Failure)


# other ends


def test_a_cancelled_run_ends_at_once() -> None:
    """One event, with what there is so far."""
    run = begun(board())
    run.append(Cancelled(by="client", because="never mind"), "client", "cancel")
    run.decide()
    end = run.state.concluded
    assert end is not None
    assert (end.status, end.because) == ("cancelled", "never mind")


def test_a_run_that_takes_longer_than_its_patience_fails() -> None:
    """The patience of the goal bounds the whole run."""
    run = office("ann")
    run.append(GoalAsked(type=Ask.__contract__, goal=GOAL, by="client", execution_timeout=20.0), "client", "goal")
    run.decide()
    run.sleep()
    assert run.now == run.state.asked_at + 20.0
    run.decide()
    assert run.state.concluded is not None
    assert (run.state.concluded.status, run.state.concluded.because) == ("failed", "it took longer than 20 s")


def test_undecided_stop_ends_for_a_person() -> None:
    """Where the team wants it, what nobody decided ends the run as undecided, with the count."""
    end = board(undecided="stop").run(GOAL, Ask.__contract__)
    assert (end.status, end.because) == (
        "undecided",
        "2 matters are undecided, and this team leaves that to a person",
    )


@pytest.mark.parametrize(
    ("goal", "type", "words"),
    [
        (GOAL, "Other.v1", "this team takes the goal Ask.v1, not Other.v1"),
        ({}, "Ask.v1", "the goal does not fit: text is missing"),
        ({"text": {"words": "1"}}, "Ask.v1", "the goal does not fit: text.words must be a whole number, not '1'"),
    ],
)
def test_a_goal_of_another_kind_fails_with_the_reason(goal: Data, type: str, words: str) -> None:
    """Strictly: "1" is not 1; and nobody is assigned anything."""
    run = office("ann")
    end = run.run(goal, type)
    assert (end.status, end.because) == ("failed", words)
    assert run.assigned() == []


def test_nothing_after_the_conclusion_changes_anything() -> None:
    """Late answers, cancellations and a second conclusion move the position, and nothing else."""
    run = board()
    end = run.run(GOAL, Ask.__contract__)
    before = run.state.hash()
    position = run.state.seq, run.state.fence
    run.say(run.assigned()[0], {})
    run.append(Cancelled(by="client"), "client", "cancel")
    run.append(end.model_copy(update={"status": "failed"}), COORDINATOR, "event", "concluded")
    run.append(None, "eve", "result", "x", "1")
    assert run.state.seq == position[0] + 4
    run.state.seq, run.state.fence = position
    assert run.state.hash() == before
    assert decide(run.state, run.policy, run.view()) == []


# lists


class Many(Goal):
    texts: list[Text]


class Sums(Outcome):
    summaries: list[Summary]
    verdicts: list[Verdict]


LINES = [
    card("clerk", "sum", "Summary.v1", text="Text.v1"),
    card("eye", "look", "Seen.v1", witness=True, summary="Summary.v1"),
]


def many(**skills: Handler) -> Simulation:
    known: dict[str, Handler] = {"sum": lambda given: given["text"], "look": says(), **skills}
    return Simulation(Policy(goal=Many, outcome=Sums), LINES, known)


def test_each_element_is_a_task_and_keeps_its_place() -> None:
    """Answered in any order, the list comes out in the order it went in."""
    run = many()
    end = run.run({"texts": [{"words": n} for n in range(5)]}, Many.__contract__)
    assert [task.task for task in run.assigned("clerk-sum")] == [f"clerk-sum-{n}" for n in range(5)]
    assert run.state.outcome()["summaries"] == [{"words": n} for n in range(5)]
    assert end.status == "decided"


def test_elements_that_fail_leave_the_others() -> None:
    """What hangs on the list goes on with what there is; the run is partial."""
    run = many(sum=lambda given: refused("odd") if "1" in str(given) else given["text"])
    end = run.run({"texts": [{"words": n} for n in range(3)]}, Many.__contract__)
    assert (end.status, end.missing) == ("partial", ("clerk",))
    assert run.state.outcome()["summaries"] == [{"words": 0}, {"words": 2}]
    assert len(run.assigned("eye-look")) == 2


def test_a_list_that_fails_as_a_whole_is_lost() -> None:
    """Nothing is left of it, so the outcome cannot be had."""
    end = many(sum=lambda _: refused("odd")).run({"texts": [{"words": 1}]}, Many.__contract__)
    assert end.status == "failed"
    assert "outcome.summaries" in end.because


def test_an_empty_list_is_no_loss() -> None:
    """No task, no failure: what hangs on it gets an empty list."""
    run = many()
    end = run.run({"texts": []}, Many.__contract__)
    assert (end.status, run.state.outcome()) == ("decided", {"summaries": [], "verdicts": []})
    assert run.assigned() == []


# barriers


def test_what_is_settled_is_not_reopened() -> None:
    """The second barrier opens what is new; its taker hears the verdicts of both, the first ones unchanged."""
    run = board()
    run.run(GOAL, Ask.__contract__)
    first, second = run.state.barriers.values()
    assert {item.by for item in first.items.values()} == {"ruff", "flake", "guard"}
    assert {item.by for item in second.items.values()} == {"black"}
    drafted, finished = run.assigned("scribe-draft")[0], run.assigned("scribe-finish")[0]
    earlier, later = drafted.input["verdicts"], finished.input["verdicts"]
    assert isinstance(earlier, list)
    assert isinstance(later, list)
    assert later[: len(earlier)] == earlier
    assert len(later) == len(earlier) + 1
    assert run.state.outcome()["verdicts"] == later
    names = [verdict.matter for verdict in verdicts(run)]
    assert len(set(names)) == len(names)


def test_barriers_that_open_at_once_number_their_matters_apart() -> None:
    """Two barriers of one decision: no matter of the one has the id of a matter of the other, crash or not."""
    cards = [card(name, "look", "Seen.v1", witness=True, text="Text.v1") for name in ("ann", "bob")]
    steps = [
        Step(id=name, skill="look", inputs={"text": FromGoal(field="text")}, agents=(name,), witness=True)
        for name in ("ann", "bob")
    ]
    takers = [
        Step(id=f"sum-{name}", skill="sum", inputs={"of": FromVerdicts(steps=(name,))}, agents=("ann",))
        for name in ("ann", "bob")
    ]
    plan = Plan(steps=(*steps, *takers), outcome={"summary": FromSteps(steps=("sum-ann",))})
    both = says(proposal("", "", edit(1, 2, "x")), claims=[Claim(about="p", value=1), Claim(about="p", value=2)])
    for crash in (False, True):
        run = Simulation(
            Policy(goal=Ask, outcome=Summed, planner=fixed(plan)),
            cards,
            {"look": both, "sum": lambda _: {}},
            crash=crash,
        )
        run.ask(GOAL, Ask.__contract__)
        while not run.open_tasks() or not run.state.plan or len(run.assigned()) < 2:
            run.decided()
        for task in run.open_tasks():
            run.answer(task)
        run.play()
        assert sorted(verdict.matter for verdict in verdicts(run)) == ["C-1", "C-2", "M-1", "M-2"]


def test_the_steps_of_a_plan_may_stand_in_any_order() -> None:
    """A plan by a model or a person need not be sorted: barriers are raised along the arrows."""
    plan = _planned(board())
    for seed in range(20):
        shuffled = tuple(Random(seed).sample(plan.steps, len(plan.steps)))
        run = board(planner=fixed(plan.model_copy(update={"steps": shuffled})))
        end = run.run(GOAL, Ask.__contract__)
        assert end.status == "decided"
        assert len([entry for entry in run.log if isinstance(entry.event, Opened)]) == 2


def _planned(run: Simulation) -> Plan:
    run.ask(GOAL, Ask.__contract__)
    run.decided()
    assert run.state.plan is not None
    return run.state.plan


def test_a_plan_with_faults_fails_the_run_in_words() -> None:
    """Nothing of it is begun."""
    plan = Plan(steps=(), outcome={"summary": FromVerdicts(steps=("ghost",))})
    end = office("ann", planner=fixed(plan)).run(GOAL, Ask.__contract__)
    assert (end.status, end.because) == (
        "failed",
        "the plan cannot be carried out: the outcome needs ghost, which is not a step",
    )


# always


def test_decide_is_pure_and_every_run_ends() -> None:
    """Under chance: failures, refusals, nonsense, late and doubled answers, deaths, strangers, crashes, jumps of time.

    Asked twice it says the same; it never touches the state; wake() is in the future whenever something is timed; and
    the run comes to a conclusion whose hash a replay confirms.
    """
    for seed in range(60):
        chance = Random(seed)
        run = board(seed, crash=chance.random() < 0.5)
        run.ask(GOAL, Ask.__contract__)
        for _ in range(2000):
            if run.state.concluded:
                break
            _checked(run)
            if not (chance.random() < 0.8 and run.decided()):
                _something_happens(run, chance)
        end = run.state.concluded
        assert end is not None, f"seed {seed} does not end"
        assert fold("r1", [entry for entry in run.log if entry.seq <= end.at]).hash() == end.state_hash


def _checked(run: Simulation) -> None:
    before = run.state.hash()
    first = decide(run.state, run.policy, run.view())
    assert decide(run.state, run.policy, run.view()) == first
    at = wake(run.state, run.policy, run.view())
    assert run.state.hash() == before
    assert at is None or at > run.now
    if not first:
        assert at is not None, "nothing to decide, and nothing to wait for"


def _something_happens(run: Simulation, chance: Random) -> None:
    tasks = run.open_tasks()
    match chance.choice(["answer"] * 8 + ["fail", "nonsense", "again", "death", "stranger", "time"]):
        case "answer" if tasks:
            run.answer(chance.choice(tasks))
        case "fail" if tasks:
            run.say(chance.choice(tasks), chance.choice([raised(), refused()]))
        case "nonsense" if tasks:
            run.say(chance.choice(tasks), chance.choice([None, 3, [], {"claims": 1}, {"holds": {}}]))  # type: ignore[arg-type]
        case "again" if run.assigned():
            run.say(chance.choice(run.assigned()), {})
        case "death":
            run.dead = frozenset(chance.sample(MEMBERS, chance.choice([0, 0, 1])))
        case "stranger":
            run.append(chance.choice(NOISE), chance.choice([COORDINATOR, "eve"]), "event", "runacquired")
        case "time" if at := wake(run.state, run.policy, run.view()):
            run.now = at


# cost


def line(count: int) -> Plan:
    """Steps that all hang on the goal, and one that takes what all of them say."""
    steps = [
        Step(id=f"s{n}", skill="sum", inputs={"x": FromGoal(field="text")}, agents=("ann", "bob")) for n in range(count)
    ]
    end = Step(
        id="end", skill="sum", inputs={"x": FromSteps(steps=tuple(s.id for s in steps), many=True)}, agents=("ann",)
    )
    return Plan(steps=(*steps, end), outcome={"summary": FromSteps(steps=("end",))})


def spent(count: int, runs: int) -> float:
    """Seconds of CPU per event, decider and fold alone, of so many runs of so many steps, answered turn by turn."""
    cards = [card(agent, "sum", "Summary.v1", x="Text.v1") for agent in ("ann", "bob")]
    policy = Policy(goal=Ask, outcome=Summed, planner=fixed(line(count)), max_open_tasks=count // 5)
    side_by_side = [Simulation(policy, cards, {"sum": lambda _: {}}) for _ in range(runs)]
    for run in side_by_side:
        begun(run)
    while rounds := [*zip(*(run.open_tasks() for run in side_by_side), strict=True)]:  # a window of tasks each
        for tasks in rounds:
            for run, task in zip(side_by_side, tasks, strict=True):
                run.answer(task)
                run.decided()
    assert {run.play().status for run in side_by_side} == {"decided"}
    return sum(run.cpu for run in side_by_side) / sum(len(run.log) for run in side_by_side)


@pytest.fixture
def quiet_memory() -> Iterator[None]:
    """Without the garbage collector's pauses, which depend on what other tests left behind."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.timing
@pytest.mark.usefixtures("quiet_memory")
def test_an_event_costs_the_same_however_long_the_run(unit: Callable[[], float]) -> None:
    """One run of 5,000 steps: under a hundredth of the unit (0.2 ms) an event, and no more than a quarter above
    ten runs of 500.

    The ten are answered turn by turn, so that they are as large in memory as the one.
    """
    short, long = math.inf, math.inf
    for _ in range(8):  # the best of several, for the machine may be busy; fewer where the first ones will do
        short, long = min(short, spent(500, 10)), min(long, spent(5000, 1))
        if long < unit() / 100 and long <= 1.25 * short:
            return
    raise AssertionError(f"{long * 1000:.4f} ms an event in a run of 5,000 steps, {short * 1000:.4f} in runs of 500")


# who takes part


def planned(run: Simulation) -> set[str]:
    run.run(GOAL, Ask.__contract__)
    assert run.state.plan
    return {agent for step in run.state.plan.steps for agent in step.agents}


def test_only_the_witnesses_that_are_wanted_are_heard() -> None:
    """Whoever is no witness takes part all the same."""
    run = board()
    run.only = ("ruff", "black")
    assert planned(run) == {"ruff", "black", "scribe", "prover"}


def test_who_is_skipped_takes_no_part_and_is_not_missed() -> None:
    run = board()
    run.skip = ("guard",)
    assert planned(run) == set(MEMBERS) - {"guard"}
    assert run.state.missing == {}


def test_an_inquiry_is_not_put_to_who_is_skipped() -> None:
    """Without its prover a board that demands proof fails closed."""
    run = board()
    run.skip = ("prover",)
    end = run.run(GOAL, Ask.__contract__)
    assert (end.status, "Proven.v1" in end.because) == ("failed", True)
