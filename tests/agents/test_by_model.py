"""by_model: nothing a model draws is believed before it is checked; what does not fit goes back with the reasons."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from moot.agents import Brief, by_contract, by_model, misfits
from moot.agents.planning import faults
from moot.protocols import (
    Budget,
    Data,
    Directory,
    Failure,
    FromVerdicts,
    Goal,
    Inquiry,
    Message,
    Outcome,
    Plan,
    PlanError,
    SkillCard,
    Verdict,
)

from .simulation import card


class Text(Message): ...


class Summary(Message): ...


class Ask(Goal):
    text: Text


class Summed(Outcome):
    summary: Summary


CARDS = (
    card("clerk", "sum", "Summary.v1", ask="Ask.v1", verdicts=f"[{Verdict.contract}]"),
    card("scribe", "sum", "Summary.v1", ask="Ask.v1", verdicts=f"[{Verdict.contract}]"),
    card("owl", "look", "Findings.v1", witness=True, text="Text.v1"),
    card("fox", "look", "Findings.v1", witness=True, text="Text.v1", hint="Text.v1?"),
)


def goal(name: str, field: str = "") -> Data:
    return {"name": name, "source": {"kind": "goal", "field": field}}


def step(id: str, agent: str, skill: str, *inputs: Data, each: str = "") -> Data:
    return {"id": id, "agent": agent, "skill": skill, "inputs": [*inputs], "each": each}


VERDICTS: Data = {"name": "verdicts", "source": {"kind": "verdicts"}}
SUMMARY: Data = {"name": "summary", "source": {"kind": "steps", "steps": ["end"]}}
GOOD: list[JsonValue] = [
    step("a", "owl", "look", goal("text", "text")),
    step("b", "fox", "look", goal("text", "text")),
    step("end", "clerk", "sum", goal("ask"), VERDICTS),
]


def sketch(*steps: JsonValue, outcome: JsonValue = SUMMARY) -> Data:
    return {"steps": [*steps], "outcome": [outcome]}


def brief(
    *answers: Data | Failure,
    dead: tuple[str, ...] = (),
    budget: Budget | None = None,
    cards: tuple[SkillCard, ...] = CARDS,
) -> tuple[Brief, list[Inquiry]]:
    """A brief whose planner says these, one for each time it is asked."""
    asked: list[Inquiry] = []

    def answer(inquiry: Inquiry) -> Data | Failure | None:
        known = [each.task for each in asked]
        if inquiry.task not in known:
            asked.append(inquiry)
            known.append(inquiry.task)
        at = known.index(inquiry.task)
        return answers[at] if at < len(answers) else None

    directory = Directory(cards=cards, alive=frozenset(each.agent for each in cards) - set(dead))
    return Brief({}, Ask, Summed, directory, answer=answer, budget=budget), asked


def test_a_plan_that_fits_is_carried_out_and_completed_from_the_cards() -> None:
    """Who else could do a step, who is a witness, what is heard at the barrier: that follows from the cards."""
    ready, _ = brief(sketch(*GOOD))
    plan = by_model()(ready)
    assert isinstance(plan, Plan)
    a, b, end = plan.steps
    assert (a.witness, b.witness, end.witness) == (True, True, False)
    assert (a.agents, b.agents, end.agents) == (("owl",), ("fox",), ("clerk", "scribe"))
    assert end.inputs["verdicts"] == FromVerdicts(steps=("a", "b"))
    assert b.optional == ("hint",)


END = ("end", "clerk", "sum")
ITSELF: Data = {"name": "text", "source": {"kind": "steps", "steps": ["x"]}}
FAULTY: list[tuple[Data, str]] = [
    (sketch(step("end", "eve", "sum", goal("ask"), VERDICTS)), "end: eve offers no skill sum"),
    (sketch(step("end", "clerk", "pay", goal("ask"), VERDICTS)), "end: clerk offers no skill pay"),
    (sketch(step(*END, VERDICTS)), "end.ask (one Ask.v1) is not bound"),
    (sketch(step(*END, goal("ask", "text"), VERDICTS)), "end.ask wants one Ask.v1, and gets one Text.v1"),
    (sketch(step(*END, goal("ask", "nothing"), VERDICTS)), "the goal has no message in a field nothing"),
    (sketch(*GOOD, outcome=goal("money")), "outcome takes no money; it takes summary"),
    (sketch(*GOOD[:2]), "the outcome needs end, which is no step"),
    (sketch(step("x", "owl", "look", ITSELF), *GOOD), "wait for each other"),
    (sketch(step("x.y", "owl", "look", goal("text", "text")), *GOOD), "x.y cannot be part of a subject"),
    ({"steps": "none"}, "Input should be a valid array"),
]


@pytest.mark.parametrize(("wrong", "reason"), FAULTY, ids=[reason for _, reason in FAULTY])
def test_what_does_not_fit_goes_back_with_the_reason(wrong: Data, reason: str) -> None:
    """And with the plan itself; the next one counts."""
    ready, asked = brief(wrong, sketch(*GOOD))
    assert isinstance(by_model()(ready), Plan)
    request = asked[1].given["request"]
    assert isinstance(request, dict)
    assert reason in str(request["refused"])
    assert request["earlier"] == wrong


def test_it_is_asked_three_times_at_most() -> None:
    """Then the fall-back plans, and the plan says so; without one planning has failed, with the last reasons."""
    bad = sketch(step("end", "eve", "sum"))
    ready, asked = brief(bad, bad, bad, sketch(*GOOD))
    with pytest.raises(PlanError, match="eve offers no skill sum"):
        by_model()(ready)
    assert len(asked) == 3
    plan = by_model(fallback=by_contract)(ready)
    assert isinstance(plan, Plan)
    assert "eve offers no skill sum" in plan.because["plan"]


def test_a_planner_that_fails_is_not_asked_again() -> None:
    failed = Failure(task="t", attempt=2, agent="planner", kind="raised", because="ModelFailure: hung")
    ready, asked = brief(failed)
    with pytest.raises(PlanError, match="ModelFailure: hung"):
        by_model()(ready)
    assert len(asked) == 1


def test_who_is_dead_or_not_admitted_cannot_be_planned_with() -> None:
    ready, asked = brief(sketch(*GOOD), dead=("owl",))
    by_model()(ready)
    assert "a: owl offers no skill look" in str(asked[1].given)


def test_a_plan_beyond_the_budget_goes_back() -> None:
    """Each step that may call a model needs a call; and so many steps in a row are too deep."""
    ready, asked = brief(sketch(*GOOD), budget=Budget(calls=2, depth=1))
    by_model()(ready)
    assert "3 tasks may call a model, and the budget allows 2 calls" in str(asked[1].given)
    assert "2 steps in a row, and the budget allows 1" in str(asked[1].given)


def test_the_same_question_is_asked_although_somebody_has_come() -> None:
    """An agent that joins while the planner thinks does not make it think anew."""
    first, _ = brief()
    more, _ = brief(cards=(*CARDS, card("newcomer", "look", "Findings.v1", witness=True, text="Text.v1")))
    one, other = by_model()(first), by_model()(more)
    assert isinstance(one, Inquiry)
    assert isinstance(other, Inquiry)
    assert one.task == other.task
    assert one.given != other.given


WORDS = st.sampled_from(["clerk", "owl", "sum", "end", "goal"])
KEYS = st.sampled_from(["steps", "id", "kind", "name"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner),
    max_leaves=8,
)
SOURCES = st.fixed_dictionaries(
    {"kind": st.sampled_from(["goal", "steps", "verdicts", "value"])},
    optional={
        "field": st.sampled_from(["", "text", "budget"]),
        "steps": st.lists(st.sampled_from(["s0", "s1", "s2", "zz"]), max_size=2),
        "many": st.booleans(),
        "value": st.sampled_from(["", "{}", "[1", '{"a": 1}']),
    },
)
BINDINGS = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from(["ask", "text", "verdicts", "summary", "hint"]), "source": SOURCES}),
    max_size=3,
)
STROKES = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.sampled_from(["s0", "s1", "s2", "a.b", "outcome", "s0-1"]),
            "agent": st.sampled_from(["clerk", "owl", "fox", "eve"]),
            "skill": st.sampled_from(["sum", "look", "pay"]),
            "inputs": BINDINGS,
        },
        optional={"each": st.sampled_from(["", "text", "hint"]), "budget": st.integers()},
    ),
    max_size=4,
)
ANYTHING = st.fixed_dictionaries({"steps": STROKES, "outcome": BINDINGS}) | st.dictionaries(st.text(max_size=5), JSON)


@given(ANYTHING)
def test_whatever_is_drawn_what_is_carried_out_fits(answer: Data) -> None:
    """No plan names who is not there or a skill that nobody offers, or binds what does not fit; and nothing raises."""
    ready, _ = brief(answer, answer, answer)
    planner: Callable[[Brief], Plan | Inquiry] = by_model(fallback=by_contract)
    plan = planner(ready)
    assert isinstance(plan, Plan)
    assert faults(plan) == misfits(plan, ready) == []
    offered = {(each.agent, each.name) for each in CARDS}
    assert all((agent, step.skill) in offered for step in plan.steps for agent in step.agents)
