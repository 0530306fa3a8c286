"""by_model: nothing a model draws is believed before it is checked; what does not fit goes back with the reasons."""

from collections.abc import Callable
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, JsonValue

from hustings.agents import Brief, DraftPlan, PlanRequest, Policy, by_contract, by_model, fixed, misfits
from hustings.agents.planning.draft import complete
from hustings.agents.planning.validate import faults, longest
from hustings.agents.views.text import describe
from hustings.protocols import (
    Budget,
    Contract,
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
    Planned,
    SkillCard,
    Value,
    Verdict,
)

from ..simulation import Simulation, card


class Text(Message): ...


class Summary(Message): ...


class Topic(Message):
    name: str = Field(max_length=9)
    weight: int = 1


class Ask(Goal):
    text: Text
    spare: Text | None = None


class Summed(Outcome):
    summary: Summary


CARDS = (
    card("clerk", "sum", "Summary.v1", ask="Ask.v1", verdicts=f"[{Verdict.__contract__}]"),
    card("scribe", "sum", "Summary.v1", ask="Ask.v1", verdicts=f"[{Verdict.__contract__}]"),
    card("owl", "look", "Findings.v1", witness=True, text="Text.v1"),
    card("fox", "look", "Findings.v1", witness=True, text="Text.v1", hint="Text.v1?"),
    card("pig", "dig", "Text.v1", topic="Topic.v1"),
    card("hen", "scratch", "Text.v1", topics="[Topic.v1]", found="[Findings.v1]"),
)
SCHEMAS: dict[str, Data] = {each.__contract__: each.model_json_schema() for each in (Text, Topic)}


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


def value(name: str, said: str) -> Data:
    return {"name": name, "source": {"kind": "value", "value": said}}


def said(name: str, *steps: str, many: bool = False) -> Data:
    return {"name": name, "source": {"kind": "steps", "steps": [*steps], "many": many}}


def dig(topic: str, each: str = "") -> Data:
    return step("d", "pig", "dig", value("topic", topic), each=each)


def scratch(topics: Data, each: str = "") -> Data:
    return step("h", "hen", "scratch", topics, {"name": "found", "source": {"kind": "verdicts"}}, each=each)


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

    alive = frozenset(each.agent for each in cards) - set(dead)
    directory = Directory(cards=cards, alive=alive, schemas=SCHEMAS)
    return Brief({}, Ask, Summed, directory, members=("owl", "fox"), answer=answer, budget=budget), asked


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
    (sketch(*GOOD[:2]), "the outcome needs end, which is not a step"),
    (sketch(step("x", "owl", "look", ITSELF), *GOOD), "wait for each other"),
    (sketch(step("x.y", "owl", "look", goal("text", "text")), *GOOD), "x.y cannot be part of a subject"),
    ({"steps": "none"}, "steps must be a list, not 'none'"),
    (sketch(*[dig("{}")] * 201), "at most 200 items"),
    (sketch(step("a", "owl", "look", goal("text", "spare")), *GOOD[1:]), "a.text: the goal has nothing there"),
    (sketch(step(*END, goal("ask"), goal("ask"), VERDICTS)), "end binds a parameter twice"),
    (sketch(*GOOD, outcome=said("summary", "end", "end")), "outcome.summary: 2 steps are named, and it takes one"),
    (sketch(*GOOD, scratch(said("topics", many=True))), "h.topics: 0 steps are named"),
    # what a planner writes itself
    (sketch(*GOOD, dig("{}")), "d.topic (Topic.v1): name is missing"),
    (sketch(*GOOD, dig('{"name": 7}')), "d.topic (Topic.v1): name must be of the type string"),
    (sketch(*GOOD, dig('{"name": "0123456789"}')), "name must be at most 9 characters long"),
    (sketch(*GOOD, dig('{"name": "n", "budget": 7}')), "d.topic (Topic.v1): there is no field budget"),
    (sketch(*GOOD, dig('[{"name": "n"}]')), "d.topic (Topic.v1): it must be of the type object"),
    (sketch(*GOOD, dig('{"name": "n"}', each="topic")), "d.topic wants a list of Topic.v1, and gets a single value"),
    (sketch(*GOOD, dig('[{"name": "n"}, 1]', each="topic")), "d.topic (Topic.v1): it must be of the type object"),
    (sketch(*GOOD, dig("[1")), "EOF"),
    (sketch(*GOOD, scratch(value("topics", "{}"))), "h.topics wants a list of Topic.v1, and gets a single value"),
    (sketch(*GOOD, scratch(value("topics", "[]"), each="topics")), "there is nothing to fan out over"),
    (
        sketch(*GOOD, outcome=value("summary", "{}")),
        "outcome.summary cannot be a value: Summary.v1 must come from a step",
    ),
    (sketch(*GOOD[:2], step(*END, goal("ask"), value("verdicts", "[]"))), "end.verdicts cannot be a value"),
    (
        sketch(*GOOD, step("h", "hen", "scratch", value("found", "[]"))),
        "h.found cannot be a value: Findings.v1 must come from a step",
    ),
]


@pytest.mark.parametrize(("wrong", "reason"), FAULTY, ids=[reason for _, reason in FAULTY])
def test_what_does_not_fit_goes_back_with_the_reason(wrong: Data, reason: str) -> None:
    """And with the plan itself; the next one counts."""
    ready, asked = brief(wrong, sketch(*GOOD))
    assert isinstance(by_model()(ready), Plan)
    request = asked[1].given["request"]
    assert isinstance(request, dict)
    assert reason in str(request["faults"])
    assert request["earlier"] == wrong


def test_a_planner_may_write_what_a_step_shall_look_into() -> None:
    """A value that fits its contract, or a list of such to fan out over."""
    some = dig('[{"name": "one"}, {"name": "two", "weight": 2}]', each="topic")
    ready, asked = brief(sketch(*GOOD, some))
    plan = by_model()(ready)
    assert isinstance(plan, Plan)
    assert len(asked) == 1
    assert plan.steps[3].many
    assert plan.steps[3].inputs["topic"] == Value(value=[{"name": "one"}, {"name": "two", "weight": 2}])


def test_a_stranger_cannot_forbid_what_a_planner_may_write() -> None:
    """By a card that says it were testimony; only the team's own witnesses count."""
    eve = card("eve", "claim", "Topic.v1", witness=True, text="Text.v1")
    ready, asked = brief(sketch(*GOOD, dig('{"name": "n"}')), cards=(*CARDS, eve))
    assert isinstance(by_model()(ready), Plan)
    assert len(asked) == 1


def test_only_sources_that_are_steps_keep_a_witness_from_the_barrier() -> None:
    """What else a planner fills in where it binds to the goal counts for nothing: the owl is heard."""
    sly: Data = {"name": "text", "source": {"kind": "goal", "field": "text", "steps": ["end"]}}
    ready, _ = brief(sketch(step("a", "owl", "look", sly), *GOOD[1:]))
    plan = by_model()(ready)
    assert isinstance(plan, Plan)
    assert plan.steps[2].inputs["verdicts"] == FromVerdicts(steps=("a", "b"))


def test_a_step_may_spend_if_somebody_could_do_it_who_spends() -> None:
    """The other one may get the task after a failure, and then needs a share."""
    thrifty = CARDS[0].model_copy(update={"spends": False})
    ready, _ = brief(sketch(*GOOD), cards=(thrifty, *CARDS[1:]))
    plan = by_model()(ready)
    assert isinstance(plan, Plan)
    assert plan.steps[2].spends


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (sketch(step("x", "owl", "look", ITSELF), *GOOD), "x wait for each other"),
        (sketch(step("x", "owl", "look", said("text", "ghost")), *GOOD), "x needs ghost, which is not a step"),
    ],
    ids=["circle", "ghost"],
)
def test_no_plan_hangs_who_looks_how_deep_it_is(wrong: Data, reason: str) -> None:
    """Neither here nor in the coordinator, whoever has drawn it: it says what is wrong, and that at once."""
    ready, asked = brief(wrong, budget=Budget(depth=9))
    by_model()(ready)
    assert reason in str(asked[1].given)
    plan = complete(DraftPlan.of(wrong), ready)
    policy = Policy(goal=Ask, outcome=Summed, planner=fixed(plan), budget=Budget(depth=9))
    end = Simulation(policy, list(CARDS), {}).run({"text": {}}, Ask.__contract__)
    assert (end.status, reason in end.because) == ("failed", True)


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


def test_a_fallback_is_seen_by_who_reads_the_log() -> None:
    """A whole run whose planner is of no use ends well, and the line of the plan says who has not planned it."""
    cards = [card("clerk", "sum", "Summary.v1", ask="Ask.v1"), card("planner", "plan", DraftPlan.__contract__)]
    cards[1] = cards[1].model_copy(update={"inputs": {"request": Contract(type=PlanRequest.__contract__)}})
    skills: dict[str, Callable[[Data], JsonValue | Failure]] = {"sum": lambda _: {}, "plan": lambda _: sketch()}
    run = Simulation(Policy(goal=Ask, outcome=Summed, planner=by_model(fallback=by_contract)), cards, skills)
    assert run.run({"text": {}}, Ask.__contract__).status == "decided"
    assert [task.asked_by for task in run.assigned()] == ["plan"] * 3 + [""]
    (line,) = [describe(entry) for entry in run.log if isinstance(entry.event, Planned)]
    assert line.startswith("planned: 1 step; not by model: the outcome needs end, which is not a step")


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


def test_a_list_that_is_too_long_to_fan_out_over_goes_back() -> None:
    """As far as it is known how long it is; and each task counts as one that needs a call."""
    some = dig('[{"name": "a"}, {"name": "b"}, {"name": "c"}]', each="topic")
    ready, asked = brief(sketch(*GOOD, some), budget=Budget(calls=5, fan_out=2))
    by_model()(ready)
    assert "d fans out to 3 tasks, and the budget allows 2" in str(asked[1].given)
    assert "6 tasks may call a model, and the budget allows 5 calls" in str(asked[1].given)


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
        "value": st.sampled_from(["", "{}", "[1", '{"a": 1}', '{"name": "n"}', '[{"name": "n"}]', "[[[]]]"]),
    },
)
BINDINGS = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["ask", "text", "verdicts", "summary", "hint", "topic", "topics"]), "source": SOURCES}
    ),
    max_size=3,
)
STROKE = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["s0", "s1", "s2", "a.b", "outcome", "s0-1"]),
        "agent": st.sampled_from(["clerk", "owl", "fox", "eve", "pig", "hen"]),
        "skill": st.sampled_from(["sum", "look", "pay", "dig", "scratch"]),
        "inputs": BINDINGS,
    },
    optional={"each": st.sampled_from(["", "text", "hint", "topic"]), "budget": st.integers()},
).map(lambda complete: cast(Data, complete))
STROKES = st.lists(STROKE, max_size=4)
FITTING = st.sampled_from(
    [
        step("s3", "owl", "look", said("text", "s4")),
        step("s4", "pig", "dig", value("topic", '{"name": "n"}')),
        scratch(value("topics", '[{"name": "n"}]')),
        dig('[{"name": "n"}]', each="topic"),
    ]
)


def _nearly(more: list[Data]) -> Data:
    return sketch(*GOOD, *more)


def _id(one: Data) -> str:
    return str(one["id"])


RIGHT = st.lists(FITTING, max_size=3, unique_by=_id).map(_nearly)
NEARLY = st.lists(FITTING | STROKE, min_size=1, max_size=3, unique_by=_id).map(_nearly)
ANYTHING = (
    RIGHT
    | NEARLY
    | st.fixed_dictionaries({"steps": STROKES, "outcome": BINDINGS})
    | st.dictionaries(st.text(max_size=5) | KEYS, JSON)
)


BUDGETS = st.builds(
    Budget, calls=st.none() | st.integers(2, 8), depth=st.none() | st.integers(1, 3), fan_out=st.none() | st.just(1)
)


@given(ANYTHING, BUDGETS)
def test_whatever_is_drawn_what_is_carried_out_fits(answer: Data, budget: Budget) -> None:
    """No plan names who is not there or a skill that nobody offers, or binds what does not fit, or passes the budget;
    and nothing raises, or takes for ever."""
    ready, _ = brief(answer, answer, answer, budget=budget)
    planner: Callable[[Brief], Plan | Inquiry] = by_model(fallback=lambda _: Plan(steps=(), outcome={}))
    plan = planner(ready)
    assert isinstance(plan, Plan)
    if "not by model" in plan.because.get("plan", ""):
        return
    assert faults(plan) == misfits(plan, ready) == []
    offered = {(each.agent, each.name) for each in CARDS}
    assert all((agent, step.skill) in offered for step in plan.steps for agent in step.agents)
    assert budget.calls is None or len(plan.steps) <= budget.calls
    assert budget.depth is None or longest(plan) <= budget.depth
