"""by_contract chains skills as pytest resolves fixtures, and says in words why a plan cannot be."""

import itertools
from typing import TypeAlias

import pytest

from hustings.agents import Brief, by_contract, fixed
from hustings.agents.planning.validate import faults
from hustings.protocols import (
    Directory,
    FromGoal,
    FromSteps,
    FromVerdicts,
    Goal,
    Message,
    Outcome,
    Plan,
    PlanError,
    Ref,
    SkillCard,
    Step,
    UsageError,
    Verdict,
)

from ..simulation import card


class Text(Message): ...


class Note(Message): ...


class Summary(Message): ...


class Ask(Goal):
    text: Text


class Summed(Outcome):
    summary: Summary


class Judged(Outcome):
    verdicts: list[Verdict]


def brief(
    *cards: SkillCard,
    goal: type[Goal] = Ask,
    outcome: type[Outcome] = Summed,
    dead: tuple[str, ...] = (),
    members: tuple[str, ...] = (),
    prefer: tuple[str, ...] = (),
    open: bool = True,
) -> Brief:
    alive = frozenset(each.agent for each in cards) - set(dead)
    directory = Directory(cards=cards, alive=alive)
    return Brief({}, goal, outcome, directory, members=members, prefer=prefer, open=open)


def steps(plan: Plan) -> dict[str, Step]:
    return {step.id: step for step in plan.steps}


# what feeds a parameter


def test_the_goal_itself_feeds_a_parameter_of_its_type() -> None:
    """A parameter of the goal's own contract takes the goal."""
    plan = by_contract(brief(card("clerk", "sum", "Summary.v1", ask="Ask.v1")))
    assert steps(plan)["clerk-sum"].inputs == {"ask": FromGoal()}
    assert plan.because["clerk-sum.ask"] == "the goal itself"


def test_a_goal_field_feeds_by_type_and_among_equals_by_name() -> None:
    """One fitting field is taken whatever its name; of several the one that is named like the parameter."""

    class Compare(Goal):
        old: Text
        new: Text
        note: Note

    sayer = card("clerk", "sum", "Summary.v1", new="Text.v1", old="Text.v1", remark="Note.v1")
    found = steps(by_contract(brief(sayer, goal=Compare)))["clerk-sum"].inputs
    assert found == {"new": FromGoal(field="new"), "old": FromGoal(field="old"), "remark": FromGoal(field="note")}


def test_equal_goal_fields_and_no_such_name_is_an_error_that_names_them() -> None:
    """Hustings does not guess between two fields of the goal: it names both."""

    class Compare(Goal):
        old: Text
        new: Text

    with pytest.raises(PlanError, match="old and new"):
        by_contract(brief(card("clerk", "sum", "Summary.v1", text="Text.v1"), goal=Compare))


def test_skills_are_chained_backwards() -> None:
    """What the goal does not give is asked of the one skill that says it, and so on back to the goal."""
    plan = by_contract(
        brief(card("clerk", "sum", "Summary.v1", note="Note.v1"), card("reader", "read", "Note.v1", text="Text.v1"))
    )
    assert [step.id for step in plan.steps] == ["reader-read", "clerk-sum"]
    assert steps(plan)["clerk-sum"].inputs == {"note": FromSteps(steps=("reader-read",))}
    assert plan.outcome == {"summary": FromSteps(steps=("clerk-sum",))}


def test_a_list_is_fed_by_every_agent_that_says_its_type() -> None:
    """list[T]: one step per agent, each pinned to its agent, in an order that does not depend on who came first."""
    cards = [
        card("clerk", "sum", "Summary.v1", notes="[Note.v1]"),
        card("ann", "read", "Note.v1", text="Text.v1"),
        card("bob", "read", "Note.v1", text="Text.v1"),
        card("cy", "skim", "Note.v1", text="Text.v1"),
    ]
    plans = [by_contract(brief(*order)) for order in itertools.permutations(cards)]
    assert all(plan == plans[0] for plan in plans)
    found = steps(plans[0])
    assert found["clerk-sum"].inputs == {"notes": FromSteps(steps=("ann-read", "bob-read", "cy-skim"), many=True)}
    assert [found[name].agents for name in ("ann-read", "bob-read", "cy-skim")] == [("ann",), ("bob",), ("cy",)]


def test_agents_of_one_skill_are_interchangeable() -> None:
    """Same name and contracts: one step for all of them; prefer first, then the team's own, then by name."""
    cards = [card(name, "sum", "Summary.v1", text="Text.v1") for name in ("dan", "cy", "bob", "ann")]
    plan = by_contract(brief(*cards, members=("cy",), prefer=("dan",)))
    assert [step.agents for step in plan.steps] == [("dan", "cy", "ann", "bob")]


def test_one_name_with_other_contracts_is_another_skill() -> None:
    """Only agents that take the same contracts can stand in for each other."""
    cards = (card("ann", "sum", "Summary.v1", of="Text.v1"), card("bob", "sum", "Summary.v1", of="Ask.v1"))
    with pytest.raises(PlanError, match="ann-sum and bob-sum"):
        by_contract(brief(*cards))


def test_two_skills_for_one_parameter_is_an_error_that_names_both() -> None:
    """Nobody is chosen by chance."""
    cards = (card("ann", "sum", "Summary.v1", text="Text.v1"), card("bob", "skim", "Summary.v1", text="Text.v1"))
    with pytest.raises(PlanError, match=r"two skills could return Summary\.v1: ann-sum and bob-skim"):
        by_contract(brief(*cards))


def test_the_teams_own_skill_wins_and_then_what_the_team_prefers() -> None:
    """Own members first; among equals `prefer`; who is not used stands in `skipped` with the reason."""
    cards = (card("ann", "sum", "Summary.v1", text="Text.v1"), card("bob", "skim", "Summary.v1", text="Text.v1"))
    own = by_contract(brief(*cards, members=("bob",), prefer=("ann",)))
    assert [step.id for step in own.steps] == ["bob-skim"]
    assert own.skipped == {"ann.sum": "bob-skim returns Summary.v1 already"}
    preferred = by_contract(brief(*cards, prefer=("ann",)))
    assert [step.id for step in preferred.steps] == ["ann-sum"]
    assert preferred.skipped == {"bob.skim": "ann-sum returns Summary.v1 already"}


def test_an_outsider_that_cannot_be_planned_does_no_harm() -> None:
    """Whoever joins the bus with an ambiguous parameter is left out; the team's own plan stays as it was."""
    own = (card("ann", "sum", "Summary.v1", text="Text.v1"),)
    strangers = (
        card("eve", "skim", "Summary.v1", note="Note.v1"),
        card("fay", "read", "Note.v1", text="Text.v1"),
        card("gus", "guess", "Note.v1", text="Text.v1"),
    )
    plan = by_contract(brief(*own, *strangers, members=("ann",)))
    assert [step.id for step in plan.steps] == ["ann-sum"]
    assert set(plan.skipped) == {"eve.skim", "fay.read", "gus.guess"}


def test_a_parameter_that_may_be_missing_is_left_out() -> None:
    """`T | None` that nobody says is not bound, and the plan says so."""
    plan = by_contract(brief(card("clerk", "sum", "Summary.v1", text="Text.v1", note="Note.v1?")))
    step = steps(plan)["clerk-sum"]
    assert set(step.inputs) == {"text"}
    assert step.optional == ("note",)
    assert plan.because["clerk-sum.note"] == "left out: no skill returns Note.v1"


def test_what_nobody_says_is_an_error_that_names_the_field_and_the_absent() -> None:
    """The error names the outcome's field, the skill that could not be fed, and which member is missing."""
    with pytest.raises(PlanError) as caught:
        by_contract(brief(card("clerk", "sum", "Summary.v1", note="Note.v1"), members=("clerk", "reader")))
    assert str(caught.value) == (
        "no skill can fill outcome.summary (Summary.v1): clerk.sum: no skill returns Note.v1; absent: reader"
    )


def test_a_skill_that_feeds_itself_does_not_loop() -> None:
    """refine(Draft) -> Draft is fed by somebody else's Draft; preferred, it comes last and both are used."""
    cards = (
        card("clerk", "sum", "Summary.v1", note="Note.v1"),
        card("refiner", "refine", "Note.v1", note="Note.v1"),
        card("reader", "read", "Note.v1", text="Text.v1"),
    )
    plan = by_contract(brief(*cards, prefer=("refiner",)))
    assert [step.id for step in plan.steps] == ["reader-read", "refiner-refine", "clerk-sum"]
    assert plan.skipped == {}
    with pytest.raises(PlanError, match=r"clerk\.sum: refiner\.refine: no skill returns Note"):
        by_contract(brief(*cards[:2]))


def test_an_alternative_that_is_not_taken_leaves_no_trace() -> None:
    """The steps that only led to what was not chosen are not in the plan, nor are their reasons."""
    cards = (
        card("ann", "sum", "Summary.v1", text="Text.v1"),
        card("bob", "skim", "Summary.v1", note="Note.v1", verdicts="[hustings.Verdict.v1]"),
        card("reader", "read", "Note.v1", text="Text.v1"),
        card("eye", "look", "Seen.v1", witness=True, text="Text.v1"),
    )
    plan = by_contract(brief(*cards, prefer=("ann",)))
    assert [step.id for step in plan.steps] == ["ann-sum"]
    assert set(plan.because) == {"ann-sum.text", "outcome.summary"}
    assert set(plan.skipped) == {"bob.skim", "reader.read", "eye.look"}


# lists, element by element


def test_each_element_of_a_goals_list() -> None:
    """A parameter T fans out over the goal's list[T] where nothing else gives T."""

    class Many(Goal):
        texts: list[Text]

    class Sums(Outcome):
        summaries: list[Summary]

    plan = by_contract(brief(card("clerk", "sum", "Summary.v1", text="Text.v1"), goal=Many, outcome=Sums))
    step = steps(plan)["clerk-sum"]
    assert (step.each, step.many, step.inputs) == ("text", True, {"text": FromGoal(field="texts")})
    assert plan.outcome == {"summaries": FromSteps(steps=("clerk-sum",), many=True)}


def test_each_element_of_a_said_list_and_on_from_there() -> None:
    """A skill that says a list fans its taker out, and what the taker says fans out the next one."""

    class Sums(Outcome):
        summaries: list[Summary]

    plan = by_contract(
        brief(
            card("splitter", "split", "Note.v1", many=True, text="Text.v1"),
            card("marker", "mark", "Mark.v1", note="Note.v1"),
            card("clerk", "sum", "Summary.v1", mark="Mark.v1", text="Text.v1"),
            outcome=Sums,
        )
    )
    found = steps(plan)
    assert [(step.id, step.each, step.many) for step in plan.steps] == [
        ("splitter-split", None, True),
        ("marker-mark", "note", True),
        ("clerk-sum", "mark", True),
    ]
    assert found["clerk-sum"].inputs["mark"] == FromSteps(steps=("marker-mark",), many=True)


def test_one_outcome_cannot_come_from_each_element() -> None:
    """An outcome field T is not fed by a step that says T once an element."""

    class Many(Goal):
        texts: list[Text]

    with pytest.raises(PlanError, match="one for each element"):
        by_contract(brief(card("clerk", "sum", "Summary.v1", text="Text.v1"), goal=Many))


def test_a_step_does_not_fan_out_twice() -> None:
    """Two lists element by element is an error that names both parameters."""

    class Many(Goal):
        texts: list[Text]
        notes: list[Note]

    sayer = card("clerk", "sum", "Summary.v1", text="Text.v1", note="Note.v1")
    with pytest.raises(PlanError, match="clerk-sum would fan out over text and note"):
        by_contract(brief(sayer, goal=Many, members=("clerk",)))


# barriers

BOARD = (
    card("ruff", "check", "Findings.v1", witness=True, text="Text.v1"),
    card("vulture", "check", "Findings.v1", witness=True, text="Text.v1"),
    card("scribe", "draft", "Draft.v1", text="Text.v1", verdicts="[hustings.Verdict.v1]"),
    card("black", "format", "Formatting.v1", witness=True, draft="Draft.v1"),
    card("scribe", "finish", "Summary.v1", draft="Draft.v1", verdicts="[hustings.Verdict.v1]"),
)


def test_a_barrier_hears_every_witness_that_does_not_hang_on_it() -> None:
    """The review board: draft hears the tools, the formatter works on the draft, finish hears all three."""

    class Reviewed(Outcome):
        summary: Summary
        verdicts: list[Verdict]

    plan = by_contract(brief(*BOARD, outcome=Reviewed))
    found = steps(plan)
    order = [step.id for step in plan.steps]
    assert order.index("scribe-draft") < order.index("black-format") < order.index("scribe-finish")
    tools = ("ruff-check", "vulture-check")
    assert _heard(found["scribe-draft"].inputs["verdicts"]) == {*tools}
    assert _heard(found["scribe-finish"].inputs["verdicts"]) == {*tools, "black-format"}
    assert _heard(plan.outcome["verdicts"]) == {*tools, "black-format"}
    assert [found[name].agents for name in tools] == [("ruff",), ("vulture",)]
    assert [name for name, step in found.items() if step.witness] == [name for name in order if name in _witnesses()]


def _heard(ref: Ref) -> set[str]:
    assert isinstance(ref, FromVerdicts)
    return set(ref.steps)


def _witnesses() -> set[str]:
    return {f"{each.agent}-{each.name}" for each in BOARD if each.witness}


def test_two_witnesses_that_both_wait_for_verdicts_is_an_error_that_names_both() -> None:
    """Neither could be heard before the other."""
    cards = (
        card("ann", "look", "Seen.v1", witness=True, verdicts="[hustings.Verdict.v1]"),
        card("bob", "peer", "Peered.v1", witness=True, verdicts="[hustings.Verdict.v1]"),
    )
    with pytest.raises(PlanError, match="wait for each other") as caught:
        by_contract(brief(*cards, outcome=Judged))
    assert "ann-look" in str(caught.value)
    assert "bob-peer" in str(caught.value)


def test_a_witness_that_hangs_on_another_by_type_may_take_verdicts_too() -> None:
    """The order of the two is in their types, so the second one hears the first one's verdicts."""
    cards = (
        card("ann", "look", "Seen.v1", witness=True, text="Text.v1", verdicts="[hustings.Verdict.v1]"),
        card("bob", "peer", "Peered.v1", witness=True, seen="Seen.v1", verdicts="[hustings.Verdict.v1]"),
    )
    found = steps(by_contract(brief(*cards, outcome=Judged)))
    assert _heard(found["ann-look"].inputs["verdicts"]) == set()
    assert _heard(found["bob-peer"].inputs["verdicts"]) == {"ann-look"}


def test_a_witness_from_outside_joins_by_being_alive() -> None:
    """Nobody edits the team: an outsider's witness is heard; dead it is not; a closed team says why it is not."""
    inside = card("ann", "look", "Seen.v1", witness=True, text="Text.v1")
    outside = card("eve", "peer", "Peered.v1", witness=True, text="Text.v1")
    opened = by_contract(brief(inside, outside, outcome=Judged, members=("ann",)))
    assert _heard(opened.outcome["verdicts"]) == {"ann-look", "eve-peer"}
    dead = by_contract(brief(inside, outside, outcome=Judged, members=("ann",), dead=("eve",)))
    assert _heard(dead.outcome["verdicts"]) == {"ann-look"}
    closed = by_contract(brief(inside, outside, outcome=Judged, members=("ann",), open=False))
    assert _heard(closed.outcome["verdicts"]) == {"ann-look"}
    assert closed.skipped == {"eve.peer": "the team admits members only"}


def test_a_witness_that_cannot_be_fed_is_skipped_with_the_reason() -> None:
    """It costs its testimony, not the plan; an ambiguous parameter of an outsider costs no more."""
    cards = (
        card("ann", "look", "Seen.v1", witness=True, text="Text.v1"),
        card("bob", "peer", "Peered.v1", witness=True, note="Note.v1"),
        card("eve", "spy", "Spied.v1", witness=True, mark="Mark.v1"),
        card("fay", "mark", "Mark.v1", text="Text.v1"),
        card("gus", "stamp", "Mark.v1", text="Text.v1"),
    )
    plan = by_contract(brief(*cards, outcome=Judged, members=("ann", "bob")))
    assert _heard(plan.outcome["verdicts"]) == {"ann-look"}
    assert plan.skipped["bob.peer"] == "no skill returns Note.v1"
    assert "fay-mark and gus-stamp" in plan.skipped["eve.spy"]


def test_the_absent_are_named() -> None:
    """A member that is not alive stands in `absent`, and none of its skills is used; `fixed` names it too."""
    cards = (card("ann", "sum", "Summary.v1", text="Text.v1"), card("bob", "skim", "Summary.v1", text="Text.v1"))
    given = brief(*cards, members=("ann", "bob"), dead=("bob",))
    plan = by_contract(given)
    assert plan.absent == ("bob",)
    assert [step.agents for step in plan.steps] == [("ann",)]
    again = fixed(plan.model_copy(update={"absent": ()}))(given)
    assert again == plan


def test_what_the_plan_does_not_need_is_skipped_with_the_reason() -> None:
    """Every skill of the living is either in the plan or in `skipped`."""
    cards = (card("ann", "sum", "Summary.v1", text="Text.v1"), card("bob", "sing", "Song.v1", text="Text.v1"))
    assert by_contract(brief(*cards)).skipped == {"bob.sing": "nothing in the plan takes Song.v1"}


def test_an_outcome_that_is_no_message_cannot_be_planned_for() -> None:
    """A required field of a plain type is refused by name, when its class is made or, if its type is not known then,
    when it is planned for; an optional message that nobody says is left out."""
    with pytest.raises(UsageError, match="Counted cannot have a field count: int"):

        class Counted(Outcome):
            count: int

    class Plain(Outcome):
        count: "Number"

    Number: TypeAlias = int
    Plain.model_rebuild()

    class Perhaps(Outcome):
        summary: Summary
        note: Note | None = None

    sayer = card("ann", "sum", "Summary.v1", text="Text.v1")
    with pytest.raises(PlanError, match=r"outcome\.count cannot be planned for"):
        by_contract(brief(sayer, outcome=Plain))
    plan = by_contract(brief(sayer, outcome=Perhaps))
    assert set(plan.outcome) == {"summary"}
    assert plan.optional == ("note",)


# plans by other hands


def step(id: str, *needs: str, agents: tuple[str, ...] = ("a",), **more: object) -> Step:
    fields: dict[str, object] = {"inputs": {need: FromSteps(steps=(need,)) for need in needs}, **more}
    return Step.model_validate({"id": id, "skill": "s", "agents": agents, **fields})


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (Plan(steps=(step("a", "ghost"),), outcome={}), "a needs ghost, which is not a step"),
        (Plan(steps=(step("a"),), outcome={"x": FromSteps(steps=("ghost",))}), "the outcome needs ghost"),
        (Plan(steps=(step("a", "b"), step("b", "a")), outcome={}), "wait for each other"),
        (Plan(steps=(step("a"), step("a")), outcome={}), "two steps have one id"),
        (Plan(steps=(step("a.b"),), outcome={}), "a.b cannot be part of a subject"),
        (Plan(steps=(step("outcome"),), outcome={}), "outcome cannot be the id of a step"),
        (Plan(steps=(step("a", agents=()),), outcome={}), "a names no agent"),
        (Plan(steps=(step("a", each="x"),), outcome={}), "a fans out over x, which is not one of its inputs"),
        (
            Plan(steps=(step("a", each="b", inputs={"b": FromGoal()}), step("a-0")), outcome={}),
            "a-0 could be taken for a task of a",
        ),
        (
            Plan(steps=(step("a"), step("b", inputs={"v": FromVerdicts(steps=("a",))})), outcome={}),
            "a is at a barrier, but is not a witness",
        ),
        (
            Plan(steps=(step("a"),), outcome={"v": FromVerdicts(steps=("a",))}),
            "a is at a barrier, but is not a witness",
        ),
    ],
)
def test_faults_of_a_plan_are_told_in_words(plan: Plan, words: str) -> None:
    """Whatever a model or a person writes: what cannot be carried out is named before it is begun."""
    assert any(words in fault for fault in faults(plan)), faults(plan)


def test_a_sound_plan_has_no_faults() -> None:
    """by_contract's own plan of the review board passes."""

    class Reviewed(Outcome):
        summary: Summary
        verdicts: list[Verdict]

    assert faults(by_contract(brief(*BOARD, outcome=Reviewed))) == []
