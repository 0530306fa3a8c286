"""Verdict: which statements about one thing stand, by which rule, and what would have changed the decision."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import JsonValue

from .message import Data, Message, later
from .testimony import Claim, Evidence, Proposal

MatterKind = Literal["claim", "change", "contradiction", "collision", "stale"]


class Matter(Message, contract="hustings.Matter.v1"):
    """All statements about one thing, by item id. `contested`: they cannot all stand, so the matter is a conflict."""

    id: str
    items: tuple[str, ...]
    kind: MatterKind
    contested: bool
    about: str = ""


class Dissent(Message, contract="hustings.Dissent.v1"):
    """A statement that was rejected although its author still holds it."""

    item: str
    by: str
    says: str


class Verdict(Message, contract="hustings.Verdict.v1"):
    """The decision of one Matter; `kind` and `about` are the matter's. `stands` and `falls` together are all its items.
    If not `decided`, nothing stands.

    `weights` is the score of each option, by a short name for it; `margin` is the distance between the best two;
    `flips` says what would have changed the decision.
    """

    matter: str
    kind: MatterKind
    about: str
    decided: bool
    rule: str
    because: str
    stands: tuple[Claim | Proposal, ...] = ()
    falls: tuple[str, ...] = ()
    value: JsonValue = None
    evidence: tuple[Evidence, ...] = ()
    weights: dict[str, float] = {}
    margin: float = 0.0
    dissent: tuple[Dissent, ...] = ()
    flips: str = ""

    @property
    def contested(self) -> bool:
        """True if the matter was a conflict."""
        return self.kind not in ("claim", "change")


class Ruling(Message, contract="hustings.Ruling.v1"):
    """A Verdict as it lies on the log, without what is there already: `stands` names the items, the matter has `kind`
    and `about`. `cites`: the evidence of the items that stand comes before `evidence`.
    """

    matter: str
    decided: bool
    rule: str
    because: str
    stands: tuple[str, ...] = later(())
    falls: tuple[str, ...] = later(())
    value: JsonValue = later(None)
    cites: bool = later(True)
    evidence: tuple[Evidence, ...] = later(())
    weights: dict[str, float] = later({})
    margin: float = later(0.0)
    dissent: tuple[Dissent, ...] = later(())
    flips: str = later("")

    @classmethod
    def on(cls, verdict: Verdict) -> "Ruling":
        """The ruling from which `verdict` makes this verdict again."""
        own = own_evidence(verdict.stands)
        cites = verdict.evidence[: len(own)] == own
        return cls(
            matter=verdict.matter,
            decided=verdict.decided,
            rule=verdict.rule,
            because=verdict.because,
            stands=tuple(item.id for item in verdict.stands),
            falls=verdict.falls,
            value=verdict.value,
            cites=cites,
            evidence=verdict.evidence[len(own) :] if cites else verdict.evidence,
            weights=verdict.weights,
            margin=verdict.margin,
            dissent=verdict.dissent,
            flips=verdict.flips,
        )

    def verdict(self, matter: Matter, items: Mapping[str, Claim | Proposal]) -> Verdict:
        """The whole verdict: this ruling with its matter and the items. Raises KeyError for an item that is missing."""
        stands = tuple(items[item] for item in self.stands)
        return Verdict(
            matter=self.matter,
            kind=matter.kind,
            about=matter.about,
            decided=self.decided,
            rule=self.rule,
            because=self.because,
            stands=stands,
            falls=self.falls,
            value=self.value,
            evidence=(*(own_evidence(stands) if self.cites else ()), *self.evidence),
            weights=self.weights,
            margin=self.margin,
            dissent=self.dissent,
            flips=self.flips,
        )


def own_evidence(items: Iterable[Claim | Proposal]) -> tuple[Evidence, ...]:
    """The evidence of some items, each piece once."""
    return tuple(dict.fromkeys(evidence for item in items for evidence in item.evidence))


class Inquiry(Message, contract="hustings.Inquiry.v1"):
    """A question to a specialist before a decision: the name of the skill and its input.

    The skill's other parameters are bound by contract. Two inquiries with the same content are the same question. With
    a `key`, the same skill and key make the same question, even if the content changes with the agents present.
    """

    skill: str
    given: Data
    key: str = later("")

    @property
    def task(self) -> str:
        """The id of the task that answers it: a hash of the content, so that after a crash it is not asked twice."""
        said = f"{self.skill}/{self.key}" if self.key else self.model_dump_json()
        return "inquiry-" + hashlib.sha256(said.encode()).hexdigest()[:16]


class Trial(Message, contract="hustings.Trial.v1"):
    """A prover's answer to "do these hold together?".

    `holds`: the item ids that are proved to stand together. `falls`: each other id, with the reason why it failed or
    stayed unproved. `proof` is for people.
    """

    holds: tuple[str, ...]
    falls: dict[str, str]
    proof: Data = {}
    because: str = ""
