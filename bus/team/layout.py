"""Layout: what a team has on the server: the stream of its log and its object store."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial

from pydantic import JsonValue

from hustings.protocols import BrokerUnfit, BusError, BusFull, Denied, Subjects, Unanswered

from ..client.connection import Connection
from ..client.jetstream import (
    JetStreamError,
    StreamConfig,
    StreamInfo,
    call,
    persist,
    stream_info,
)

SIZES = (2**30, 2**28, 2**26)  # bytes of a log, reserved on the server; the largest that fits is used
REPLICAS = (3, 1)
_NAME_IN_USE = 10058
_OTHER = (
    "It belongs to another program, or to a version from before the project was called hustings, whose logs are no"
    " longer read. Take another name for the team, or delete the stream with `nats stream rm`."
)


async def ensure_layout(connection: Connection, subjects: Subjects) -> None:
    """Create what is missing. An existing stream keeps its settings; subjects that are new since then are added.

    On a cluster of three servers both get three replicas. Raises BrokerUnfit (a stream of that name is not a log of
    hustings), BusFull (no room for a log of 64 MiB), and what a request raises.
    """
    await _ensure(connection, [{**_log(subjects), "max_bytes": size} for size in SIZES])
    await _ensure(connection, [_store(subjects)])
    info = await stream_info(connection, subjects.stream())
    if info:
        await _update(connection, subjects, info.config)


def object_stream(subjects: Subjects) -> str:
    """The stream behind the team's object store."""
    return f"OBJ_{subjects.bucket()}"


async def _ensure(connection: Connection, sizes: Sequence[dict[str, JsonValue]]) -> None:
    """Create the stream if it is missing."""
    if not await stream_info(connection, str(sizes[0]["name"])):
        await fitted(sizes, partial(_create, connection))


async def fitted(
    sizes: Sequence[dict[str, JsonValue]], make: Callable[[dict[str, JsonValue]], Awaitable[None]]
) -> None:
    """Make a stream by the first of these configurations, and with as many replicas, as the servers allow.

    Raises what `make` raises in the end.
    """
    refusal: BusError | None = None
    for replicas in REPLICAS:
        for config in sizes:
            try:
                return await make({**config, "num_replicas": replicas})
            except BusFull as error:
                refusal = error
            except (JetStreamError, Unanswered) as error:  # fewer servers than replicas, at least for now
                refusal = error
                break
    assert refusal
    raise refusal


async def _update(connection: Connection, subjects: Subjects, config: StreamConfig) -> None:
    """Add the subjects that an older stream lacks. Without the permission to change it, leave it as it is."""
    ours = f"hustings.{subjects.team}."
    other = [subject for subject in config.subjects if not subject.startswith(ours)]
    if other or not config.allow_atomic:
        why = f"it takes {other[0]}" if other else "it does not allow atomic batches"
        raise BrokerUnfit(f"the stream {subjects.stream()} is not a log of hustings", why, _OTHER)
    if missing := [subject for subject in subjects.stored() if subject not in config.subjects]:
        body = {**config.model_dump(mode="json"), "subjects": [*config.subjects, *missing]}
        with suppress(Denied):
            await persist(lambda: call(connection, f"STREAM.UPDATE.{subjects.stream()}", body, StreamInfo, timeout=5))


async def _create(connection: Connection, config: dict[str, JsonValue]) -> None:
    verb = f"STREAM.CREATE.{config['name']}"
    try:
        await persist(lambda: call(connection, verb, config, StreamInfo, timeout=5))
    except JetStreamError as error:
        if error.code != _NAME_IN_USE:  # else another process created it first
            raise


def _log(subjects: Subjects) -> dict[str, JsonValue]:
    return {
        "name": subjects.stream(),
        "subjects": [*subjects.stored()],
        "storage": "file",
        "retention": "limits",
        "discard": "new",
        "allow_atomic": True,
        "allow_direct": True,
    }


def _store(subjects: Subjects) -> dict[str, JsonValue]:
    bucket = subjects.bucket()
    return {  # https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-20.md
        "name": object_stream(subjects),
        "subjects": [f"$O.{bucket}.C.>", f"$O.{bucket}.M.>"],
        "storage": "file",
        "discard": "new",
        "allow_rollup_hdrs": True,
        "allow_direct": True,
    }
