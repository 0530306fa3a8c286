"""Ask: how a task uses another agent's skill: it asks the coordinator on the log, and gets the answer there."""

import hashlib
from collections import Counter
from collections.abc import Sequence

from pydantic import JsonValue
from pydantic_core import to_json

from hustings.protocols import Asked, AskFailed, Assigned, Data, Message, sent

from .journal import Journal


class Asking:
    """The asks of one attempt. A redelivered task asks the same again, and gets the recorded answers."""

    def __init__(self, assigned: Assigned, journal: Journal) -> None:
        self._assigned = assigned
        self._journal = journal
        self._asked: Counter[str] = Counter()

    async def ask(self, skill: str, given: Data) -> JsonValue:
        """The skill's answer. Equal asks are told apart by their order. Raises AskFailed, BudgetExceeded."""
        digest = hashlib.sha256(to_json([skill, sorted(given.items())])).hexdigest()[:16]
        self._asked[digest] += 1
        asked = Asked(
            task=self._assigned.task,
            attempt=self._assigned.attempt,
            agent=self._assigned.agent,
            ask=f"{digest}-{self._asked[digest]}",
            skill=skill,
            input=given,
        )
        answered = await self._journal.reply(asked)
        if answered.failed:
            raise AskFailed(f"{skill} was asked, and there is no answer", answered.failed)
        return answered.output


def said(given: Message | Sequence[Message]) -> JsonValue:
    """The value of a skill's parameter as plain JSON. Raises Unsendable."""
    return sent(given) if isinstance(given, Message) else [sent(message) for message in given]
