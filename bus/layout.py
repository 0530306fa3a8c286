"""Layout: what a team has on the server: the stream of its log, and the object store of its blobs."""

from collections.abc import Iterator

from pydantic import JsonValue

from moot.protocols import BrokerUnfit, BusFull, Subjects

from .connection import Connection
from .jetstream import JetStreamError, StreamInfo, call, persist, stream_info

SIZES = (2**30, 2**28, 2**26)  # bytes of a log, reserved on the server: the largest that still fits
_NAME_IN_USE = 10058
_NO_PEERS = {10005, 10074}


async def ensure_layout(connection: Connection, subjects: Subjects) -> None:
    """Create what is missing; what is there keeps its settings.

    On a cluster both get three replicas where three servers are there. Raises BrokerUnfit (a log that cannot take
    atomic batches), BusFull (no room for a log of 64 MiB), and what a request raises.
    """
    await _ensure(connection, _logs(subjects))
    await _ensure(connection, _stores(subjects))
    info = await stream_info(connection, subjects.stream())
    if info and not info.config.allow_atomic:
        raise BrokerUnfit(f"the stream {subjects.stream()} is not a log of moot", "it does not allow atomic batches")


def object_stream(subjects: Subjects) -> str:
    """The stream behind the team's object store."""
    return f"OBJ_{subjects.bucket()}"


async def _ensure(connection: Connection, candidates: Iterator[dict[str, JsonValue]]) -> None:
    """Take the first candidate that the server accepts. They differ in size and replicas only."""
    refusal: BusFull | JetStreamError | None = None
    for config in candidates:
        if refusal is None and await stream_info(connection, str(config["name"])):
            return
        try:
            await persist(lambda config=config: _create(connection, config))  # type: ignore[misc]
            return
        except BusFull as error:
            refusal = error
        except JetStreamError as error:
            if error.code == _NAME_IN_USE:
                return  # somebody else was quicker
            if error.code not in _NO_PEERS:
                raise
            refusal = error
    assert refusal
    raise refusal


async def _create(connection: Connection, config: dict[str, JsonValue]) -> None:
    await call(connection, f"STREAM.CREATE.{config['name']}", config, StreamInfo, timeout=5)


def _logs(subjects: Subjects) -> Iterator[dict[str, JsonValue]]:
    for size in SIZES:
        yield {
            "name": subjects.stream(),
            "subjects": [subjects.log()],
            "storage": "file",
            "retention": "limits",
            "discard": "new",
            "max_bytes": size,
            "allow_atomic": True,
            "allow_direct": True,
        }


def _stores(subjects: Subjects) -> Iterator[dict[str, JsonValue]]:
    bucket = subjects.bucket()
    yield {  # https://github.com/nats-io/nats-architecture-and-design/blob/main/adr/ADR-20.md
        "name": object_stream(subjects),
        "subjects": [f"$O.{bucket}.C.>", f"$O.{bucket}.M.>"],
        "storage": "file",
        "discard": "new",
        "allow_rollup_hdrs": True,
        "allow_direct": True,
    }
