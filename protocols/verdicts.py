"""Verdict: what stands of all that was said about one thing, by which rule, and what would have flipped it."""

import hashlib
from typing import Literal

from pydantic import JsonValue

from .message import Data, Message, later
from .testimony import Claim, Evidence, Proposal

MatterKind = Literal["claim", "change", "contradiction", "collision", "stale"]


class Matter(Message, contract="hustings.Matter.v1"):
    """All that was said about one thing, by item id. Contested: not all of it can stand, so it is a conflict."""

    id: str
    items: tuple[str, ...]
    kind: MatterKind
    contested: bool
    about: str = ""


class Dissent(Message, contract="hustings.Dissent.v1"):
    """A statement that fell although its author held on to it."""

    item: str
    by: str
    says: str


class Verdict(Message, contract="hustings.Verdict.v1"):
    """The decision of one Matter, whose `kind` and `about` it repeats. `stands` and `falls` together are all its items;
    undecided: nothing stands.

    `weights` is what each option counted, by a word for the option; `margin` the distance between the best two;
    `flips` says what would have turned the decision.
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


class Inquiry(Message, contract="hustings.Inquiry.v1"):
    """A question to a specialist before a decision: the skill's name and what is given.

    The skill's other parameters are bound by contract. Asked twice with the same content it is the same question;
    with a `key`, it is the key that says so, and the content may change with who is there.
    """

    skill: str
    given: Data
    key: str = later("")

    @property
    def task(self) -> str:
        """The id of the task that answers it: a hash of the content, so that a crash cannot ask twice."""
        said = f"{self.skill}/{self.key}" if self.key else self.model_dump_json()
        return "inquiry-" + hashlib.sha256(said.encode()).hexdigest()[:16]


class Trial(Message, contract="hustings.Trial.v1"):
    """The answer of a prover to "would these hold together?".

    `holds`: the item ids that were proved to stand together. `falls`: each other id with the reason it was found
    guilty or left unproved. `proof` is for the reader.
    """

    holds: tuple[str, ...]
    falls: dict[str, str]
    proof: Data = {}
    because: str = ""
