"""What two checkers say of the same line, and what becomes of what only one says who was not asked."""

from collections.abc import Sequence

from hustings.agents import unopposed
from hustings.agents.arbitration.matters import group
from hustings.agents.arbitration.settling import settle
from hustings.examples.review_board import doubted
from hustings.protocols import Claim, Inquiry, Verdict

ABOUT = "shop.py:3:assignment"


def said(by: str, confidence: float, lineage: str = "", number: int = 0) -> Claim:
    return Claim(
        id=f"{by}{number}", by=by, about=ABOUT, value="wrong", confidence=confidence, lineage=lineage, because="it says"
    )


def settled(*claims: Claim) -> Verdict:
    items = {claim.id: claim for claim in claims}
    verdicts: Sequence[Verdict | Inquiry] = settle(group(claims), items, [unopposed, doubted], lambda _: None)
    [verdict] = verdicts
    assert isinstance(verdict, Verdict)
    return verdict


def test_what_one_checker_says_that_nobody_asked_falls() -> None:
    """With who said it, and with what would have saved it."""
    verdict = settled(said("ty", 0.4))
    assert (verdict.rule, verdict.stands, verdict.falls) == ("doubted", (), ("ty0",))
    assert (verdict.because, verdict.flips) == ("only ty said so, and was not sure", "a second independent witness")
    assert [dissent.by for dissent in verdict.dissent] == ["ty"]


def test_two_independent_checkers_who_agree_stand_together() -> None:
    verdict = settled(said("mypy", 0.4), said("ty", 0.4))
    assert (verdict.rule, verdict.because) == ("unopposed", "said by mypy, ty, 2 independent")
    assert {item.by for item in verdict.stands} == {"mypy", "ty"}


def test_two_of_one_lineage_are_no_surer_than_one() -> None:
    assert settled(said("bandit", 0.3, "bandit"), said("ruff", 0.4, "bandit")).rule == "doubted"
    assert settled(said("bandit", 0.3, "bandit"), said("ruff", 0.5, "bandit")).rule == "unopposed"
