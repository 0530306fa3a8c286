"""Fence: appends that succeed only if nobody else wrote meanwhile, and that are stored once even if sent twice."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from hustings.protocols import StaleWriter
from hustings.protocols.envelope import uuid7

from ..failpoints import failpoint
from .connection import Connection
from .jetstream import (
    WRONG_LAST,
    JetStreamError,
    find,
    persist,
    publish,
)

CHAIN = 8  # up to this many messages, one by one is faster than a batch
BATCH = 1000  # the server's limit
BATCH_BYTES = 16 * 2**20


class Sealed(NamedTuple):
    """A message ready to be sent; a retry sends exactly the same bytes."""

    subject: str
    raw: bytes


class Fence(NamedTuple):
    """A condition: no message on `subject` (wildcards allowed) is newer than the sequence `after`; 0: there is none."""

    subject: str
    after: int

    def headers(self) -> dict[str, str]:
        return {
            "Nats-Expected-Last-Subject-Sequence": str(self.after),
            "Nats-Expected-Last-Subject-Sequence-Subject": self.subject,
        }


async def append(connection: Connection, stream: str, messages: Sequence[Sealed], fence: Fence) -> int:
    """Append in order, if the fence's condition holds, and return the last sequence.

    Up to eight messages are sent one by one (a crash may leave the first ones), more in atomic batches of at most 1000
    (a crash may leave the first batches). Raises StaleWriter if somebody else wrote on the fence's subject, BusFull,
    Unanswered after 12 seconds, Denied, BrokerUnavailable.
    """
    left = iter(messages)
    while group := list(_group(left, short=len(messages) <= CHAIN)):
        write = append_one if len(group) == 1 else append_batch
        fence = fence._replace(after=await write(connection, stream, group, fence))
        failpoint("append.between", seq=fence.after)
    return fence.after


async def append_one(connection: Connection, stream: str, group: Sequence[Sealed], fence: Fence) -> int:
    (message,) = group
    try:
        return await persist(lambda: publish(connection, stream, message.subject, message.raw, fence.headers()))
    except JetStreamError as error:
        if error.code not in WRONG_LAST:
            raise
    return await _ours(connection, stream, group, fence)


async def append_batch(connection: Connection, stream: str, group: Sequence[Sealed], fence: Fence) -> int:
    try:
        return await persist(lambda: _send_batch(connection, stream, group, fence))
    except JetStreamError as error:
        if error.code not in WRONG_LAST:
            raise
    return await _ours(connection, stream, group, fence)


def _group(left: Iterator[Sealed], *, short: bool) -> Iterator[Sealed]:
    size = 0
    for message in islice(left, 1 if short else BATCH):
        yield message
        size += len(message.raw)
        if size > BATCH_BYTES:
            return


async def _send_batch(connection: Connection, stream: str, group: Sequence[Sealed], fence: Fence) -> int:
    """Send an atomic batch (ADR-50) under a new id, because an earlier try may still be open on the server."""
    batch = uuid7().hex
    *before, final = group
    for number, message in enumerate(before, 1):
        headers = {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
        await connection.publish(
            message.subject, message.raw, headers=headers | (fence.headers() if number == 1 else {})
        )
    headers = {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(len(group)), "Nats-Batch-Commit": "1"}
    return await publish(connection, stream, final.subject, final.raw, headers)


async def _ours(connection: Connection, stream: str, group: Sequence[Sealed], fence: Fence) -> int:
    """The condition failed: the last sequence if our own earlier try was stored. Raises StaleWriter if not."""
    first = await find(connection, stream, {"seq": fence.after + 1, "next_by_subj": fence.subject})
    if first and first.data == group[0].raw:
        end = first.seq + len(group) - 1  # the sequences of a batch are consecutive
        final = first if end == first.seq else await find(connection, stream, {"seq": end})
        if final and final.data == group[-1].raw:
            return end
    by = f"message {first.seq} came first" if first else f"there is no message after {fence.after}"
    raise StaleWriter("the append was refused", by)
