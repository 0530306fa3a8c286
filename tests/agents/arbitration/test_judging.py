"""judged: a judge is asked in both orders, is not told who says what, and abstains where it is not consistent."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from hustings.agents import Case, Judgement, Policy, judged, majority, prefer, rules, unopposed
from hustings.agents.arbitration.docket import LookUp
from hustings.agents.arbitration.matters import clash, group, options
from hustings.agents.arbitration.settling import settle
from hustings.protocols import Budget, BudgetShare, Data, Failure, Goal, Inquiry, Message, Outcome, Verdict

from ..sayings import PROPERTY, Said, by_id, claim, edit, ids, proposal, sayings
from ..simulation import Simulation, card
from .test_arbitration import asked, one, settled


class Ask(Goal): ...


class Word(Message): ...


class Worded(Outcome):
    word: Word


ITEMS = [claim("x1", "ann", "397"), claim("x2", "bob", "412")]
Judge = Callable[[list[str]], Data | Failure | None]


def verdict(judge: Judge) -> tuple[Verdict, list[Inquiry]]:
    """What comes of a conflict between 397 and 412; the judge sees the words in the order they are put to it."""
    questions: list[Inquiry] = []

    def answer(inquiry: Inquiry) -> Data | Failure | None:
        questions.append(inquiry)
        case = inquiry.given["case"]
        assert isinstance(case, dict)
        assert isinstance(case["sides"], list)
        return judge([str(side["says"]) for side in case["sides"] if isinstance(side, dict)])

    (found,) = settle(group(ITEMS), by_id(ITEMS), [unopposed, judged()], answer)
    assert isinstance(found, Verdict)
    return found, questions


def says(letter: str) -> Data:
    return {"choice": letter, "because": "it was measured", "confidence": 0.9}


def test_what_a_consistent_judge_chooses_stands() -> None:
    """With its reason, and the dissent of who falls."""
    found, questions = verdict(lambda sides: says("AB"[sides.index("397")]))
    assert (found.decided, found.rule, found.value, found.because) == (True, "judged", "397", "it was measured")
    assert [each.by for each in found.dissent] == ["bob"]
    assert "a judge that chooses bob: 412" in found.flips
    assert len({each.task for each in questions}) == 2


@pytest.mark.parametrize(
    "judge",
    [
        lambda sides: says("A"),
        lambda sides: says("B"),
        lambda sides: says("none"),
        lambda sides: says("C"),
        lambda sides: {"choice": 1},
        lambda sides: Failure(task="t", attempt=1, agent="judge", kind="raised", because="hung"),
        lambda sides: says("A") if sides[0] == "397" else says("none"),
    ],
    ids=["always the first", "always the second", "none", "nobody", "no judgement", "failed", "half"],
)
def test_a_judge_that_is_of_no_use_abstains(judge: Judge) -> None:
    """What stands first, the same letter whatever it means, no letter: nothing is decided by that."""
    found, _ = verdict(judge)
    assert (found.decided, found.rule) == (False, "undecided")


def test_a_judge_is_not_told_who_says_it() -> None:
    """Nor how many do: neither is evidence."""
    _, questions = verdict(lambda sides: says("none"))
    assert all("ann" not in str(each.given) and "bob" not in str(each.given) for each in questions)


def test_both_questions_are_asked_at_once() -> None:
    found = settle(group(ITEMS), by_id(ITEMS), [judged()], lambda _: None)
    assert [type(each) for each in found] == [Inquiry, Inquiry]


def by_content(wanted: str) -> LookUp:
    """A judge that chooses the side that says this, wherever it stands."""

    def answer(inquiry: Inquiry) -> Data | Failure | None:
        case = Case.of(inquiry.given["case"])
        letters = [side.letter for side in case.sides if wanted in side.says.reveal()]
        return says(letters[0] if letters else "none")

    return answer


def test_what_does_not_clash_with_the_chosen_side_stands_too() -> None:
    """Three changes in a row, of which the middle one collides with both: the judge chooses an outer one."""
    left = proposal("i1", "ann", edit(1, 3, "left"))
    middle = proposal("i2", "bob", edit(2, 5, "middle"))
    right = proposal("i3", "cy", edit(4, 6, "right"))
    outer = one([left, middle, right], judged(), answer=by_content("left"))
    assert (ids(outer.stands), outer.falls) == (["i1", "i3"], ("i2",))
    inner = one([left, middle, right], judged(), answer=by_content("middle"))
    assert (ids(inner.stands), set(inner.falls)) == (["i2"], {"i1", "i3"})


def test_what_the_judge_leaves_open_is_for_the_next() -> None:
    """Two others that clash with each other and not with the chosen side: nothing is decided, and what fell is out."""
    chosen = proposal("i1", "ann", edit(1, 3, "left"))
    fallen = proposal("i2", "bob", edit(2, 5, "middle"))
    some = [proposal("i3", "cy", edit(4, 6, "right")), proposal("i4", "dan", edit(4, 6, "wrong"))]
    items = [chosen, fallen, *some]
    assert not one(items, judged(), answer=by_content("left")).decided
    later = one(items, judged(), rules(prefer("bob", "cy")), answer=by_content("left"))
    assert (set(ids(later.stands)), set(later.falls)) == ({"i1", "i3"}, {"i2", "i4"})


def test_only_what_is_contested_and_open_is_put_to_a_judge() -> None:
    """Not what all agree on, nor what an earlier arbiter has decided, nor more sides than can be told apart."""
    agreed, settled_ = [claim("i1", "ann", 1), claim("i2", "bob", 1)], [*ITEMS, claim("i3", "cy", "397")]
    assert asked(ITEMS, majority, judged()) != []
    assert one(settled_, majority, judged(), answer=refuses).rule == "majority"
    assert one(agreed, unopposed, judged(), answer=refuses).rule == "unopposed"
    many = [claim(f"i{n}", "ann", n) for n in range(13)]
    assert one(many, judged(), answer=refuses).rule == "undecided"


def refuses(inquiry: Inquiry) -> Data:
    raise AssertionError(f"asked {inquiry.skill}")


def test_a_judge_reads_what_is_said_why_and_on_what_evidence() -> None:
    """Once each, as data: values as JSON, and of a change what it replaces."""
    first = claim("i1", "ann", {"a": [1, None]}, proven=True).model_copy(update={"because": "I looked"})
    twin = first.model_copy(update={"id": "i2", "by": "bob"})
    case = Case.of(asked([first, twin, claim("i3", "cy", True)], judged())[0].given["case"])
    assert [side.says.reveal() for side in case.sides] == ["true", '{"a":[1,null]}']
    assert [[reason.reveal() for reason in side.because] for side in case.sides] == [[], ["I looked"]]
    assert [len(side.evidence) for side in case.sides] == [0, 1]
    changes = [proposal("i1", "ann", edit(1, 2, "new")), proposal("i2", "bob", edit(1, 2, "old"))]
    sides = Case.of(asked(changes, judged())[0].given["case"]).sides
    assert {side.says.reveal() for side in sides} == {"a.py:2: replace\noldby\nnew", "a.py:2: keep\nold"}


LETTERS = st.sampled_from([*"ABCDEa", "none", "", "both"])


@PROPERTY
@given(sayings(), st.lists(LETTERS, min_size=1), st.integers(0, 99))
def test_whatever_a_judge_says_no_two_that_clash_stand(items: list[Said], letters: list[str], seed: int) -> None:
    """And who was heard first makes no difference, to what is asked or to what stands."""

    def answer(inquiry: Inquiry) -> Data:
        return says(letters[int(inquiry.task[-4:], 16) % len(letters)])

    verdicts = settled(items, unopposed, judged(), answer=answer)
    for verdict_ in verdicts:
        standing = options(verdict_.stands)
        assert not any(clash(a, b) for n, a in enumerate(standing) for b in standing[n + 1 :])
    shuffled = Random(seed).sample(items, len(items))
    assert settled(shuffled, unopposed, judged(), answer=answer) == verdicts


def test_each_of_both_questions_has_its_part_of_the_budget() -> None:
    """Ten calls: what comes after the barrier has a part too."""
    cards = [
        *(card(agent, "look", "Found.v1", witness=True, ask="Ask.v1") for agent in ("ann", "bob")),
        card("clerk", "sum", "Word.v1", verdicts=f"[{Verdict.__contract__}]"),
        card("judge", "judge", Judgement.__contract__, case=Case.__contract__),
    ]
    skills: dict[str, Callable[[Data], JsonValue | Failure]] = {
        "ann.look": lambda _: {"claims": [ITEMS[0].plain()]},
        "bob.look": lambda _: {"claims": [ITEMS[1].plain()]},
        "sum": lambda _: {},
        "judge": lambda given: by_content("397")(Inquiry(skill="judge", given=given)),
    }
    policy = Policy(goal=Ask, outcome=Worded, arbiters=(unopposed, judged()), budget=Budget(calls=10))
    run = Simulation(policy, cards, skills)
    assert run.run({}, Ask.__contract__).status == "decided"
    shares = [task.share for task in run.assigned() if task.skill == "judge"]
    assert shares == [BudgetShare(calls=3), BudgetShare(calls=3)]
