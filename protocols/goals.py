"""Goal and Outcome: the input and the output of a run. Teams declare their own as subclasses."""

from typing import Literal

from .errors import UsageError
from .message import Message, shape, spelt

Status = Literal["decided", "partial", "undecided", "failed", "cancelled"]


class Goal(Message):
    """What a client asks of a team. Each field becomes a flag of `hustings run`."""


class Outcome(Message):
    """The output of a run. Its fields are bound to what the specialists return, like the parameters of a skill.

    Creating a class raises UsageError if a field without a default is neither a message nor a list of messages.
    """

    @classmethod
    def __pydantic_init_subclass__(cls, **options: object) -> None:
        super().__pydantic_init_subclass__(**options)
        known = cls.__pydantic_complete__ and not cls.__pydantic_generic_metadata__["parameters"]
        for name, field in cls.model_fields.items() if known else ():
            if field.is_required() and shape(field.annotation) is None:
                raise UsageError(
                    f"{cls.__name__} cannot have a field {name}: {spelt(field.annotation)}",
                    "an outcome's fields are messages or lists of messages",
                    "Put it into a Message that a skill returns, or give it a default.",
                )


class Proof(Message, contract="hustings.Proof.v1"):
    """Evidence about an outcome as a whole. `hustings run` exits with 4 if the proof in the outcome does not hold."""

    holds: bool
    because: str = ""
