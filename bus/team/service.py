"""Service: an agent as a NATS micro service (ADR-32), so that any NATS tool can find it and ask for its card."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from time import perf_counter_ns

from nats.aio.msg import Msg
from pydantic_core import to_json

from hustings.protocols import AgentCard, Data, Subjects
from hustings.protocols.envelope import uuid7

from ..client.connection import Connection

QUEUE = "q"  # the queue group of all micro services
_SEMVER = re.compile(r"\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?")


class Service:
    """One instance of the service: its answers to PING, INFO, STATS and to a request for the card."""

    def __init__(self, connection: Connection, subjects: Subjects, card: AgentCard, stats: Callable[[], Data]) -> None:
        self._connection = connection
        self._card = card
        self._subject = subjects.card(card.name)
        self._stats = stats
        self._requests = self._nanoseconds = self._misled = 0
        self._started = datetime.now(UTC)
        self._identity: Data = {
            "name": card.name,
            "id": uuid7().hex,
            "version": semver(card.version),
            "metadata": {
                "team": subjects.team,
                "skills": ",".join(skill.name for skill in card.skills),
                "version": card.version,
            },
        }
        self._endpoint: Data = {"name": "card", "subject": self._subject, "queue_group": QUEUE}

    def routes(self) -> dict[str, Callable[[], Data]]:
        """Each control subject, with the function that makes the answer."""
        scopes = ["", f".{self._card.name}", f".{self._card.name}.{self._identity['id']}"]
        answers = {"PING": self.ping, "INFO": self.info, "STATS": self.stats}
        return {f"$SRV.{verb}{scope}": answer for verb, answer in answers.items() for scope in scopes}

    def ping(self) -> Data:
        return {"type": "io.nats.micro.v1.ping_response", **self._identity}

    def info(self) -> Data:
        return {
            "type": "io.nats.micro.v1.info_response",
            **self._identity,
            "description": self._card.description,
            "endpoints": [{**self._endpoint, "metadata": {}}],
        }

    def stats(self) -> Data:
        counts: Data = {
            "num_requests": self._requests,
            "num_errors": self._misled,
            "last_error": "a reply subject that is not below _INBOX." if self._misled else "",
            "processing_time": self._nanoseconds,
            "average_processing_time": self._nanoseconds // max(self._requests, 1),
            "data": self._stats(),
        }
        started = self._started.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {
            "type": "io.nats.micro.v1.stats_response",
            **self._identity,
            "started": started,
            "endpoints": [{**self._endpoint, **counts}],
        }

    async def say(self, answer: Callable[[], Data], message: Msg) -> None:
        await self._reply(message, to_json(answer()))

    async def show(self, message: Msg) -> None:
        began = perf_counter_ns()
        self._requests += 1
        await self._reply(message, self._card.model_dump_json().encode())
        self._nanoseconds += perf_counter_ns() - began

    async def _reply(self, message: Msg, data: bytes) -> None:
        """Answer only below `_INBOX.`; STATS counts any other reply subject as an error."""
        if not await self._connection.reply(message, data):
            self._misled += 1

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Answer requests while the block runs."""
        handlers: dict[str, Callable[[Msg], Awaitable[None]]] = {
            subject: partial(self.say, answer) for subject, answer in self.routes().items()
        }
        async with AsyncExitStack() as stack:
            for subject, handle in handlers.items():
                stack.push_async_callback(
                    self._connection.unsubscribe, await self._connection.subscribe(subject, handle)
                )
            card = await self._connection.subscribe(self._subject, self.show, queue=QUEUE)
            stack.push_async_callback(self._connection.unsubscribe, card)
            await self._connection.flush()
            yield


def semver(version: str) -> str:
    """A semantic version, which the micro protocol demands: `version` itself, or made from its numbers."""
    if _SEMVER.fullmatch(version):
        return version
    numbers = [*re.findall(r"\d+", version), "0", "0", "0"]
    return ".".join(str(int(number)) for number in numbers[:3])
