"""Live messages, which are not stored: heartbeats, progress, ends of runs, and which agents are present."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Generic, TypeVar

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream
from nats.aio.msg import Msg
from pydantic import BaseModel, ValidationError

from hustings.protocols import (
    AgentCard,
    BrokerUnavailable,
    Cancelled,
    Concluded,
    Data,
    Heartbeat,
    Progress,
    Subjects,
    Unanswered,
    Unreadable,
    open_envelope,
    parse,
    timing,
)
from hustings.protocols.events import Stored
from hustings.protocols.wire import check_legible

from ..client.connection import Connection
from ..failpoints import failpoint
from .service import Service

T = TypeVar("T")
L = TypeVar("L", Heartbeat, Progress, Heartbeat | Progress)


class Present(BaseModel):
    """An instance of an agent that answers now, by NATS's micro protocol. `version` is a semantic version."""

    name: str
    id: str
    version: str
    metadata: dict[str, str] = {}


class Feed(Generic[T]):
    """Incoming messages, parsed; skips unreadable ones. Raises BrokerUnavailable when the connection is closed."""

    def __init__(self, messages: MemoryObjectReceiveStream[Msg], read: Callable[[Msg], T]) -> None:
        self._messages = messages
        self._read = read

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        while True:
            try:
                return self._read(await self._messages.receive())
            except (ValidationError, Unreadable):
                continue
            except anyio.EndOfStream:
                raise BrokerUnavailable("the connection to the broker is closed") from None


class Live:
    """The team's live subjects: core NATS, not stored; losing a message does no harm."""

    def __init__(self, connection: Connection, subjects: Subjects) -> None:
        self._connection = connection
        self._subjects = subjects

    async def beat(self, heartbeat: Heartbeat) -> None:
        """Publish that this process is alive. Lost while the broker is away. Raises Denied, BrokerUnavailable."""
        await self._say(self._subjects.heartbeat(heartbeat.agent), heartbeat)

    async def progress(self, progress: Progress) -> None:
        """Publish how far a task is. Lost while the broker is away. Raises Denied, BrokerUnavailable."""
        await self._say(self._subjects.progress(progress.agent), progress)

    def heartbeats(self) -> AbstractAsyncContextManager[Feed[Heartbeat]]:
        """The heartbeats of all agents, from the start of the block."""
        return self._feed(_heartbeat, self._subjects.heartbeats())

    def watch(self) -> AbstractAsyncContextManager[Feed[Heartbeat | Progress]]:
        """All heartbeats and progress, from the start of the block."""
        return self._feed(_anything, self._subjects.live())

    def endings(self) -> AbstractAsyncContextManager[Feed[str]]:
        """The runs that end or are withdrawn, from the start of the block. One may be missed: the log is certain."""
        concluded = self._subjects.decisions(Concluded.__name__.lower())
        return self._feed(_ending, concluded, self._subjects.cancels())

    def service(self, card: AgentCard, stats: Callable[[], Data]) -> AbstractAsyncContextManager[None]:
        """While the block runs, answer NATS tools (`$SRV.PING`, `INFO`, `STATS`) and requests for the card."""
        return Service(self._connection, self._subjects, card, stats).run()

    async def card(self, agent: str, timeout: float = timing.ANSWER) -> AgentCard | None:
        """The card of an agent; None if no instance answers."""
        try:
            answer = await self._connection.request(self._subjects.card(agent), timeout=timeout)
            check_legible(answer.data)  # its schemas go into requests to planners
            return AgentCard.model_validate_json(answer.data)
        except (Unanswered, Unreadable, ValidationError):
            return None

    async def roll_call(self, wait: float = 0.3) -> list[Present]:
        """The instances of this team's agents that answer within `wait` seconds, ordered by name."""
        inbox = self._connection.new_inbox()
        present: list[Present] = []
        async with self._connection.listen(inbox) as messages:
            await self._connection.publish("$SRV.PING", reply=inbox)
            with anyio.move_on_after(wait):
                async for one in Feed(messages, lambda message: Present.model_validate_json(message.data)):
                    present.append(one)  # noqa: PERF401 - a timeout may end the loop; the list stays
        ours = [one for one in present if one.metadata.get("team") == self._subjects.team]
        return sorted(ours, key=lambda one: (one.name, one.id))

    async def _say(self, subject: str, message: Heartbeat | Progress) -> None:
        if self._connection.connected or self._connection.dead:
            failpoint("publish.before", subject=subject)
            await self._connection.publish(subject, message.model_dump_json().encode())
            failpoint("publish.after", subject=subject)

    @asynccontextmanager
    async def _feed(self, read: Callable[[Msg], T], *subjects: str) -> AsyncIterator[Feed[T]]:
        async with self._connection.listen(*subjects) as messages:
            yield Feed(messages, read)


def _heartbeat(message: Msg) -> Heartbeat:
    return _own(message, Heartbeat.model_validate_json(message.data))


def _anything(message: Msg) -> Heartbeat | Progress:
    kind = Heartbeat if message.subject.endswith(".heartbeat") else Progress
    return _own(message, kind.model_validate_json(message.data))


def _own(message: Msg, said: L) -> L:
    """The message, if it names the agent whose subject it came on. Raises Unreadable."""
    if message.subject.split(".")[-2] != said.agent:
        raise Unreadable("it does not name the agent whose subject it is on")
    return said


def _ending(message: Msg) -> str:
    """The run that this ends, or may end if the event itself is in the object store. Raises Unreadable."""
    run, envelope = parse(message.subject).run, open_envelope(message.data)
    if envelope.runid != run or not isinstance(envelope.data, Concluded | Cancelled | Stored):
        raise Unreadable("it does not end this run")
    return run
