"""Snapshot: a stream as its server copies it, with sequences, times and consumers; and a stream made of it."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream
from nats.aio.msg import Msg
from pydantic import JsonValue

from hustings.protocols import BrokerUnavailable, Unanswered, timing

from .connection import Connection
from .jetstream import (
    JetStreamError,
    Reply,
    StreamConfig,
    StreamInfo,
    StreamState,
    call,
    flow,
    persist,
)

CHUNK = 512 * 1024  # bytes that are sent at once


class Copied(Reply):
    """What the copy is of: the stream's configuration and state at its moment."""

    config: StreamConfig = StreamConfig()
    state: StreamState = StreamState()


class Snapshot(NamedTuple):
    """A copy on its way; the chunks are in the server's own format, a tar file compressed with S2."""

    of: Copied
    chunks: AsyncIterator[bytes]


class _Restoring(Reply):
    deliver_subject: str = ""


@asynccontextmanager
async def snapshot(connection: Connection, stream: str) -> AsyncIterator[Snapshot]:
    """Copy a stream; the server checks each message that it copies. Writers go on meanwhile.

    Raises JetStreamError (no such stream, a damaged message), and what a request raises.
    """
    inbox = connection.new_inbox()
    async with connection.listen(inbox) as messages:
        body: dict[str, JsonValue] = {"deliver_subject": inbox, "jsck": True}
        of = await call(connection, f"STREAM.SNAPSHOT.{stream}", body, Copied, timeout=timing.SNAPSHOT)
        yield Snapshot(of, _chunks(connection, stream, messages))


async def restore(connection: Connection, copied: Copied, config: StreamConfig, chunks: AsyncIterator[bytes]) -> None:
    """Make a stream from a copy, with this configuration; chunks of at most `CHUNK` bytes.

    Raises JetStreamError, BusFull, and what a request raises.
    """
    body = {"config": config.model_dump(mode="json"), "state": copied.state.model_dump(mode="json")}
    opened = await persist(lambda: call(connection, f"STREAM.RESTORE.{config.name}", body, _Restoring, timeout=5))
    async for chunk in chunks:
        await connection.request(opened.deliver_subject, chunk, timeout=timing.SNAPSHOT)
    answer = await connection.request(opened.deliver_subject, timeout=timing.SNAPSHOT)
    restored = StreamInfo.model_validate_json(answer.data)
    if error := restored.error:
        raise JetStreamError(f"the stream {config.name} was not restored", error.description, error.err_code)


async def _chunks(
    connection: Connection, stream: str, messages: MemoryObjectReceiveStream[Msg]
) -> AsyncGenerator[bytes, None]:
    while True:
        with anyio.move_on_after(timing.SNAPSHOT) as silence:
            try:
                message = await messages.receive()
            except anyio.EndOfStream:
                raise BrokerUnavailable("the connection is closed", f"while {stream} was copied") from None
        if silence.cancelled_caught:
            raise Unanswered(f"the copy of {stream} broke off", f"nothing came for {timing.SNAPSHOT:g} s")
        status = (message.headers or {}).get("Status", "")
        if not message.data:
            if status and status not in ("204", "200"):
                raise JetStreamError(
                    f"{stream} cannot be copied", (message.headers or {}).get("Description", status), 0
                )
            return
        yield message.data
        if to := flow(message):
            await connection.publish(to)
