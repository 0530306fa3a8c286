"""Ordered consumer: reads a stream without a gap; after a break it is created again, behind the last message."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from pydantic import JsonValue

from hustings.protocols import BusError, timing
from hustings.protocols.envelope import uuid7

from .connection import Connection
from .jetstream import (
    Arrived,
    Reply,
    call,
    last,
    persist,
    rfc3339,
)
from .pull_consumer import PullConsumer

PREFETCH = 200


class OrderedConsumer:
    """The messages on some subjects, in order; it checks itself that there is no gap. For one reading task."""

    def __init__(
        self,
        connection: Connection,
        stream: str,
        subjects: Sequence[str],
        after: int = 0,
        since: float | None = None,
        ahead: int = PREFETCH,
    ) -> None:
        self.after = after  # the last sequence read
        self._connection = connection
        self._stream = stream
        self._subjects = list(subjects)
        self._since = since
        self._order = 0
        self._name = ""
        self._pull = PullConsumer(connection, stream, self._open, lambda: ahead - len(self._pull.ready))

    async def next(self) -> Arrived | None:
        """The next message; None: only a heartbeat. Raises BrokerUnavailable, Denied, BusError (no stream)."""
        message = await self._pull.next()
        if message is None:
            return None
        if message.order != self._order + 1:
            self._pull.reopen()
            return None
        self._order, self.after = message.order, message.seq
        return message

    async def close(self) -> None:
        await self._pull.close()
        with suppress(BusError):
            await self._connection.publish(f"$JS.API.CONSUMER.DELETE.{self._stream}.{self._name}")

    async def _open(self) -> str:
        self._order, name = 0, "reader-" + uuid7().hex
        body: dict[str, JsonValue] = {"stream_name": self._stream, "action": "create", "config": self._config(name)}
        verb = f"CONSUMER.CREATE.{self._stream}.{name}"
        if len(self._subjects) == 1:
            verb += f".{self._subjects[0]}"  # so that a broker can restrict who reads what
        await persist(lambda: call(self._connection, verb, body, Reply))
        self._name = name
        return name

    def _config(self, name: str) -> dict[str, JsonValue]:
        config: dict[str, JsonValue] = {
            "name": name,
            "ack_policy": "none",
            "mem_storage": True,
            "inactive_threshold": int(timing.CONSUMER_UNUSED * 1e9),
        }
        if len(self._subjects) == 1:
            config["filter_subject"] = self._subjects[0]
        else:
            config["filter_subjects"] = [*self._subjects]
        if self.after or self._since is None:
            return config | {"deliver_policy": "by_start_sequence", "opt_start_seq": self.after + 1}
        since = rfc3339(datetime.fromtimestamp(self._since, UTC))
        return config | {"deliver_policy": "by_start_time", "opt_start_time": since}


async def read(
    connection: Connection, stream: str, subjects: Sequence[str], after: int = 0, *, ahead: int = PREFETCH
) -> AsyncGenerator[Arrived, None]:
    """All messages that are on the subjects now, after the sequence `after`; then it ends.

    At most `ahead` messages are held in memory.
    """
    end = await _end(connection, stream, subjects)
    if end <= after:
        return
    reader = OrderedConsumer(connection, stream, subjects, after, ahead=ahead)
    try:
        while reader.after < end:
            message = await reader.next()
            if message is None:  # perhaps the last message has been deleted meanwhile
                end = min(end, await _end(connection, stream, subjects))
            elif message.seq <= end:
                yield message
    finally:
        await reader.close()


async def follow(
    connection: Connection, stream: str, subjects: Sequence[str], after: int = 0, since: float | None = None
) -> AsyncGenerator[Arrived, None]:
    """The messages on the subjects after the sequence `after` (or from the time `since`), then the new ones."""
    reader = OrderedConsumer(connection, stream, subjects, after, since)
    try:
        while True:
            if message := await reader.next():
                yield message
    finally:
        await reader.close()


async def _end(connection: Connection, stream: str, subjects: Sequence[str]) -> int:
    kept = [await last(connection, stream, subject) for subject in subjects]
    return max((message.seq for message in kept if message), default=0)
