"""Ask: how a task uses another agent's skill: it asks the coordinator on the log, and gets the answer there."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import TypeVar, cast

from pydantic import JsonValue, ValidationError
from pydantic_core import to_json

from hustings.protocols import Asked, AskFailed, Assigned, Contract, Data, Message, UsageError
from hustings.protocols.message import shape
from hustings.protocols.validation import first_error
from hustings.protocols.wire import sent

from .journal import Journal

M = TypeVar("M", bound=Message)


class Asking:
    """The asks of one attempt. A redelivered task asks the same again, and gets the recorded answers."""

    def __init__(self, assigned: Assigned, journal: Journal) -> None:
        self._assigned = assigned
        self._journal = journal
        self._asked: Counter[str] = Counter()

    async def ask(self, skill: str, given: Data, wants: Contract | None = None) -> JsonValue:
        """The skill's answer, which is of the wanted type. Equal asks are told apart by their order. Raises AskFailed,
        BudgetExceeded."""
        said = [skill, sorted(given.items()), *([wants] if wants else [])]
        digest = hashlib.sha256(to_json(said)).hexdigest()[:16]
        self._asked[digest] += 1
        asked = Asked(
            task=self._assigned.task,
            attempt=self._assigned.attempt,
            agent=self._assigned.agent,
            ask=f"{digest}-{self._asked[digest]}",
            skill=skill,
            input=given,
            wants=wants,
        )
        answered = await self._journal.reply(asked)
        if answered.failed:
            raise AskFailed(f"{skill} was asked, and there is no answer", answered.failed)
        return answered.output


def wanted(answer: type[M] | type[list[M]]) -> tuple[type[M], Contract]:
    """The message class and the contract of an answer's type. Raises UsageError."""
    shaped = shape(answer)
    if shaped is None:
        raise UsageError(
            f"nothing answers with {answer}", "a skill returns a Message, or a list of one kind of Message"
        )
    return cast("type[M]", shaped[0]), shaped[1]


def heard(message: type[M], contract: Contract, skill: str, value: JsonValue) -> M | list[M]:
    """What a skill answered. Raises AskFailed: it is of another type."""
    try:
        read = [message.of(each) for each in (value if contract.many and isinstance(value, list) else [value])]
    except ValidationError as error:
        raise AskFailed(f"the answer of {skill} is no {message.__name__}", first_error(error)) from None
    return read if contract.many else read[0]


def said(given: Message | Sequence[Message]) -> JsonValue:
    """The value of a skill's parameter as plain JSON. Raises Unsendable."""
    return sent(given) if isinstance(given, Message) else [sent(message) for message in given]
