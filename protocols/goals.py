"""Goal and Outcome: the input and the output of a run. Teams declare their own as subclasses."""

from typing import Literal

from .message import Message

Status = Literal["decided", "partial", "undecided", "failed", "cancelled"]


class Goal(Message):
    """What a client asks of a team. Each field becomes a flag of `hustings run`."""


class Outcome(Message):
    """The output of a run. Its fields are bound to what the specialists return, like the parameters of a skill."""


class Proof(Message, contract="hustings.Proof.v1"):
    """Evidence about an outcome as a whole. `hustings run` exits with 4 if the proof in the outcome does not hold."""

    holds: bool
    because: str = ""
