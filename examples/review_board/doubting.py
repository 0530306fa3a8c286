"""Doubting: the arbiter for claims that nobody holds for more likely than not."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from math import prod

from hustings import Claim, Verdict
from hustings.agents import Docket
from hustings.protocols import Dissent

EVEN = 0.5


def doubted(docket: Docket) -> Iterator[Verdict]:
    """A claim falls where all who make it are together less sure than not. A second independent witness can save it."""
    for verdict in docket.tentative.values():
        claims = [item for item in verdict.stands if isinstance(item, Claim)]
        if verdict.decided and claims and len(claims) == len(verdict.stands) and chance(claims) < EVEN:
            dissent = tuple(Dissent(item=item.id, by=item.by, says=item.because) for item in claims)
            yield verdict.model_copy(
                update={
                    "rule": "doubted",
                    "because": f"only {', '.join(sorted({item.by for item in claims}))} said so, and was not sure",
                    "stands": (),
                    "falls": (*verdict.falls, *(item.id for item in claims)),
                    "value": None,
                    "dissent": (*verdict.dissent, *dissent),
                    "flips": "a second independent witness",
                }
            )


def chance(claims: Sequence[Claim]) -> float:
    """How likely it is that one of them is right: those of one lineage count once, as sure as the surest of them."""
    surest: dict[str, float] = defaultdict(float)
    for claim in claims:
        surest[claim.source] = max(surest[claim.source], claim.confidence)
    return 1 - prod(1 - sure for sure in surest.values())
