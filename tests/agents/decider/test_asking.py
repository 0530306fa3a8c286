"""Asking in the decider: who may ask, who answers, what is told to whom; without a bus, with crashes and budgets."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hustings.agents import Policy, decide, fold
from hustings.agents.decider.decision import wake
from hustings.agents.history.timeline import timeline_of
from hustings.agents.planning.planner import fixed
from hustings.agents.views.html.gantt import lanes
from hustings.agents.views.html.page import page
from hustings.agents.views.mermaid import sequence
from hustings.agents.views.text import describe
from hustings.protocols import (
    COORDINATOR,
    Amount,
    Answered,
    Asked,
    Assigned,
    AttemptAbandoned,
    Budget,
    BudgetShare,
    Concluded,
    Data,
    DeadLetter,
    Decision,
    FromGoal,
    FromSteps,
    Goal,
    Inquiry,
    Message,
    Outcome,
    Plan,
    Planned,
    Spent,
    Step,
)

from ..simulation import AT_ONCE, Simulation, card, raised, refused


class Errand(Goal, contract="asking.Errand.v1"):
    words: int = 1


class Note(Message, contract="asking.Note.v1"): ...


class Noted(Outcome):
    note: Note


GOAL: Data = {"words": 1}
CARDS = [
    card("ann", "write", "asking.Note.v1", errand="asking.Errand.v1"),
    card("bob", "look", "asking.Note.v1", word="asking.Word.v1"),
    card("cy", "look", "asking.Note.v1", word="asking.Word.v1"),
]
LONG: Data = {"n": 1}


def office(*more: object, cards: list[object] | None = None, **policy: object) -> Simulation:
    """Ann writes; bob and cy can look things up for her."""
    run = Simulation(
        Policy(goal=Errand, outcome=Noted, **{"retry": AT_ONCE, **policy}),  # type: ignore[arg-type]
        cards if cards is not None else [*CARDS, *more],  # type: ignore[arg-type, list-item]
        {"write": lambda _: {}, "look": lambda given: {"found": given["word"]}},
    )
    run.ask(GOAL, Errand.__contract__)
    run.decide()
    return run


def question(task: Assigned, ask: str = "d-1", skill: str = "look", share: BudgetShare | None = None) -> Asked:
    return Asked(
        task=task.task,
        attempt=task.attempt,
        agent=task.agent,
        ask=ask,
        skill=skill,
        input={"word": LONG},
        share=share,
    )


def put(run: Simulation, asked: Asked) -> Asked:
    """On the log, as its author writes it."""
    run.append(asked, asked.agent, "ask", asked.task, str(asked.attempt), asked.ask)
    return asked


def last(run: Simulation, name: str) -> Assigned:
    return [task for task in run.assigned() if task.task == name][-1]


def told(run: Simulation) -> list[Answered]:
    return [entry.event for entry in run.log if isinstance(entry.event, Answered)]


def test_a_question_is_a_task_and_its_answer_is_passed_on_once() -> None:
    """Two equal questions are two tasks, each with its own answer; the run ends as if nothing had been asked."""
    run = office()
    (task,) = run.assigned()
    one, two = put(run, question(task, "d-1")), put(run, question(task, "d-2"))
    run.decide()
    assert one.child != two.child
    children = [last(run, asked.child) for asked in (one, two)]
    assert {child.agent for child in children} == {"bob", "cy"}, "the least loaded, each"
    assert {(child.asked_by, child.step, child.depth) for child in children} == {("ask", "", 1)}
    for child in children:
        run.answer(child)
    run.decide()
    assert [(each.child, each.output) for each in told(run)] == [
        (one.child, {"found": LONG}),
        (two.child, {"found": LONG}),
    ]
    assert (run.play().status, run.state.invalid) == ("decided", 0)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda run, asked: run.append(asked, "eve", "ask", asked.task, "1", asked.ask), id="the author"),
        pytest.param(
            lambda run, asked: put(run, asked.model_copy(update={"agent": "bob"})), id="an agent without the task"
        ),
        pytest.param(
            lambda run, asked: run.append(asked, "ann", "ask", asked.task, "2", asked.ask), id="another attempt's place"
        ),
        pytest.param(
            lambda run, asked: run.append(asked, "ann", "ask", asked.task, "1", "d-9"), id="another question's place"
        ),
        pytest.param(lambda run, asked: run.append(asked, "ann", "spend", asked.task, "1", asked.ask), id="the kind"),
        pytest.param(lambda run, asked: put(run, asked.model_copy(update={"task": "ghost"})), id="no task of the run"),
        pytest.param(lambda run, asked: put(run, asked.model_copy(update={"attempt": 7})), id="no attempt yet"),
    ],
)
def test_a_question_out_of_place_is_invalid(spoil: Callable[[Simulation, Asked], object]) -> None:
    """Nobody is assigned anything for it, and it costs nobody anything."""
    run = office()
    (task,) = run.assigned()
    spoil(run, question(task))
    assert run.state.invalid == 1
    assert not run.decided()
    assert not run.state.asks
    assert run.play().status == "decided"


@pytest.mark.parametrize(
    "event",
    [
        Answered(child="ask-1", output={}),
        Assigned(task="ask-1", step="", agent="bob", attempt=1, skill="look", input={}, deadline=0.0, asked_by="ask"),
    ],
    ids=lambda event: type(event).__name__,
)
def test_what_was_not_asked_is_neither_assigned_nor_answered(event: Assigned | Answered) -> None:
    """On the coordinator's subjects too: invalid."""
    run = office()
    run.append(event, COORDINATOR, "event")
    assert run.state.invalid == 1
    assert run.play().status == "decided"


# whose attempt is over


def over(run: Simulation, task: Assigned, how: str) -> None:
    match how:
        case "failed":
            run.say(task, raised())
        case "refused":
            run.say(task, refused())
        case "done":
            run.answer(task)
        case _:
            run.append(AttemptAbandoned(task=task.task, attempt=task.attempt, because="silent"), COORDINATOR, "event")


@pytest.mark.parametrize("how", ["failed", "refused", "done", "abandoned"])
def test_nothing_is_assigned_for_whom_nobody_waits(how: str) -> None:
    """The attempt that asked is over before the question was heard, or after: no task, no answer, no stranger."""
    run = office()
    (task,) = run.assigned()
    put(run, question(task, "d-1"))
    over(run, task, how)
    put(run, question(task, "d-2"))
    run.decide()
    assert {each.step for each in run.assigned()} == {"ann-write"}
    assert (told(run), run.state.invalid, run.state.unserved, run.state.waiting) == ([], 0, {}, {})


def test_what_is_answered_after_its_asker_gave_up_is_there_for_the_next_attempt() -> None:
    """The second attempt of the same agent asks the same, and the work is not done again."""
    run = office()
    (task,) = run.assigned()
    child = put(run, question(task)).child
    run.decide()
    over(run, task, "failed")
    run.decide()
    run.answer(last(run, child))
    run.decide()
    assert told(run) == []
    put(run, question(last(run, task.task)))
    run.decide()
    assert [(each.child, each.output) for each in told(run)] == [(child, {"found": LONG})]
    assert len([each for each in run.assigned() if each.task == child]) == 1


def test_the_next_attempt_waits_for_the_task_that_is_under_way() -> None:
    """Asked again while it is being worked on: one task, one answer; and none more for what was answered already."""
    run = office(retry=AT_ONCE.model_copy(update={"max_attempts": 3}))
    (task,) = run.assigned()
    child = put(run, question(task)).child
    run.decide()
    over(run, task, "failed")
    run.decide()
    put(run, question(last(run, task.task)))
    run.decide()
    run.answer(last(run, child))
    run.decide()
    assert len(told(run)) == 1
    over(run, last(run, task.task), "failed")
    run.decide()
    put(run, question(last(run, task.task)))
    run.decide()
    assert len(told(run)) == 1, "it is on the log, where the asker reads from the beginning"
    assert len([each for each in run.assigned() if each.task == child]) == 1


def test_a_decision_that_was_overtaken_by_the_askers_answer_is_no_stranger() -> None:
    """Assigned and Answered were decided before the coordinator knew that nobody waits any more."""
    run = office()
    (task,) = run.assigned()
    child = put(run, question(task)).child
    (assigned,) = decide(run.state, run.policy, run.view())
    over(run, task, "done")
    run.append(assigned, COORDINATOR, "task")
    run.answer(last(run, child))
    run.append(Answered(child=child, output={}), COORDINATOR, "event")
    assert run.state.invalid == 0
    assert run.play().status == "decided"


# who answers


def test_a_child_that_fails_is_tried_again_by_another_and_then_given_up() -> None:
    """Its asker hears who failed and why; a task that was given up has its dead letter, as an inquiry has."""
    run = office()
    (task,) = run.assigned()
    child = put(run, question(task)).child
    for _ in range(2):
        run.decide()
        run.say(last(run, child), raised("no such word"))
    run.decide()
    tried = [each for each in run.assigned() if each.task == child]
    assert ([each.attempt for each in tried], {each.agent for each in tried}) == ([1, 2], {"bob", "cy"})
    (answer,) = told(run)
    assert answer.failed == f"{tried[1].agent} failed (raised): no such word"
    assert [entry.event.task for entry in run.log if isinstance(entry.event, DeadLetter)] == [child]
    assert run.play().status == "decided"


def test_nobody_who_waits_for_the_answer_is_asked_where_another_could_be() -> None:
    """An agent whose hands all wait for itself would wait for ever: neither who asks, nor who asked that one."""
    run = office(*(card(agent, "think", "asking.Note.v1", word="asking.Word.v1") for agent in ("ann", "bob", "cy")))
    (task,) = run.assigned()
    for n in range(4):
        put(run, question(task, f"d-{n}"))
    run.decide()
    assert {agent: len(tasks) for agent, tasks in run.state.open.items()} == {"ann": 1, "bob": 2, "cy": 2}
    agents = [task.agent]
    for _ in range(2):
        child = put(run, question(task, skill="think", ask="t-1")).child
        run.decide()
        task = last(run, child)
        agents.append(task.agent)
    assert agents == ["ann", "bob", "cy"], "though ann has least to do"


def test_an_agent_may_answer_itself_where_nobody_else_can() -> None:
    """It has other hands; and the deadline bounds it."""
    run = office(card("ann", "think", "asking.Note.v1", word="asking.Word.v1"))
    (task,) = run.assigned()
    child = put(run, question(task, skill="think")).child
    run.decide()
    assert (last(run, child).agent, last(run, child).deadline) == ("ann", task.deadline)


def test_a_child_has_no_more_time_than_who_waits_for_it() -> None:
    """However late it is asked: at the asker's deadline it is over."""
    run = office(attempt_timeout=30.0)
    (task,) = run.assigned()
    run.now += 20
    child = put(run, question(task)).child
    run.decide()
    assert last(run, child).deadline == task.deadline


def test_nothing_is_assigned_for_an_asker_that_is_abandoned_now() -> None:
    """A decision that gives the asker up assigns nothing for it, so that any prefix of it goes on with the rest."""
    run = office(attempt_timeout=30.0)
    (task,) = run.assigned()
    put(run, question(task))
    run.now = task.deadline
    (only,) = decide(run.state, run.policy, run.view())
    assert isinstance(only, AttemptAbandoned)


def test_what_nobody_offers_is_answered_after_patience() -> None:
    """Somebody may yet come: then he is asked. wake() knows when nobody is waited for any more."""
    run = office(discovery_timeout=10.0)
    (task,) = run.assigned()
    put(run, question(task, "d-1", skill="juggle"))
    asked = run.now
    assert not run.decided()
    run.sleep()
    assert run.now == pytest.approx(asked + 10.0)
    run.decide()
    assert [each.failed for each in told(run)] == ["juggle: nobody offers it"]
    put(run, question(task, "d-2", skill="juggle"))
    run.decide()
    assert len(told(run)) == 1
    run.cards.append(card("dan", "juggle", "asking.Note.v1", word="asking.Word.v1"))
    run.decide()
    assert run.assigned()[-1].agent == "dan"


@pytest.mark.parametrize(("budget", "most"), [(None, 4), (Budget(depth=2), 2), (Budget(calls=9), 4)])
def test_tasks_within_tasks_go_only_so_deep(budget: Budget | None, most: int) -> None:
    """A circle of agents that ask each other ends, and says so to who asked last."""
    run = office(budget=budget)
    (task,) = run.assigned()
    depths = []
    while not told(run):
        child = put(run, question(task)).child
        run.decide()
        if not told(run):
            task = last(run, child)
            depths.append(task.depth)
    assert depths == [*range(1, most + 1)]
    assert f"{most + 1} nested tasks would wait for each other" in told(run)[0].failed


def test_a_planner_may_ask_before_there_is_a_plan() -> None:
    """An inquiry is a task like any other: who works on it may ask, too."""
    inquiry = Inquiry(skill="draw", given={})
    plan = Plan(
        steps=(Step(id="s", skill="write", inputs={"errand": FromGoal()}, agents=("ann",)),),
        outcome={"note": FromSteps(steps=("s",))},
    )

    run = office(
        card("dora", "draw", "asking.Note.v1"),
        planner=lambda brief: plan if brief.answer(inquiry) is not None else inquiry,
    )
    (task,) = run.assigned()
    child = put(run, question(task)).child
    run.decide()
    run.answer(last(run, child))
    run.decide()
    assert [each.output for each in told(run)] == [{"found": LONG}]
    run.say(task, {})
    run.decide()
    assert [entry.event for entry in run.log if isinstance(entry.event, Planned)]


# the budget


def test_who_is_asked_spends_what_the_asker_gave() -> None:
    """Of eight calls ann has reserved four for bob: bob may spend four, and ann's half is no longer counted twice."""
    run = office(budget=Budget(calls=8))
    (task,) = run.assigned()
    assert task.share == BudgetShare(calls=8)
    amount = Amount(calls=4)
    run.append(Spent(task=task.task, attempt=1, agent="ann", amount=amount), "ann", "spend", task.task, "1")
    child = put(run, question(task, share=BudgetShare(calls=4))).child
    run.decide()
    assert last(run, child).share == BudgetShare(calls=4)
    assert run.state.committed == Amount(calls=8)


def test_what_was_not_reserved_cannot_be_given() -> None:
    """An asker that claims to give what it has not reserved gives nothing of the run's."""
    run = office(budget=Budget(calls=8))
    (task,) = run.assigned()
    child = put(run, question(task, share=BudgetShare(calls=4))).child
    run.decide()
    assert last(run, child).share == BudgetShare(calls=0)
    assert run.state.committed == Amount(calls=8)


# told


def test_a_question_is_told_as_an_inquiry_is() -> None:
    """In words, in the lanes and in the diagram; and the page about the run can be made."""
    run = office()
    (task,) = run.assigned()
    asked = put(run, question(task))
    run.decide()
    run.answer(last(run, asked.child))
    run.play()
    words = [describe(entry) for entry in run.log]
    assert f"ann-write asks for look: {asked.child}" in words
    assert f"gives {asked.child} to bob: look, asked for within a task" in words
    assert f"{asked.child} is answered" in words
    told_of = timeline_of("office", "r1", run.log)
    assert [(bar.lane, bar.skill, bar.status) for bar in told_of.bars if bar.inquiry] == [("bob", "look", "done")]
    assert [bar.status for bar in told_of.bars if not bar.inquiry] == ["done"]
    assert "look?" in str(lanes(told_of.lanes, told_of.bars, told_of.marks, told_of.seconds))
    assert "inquiry look" in sequence(told_of)
    assert "ann" in page(told_of)


def test_an_answer_that_there_is_not_and_a_question_out_of_place_are_told() -> None:
    """Why there is none; and that a stranger's question was passed over."""
    run = office(discovery_timeout=1.0)
    (task,) = run.assigned()
    child = put(run, question(task, skill="juggle")).child
    run.sleep()
    run.decide()
    assert describe(run.log[-1]) == f"{child} has no answer: juggle: nobody offers it"
    run.append(question(task, "d-2"), "ann", "spend", task.task, "1")
    assert describe(run.log[-1]).startswith("ignored: ann may not write hustings.task.asked.v1")


# always


@settings(derandomize=True, max_examples=80, deadline=None)
@given(st.integers(0, 20), st.integers(0, 10_000), st.booleans())
def test_whatever_happens_runs_in_which_agents_ask_end_within_the_budget(calls: int, seed: int, crash: bool) -> None:
    """Agents ask, ask again, spend all they have, fail, fall silent; coordinators crash between two events.

    Asked twice decide says the same, and after its first word it goes on with the rest; wake is in the future; a replay
    gives the hash; what was spent and may yet be spent is within the budget; nothing is answered twice, and nobody is a
    stranger.
    """
    chance = Random(seed)
    steps = [Step(id=f"s{n}", skill="write", inputs={"errand": FromGoal()}, agents=("ann", "dan")) for n in range(3)]
    plan = Plan(steps=tuple(steps), outcome={"note": FromSteps(steps=("s0", "s1", "s2"), many=True)})
    cards = [*CARDS, card("dan", "write", "asking.Note.v1", errand="asking.Errand.v1")]
    policy = Policy(goal=Errand, outcome=Noted, planner=fixed(plan), budget=Budget(calls=calls))
    run = Simulation(policy, cards, {"write": lambda _: {}, "look": lambda _: {}}, seed=seed, crash=crash)
    run.ask(GOAL, Errand.__contract__)
    spent: dict[tuple[str, int], int] = {}
    for _ in range(1000):
        if run.state.concluded:
            break
        first = decide(run.state, policy, run.view())
        assert decide(run.state, policy, run.view()) == first
        if chance.random() < 0.2:
            _goes_on(run, first)
        assert run.state.committed.calls <= calls
        if not run.decided():
            _something(run, chance, spent)
    end = run.state.concluded
    assert isinstance(end, Concluded)
    assert fold("r1", [entry for entry in run.log if entry.seq <= end.at]).hash() == end.state_hash
    assert sum(spent.values()) <= calls
    assert len({each.child for each in told(run)}) == len(told(run))
    assert run.state.invalid == 0


def _goes_on(run: Simulation, decided: list[Decision]) -> None:
    """After what gives up an attempt more is decided than before; after all else, just the rest."""
    if not decided or isinstance(decided[0], AttemptAbandoned | DeadLetter | Planned | Concluded):
        return
    view, other = run.view(), Simulation(run.policy, run.cards, run.skills, log=[*run.log], now=run.now)
    other.refold()
    other.append(decided[0], COORDINATOR, "task" if isinstance(decided[0], Assigned) else "event")
    assert decide(other.state, run.policy, view) == decided[1:]


def _something(run: Simulation, chance: Random, spent: dict[tuple[str, int], int]) -> None:
    tasks = run.open_tasks()
    if not tasks:
        run.sleep()
        return
    task = chance.choice(tasks)
    place = (task.task, task.attempt)
    left = (task.share.calls or 0 if task.share else 0) - spent.get(place, 0)
    match chance.choice(["ask"] * 4 + ["answer"] * 4 + ["spend", "fail", "abandon", "time", "death"]):
        case "ask":
            _ask(run, task, f"d-{chance.randint(1, 3)}", chance.choice(["look", "look", "juggle"]), left // 2, spent)
        case "answer":
            run.answer(task)
        case "spend" if left:
            _spend(run, task, left, spent)
        case "fail":
            run.say(task, chance.choice([raised(), refused()]))
        case "abandon":
            over(run, task, "abandoned")
        case "time" if at := wake(run.state, run.policy, run.view()):
            run.now = at
        case "death":
            run.dead = frozenset(chance.sample(["ann", "bob", "cy", "dan"], chance.choice([0, 1])))


def _ask(run: Simulation, task: Assigned, ask: str, skill: str, give: int, spent: dict[tuple[str, int], int]) -> None:
    """Reserve, then ask; what was asked before in this attempt stands."""
    if any(entry.subject.rest == (task.task, str(task.attempt), ask) for entry in run.log):
        return
    _spend(run, task, give, spent)
    spent["given", 0] = spent.get(("given", 0), 0) - give  # it is whoever is asked that spends it
    put(run, question(task, ask, skill, BudgetShare(calls=give)))


def _spend(run: Simulation, task: Assigned, calls: int, spent: dict[tuple[str, int], int]) -> None:
    place = (task.task, str(task.attempt))
    amount = Spent(task=task.task, attempt=task.attempt, agent=task.agent, amount=Amount(calls=calls))
    run.append(amount, task.agent, "spend", *place)
    spent[task.task, task.attempt] = spent.get((task.task, task.attempt), 0) + calls
