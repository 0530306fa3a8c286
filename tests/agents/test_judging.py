"""judged: a judge is asked in both orders, is not told who says what, and abstains where it is not consistent."""

from collections.abc import Callable

import pytest

from moot.agents import judged, unopposed
from moot.agents.arbitration import settle
from moot.agents.matters import group
from moot.protocols import Data, Failure, Inquiry, Verdict

from .sayings import by_id, claim

ITEMS = [claim("x1", "ann", "397"), claim("x2", "bob", "412")]
Judge = Callable[[list[str]], Data | Failure | None]


def verdict(judge: Judge) -> tuple[Verdict, list[Inquiry]]:
    """What comes of a conflict between 397 and 412; the judge sees the words in the order they are put to it."""
    asked: list[Inquiry] = []

    def answer(inquiry: Inquiry) -> Data | Failure | None:
        asked.append(inquiry)
        case = inquiry.given["case"]
        assert isinstance(case, dict)
        assert isinstance(case["sides"], list)
        return judge([str(side["says"]) for side in case["sides"] if isinstance(side, dict)])

    (found,) = settle(group(ITEMS), by_id(ITEMS), [unopposed, judged()], answer)
    assert isinstance(found, Verdict)
    return found, asked


def says(letter: str) -> Data:
    return {"choice": letter, "because": "it was measured", "confidence": 0.9}


def test_what_a_consistent_judge_chooses_stands() -> None:
    """With its reason, and the dissent of who falls."""
    found, asked = verdict(lambda sides: says("AB"[sides.index("397")]))
    assert (found.decided, found.rule, found.value, found.because) == (True, "judged", "397", "it was measured")
    assert [each.by for each in found.dissent] == ["bob"]
    assert "asked in both orders, chooses bob: 412" in found.flips
    assert len({each.task for each in asked}) == 2


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
    _, asked = verdict(lambda sides: says("none"))
    assert all("ann" not in str(each.given) and "bob" not in str(each.given) for each in asked)


def test_both_questions_are_asked_at_once() -> None:
    found = settle(group(ITEMS), by_id(ITEMS), [judged()], lambda _: None)
    assert [type(each) for each in found] == [Inquiry, Inquiry]
