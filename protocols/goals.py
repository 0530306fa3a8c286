"""Goal and Outcome: what is asked and what comes out. Teams declare their own as subclasses."""

from typing import Literal

from .message import Message

Status = Literal["decided", "partial", "undecided", "failed", "cancelled"]


class Goal(Message):
    """What a client asks of a team. Each field becomes a flag of `hustings run`."""


class Outcome(Message):
    """What a run comes to. Its fields are bound to what the specialists say, as a skill's parameters are."""


class Proof(Message, contract="hustings.Proof.v1"):
    """Evidence about an outcome as a whole. A run whose outcome carries a proof that does not hold exits with 4."""

    holds: bool
    because: str = ""
