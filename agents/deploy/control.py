"""Control: other commands of this user ask a running supervisor to restart and to scale, over a Unix socket."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Literal

import anyio
from anyio import BrokenResourceError, EndOfStream, IncompleteRead
from anyio.abc import ByteStream
from anyio.streams.buffered import BufferedByteReceiveStream
from pydantic import BaseModel, ConfigDict, ValidationError

from hustings.bus import background
from hustings.protocols import HustingsError, NotFound, UsageError

LONGEST = 64 * 1024  # bytes of a request or a reply


class Request(BaseModel):
    """Restart the processes of one part of the team; or, with `replicas`, have so many."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    do: Literal["restart", "scale"]
    name: str
    replicas: int | None = None


class Reply(BaseModel):
    """Each process that was started, and whether it became ready; or, in `error`, what is wrong, why, what to try."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    ready: Mapping[str, bool] = {}
    stopped: tuple[str, ...] = ()
    error: tuple[str, str, str] | None = None


Answer = Callable[[Request], Awaitable[Reply]]


@asynccontextmanager
async def controlled(socket: Path, answer: Answer) -> AsyncIterator[None]:
    """Answer requests on this socket, which only this user can open, while the block runs.

    A HustingsError that `answer` raises becomes the reply.
    """
    async with await anyio.create_unix_listener(_short(socket), mode=0o600) as listener:
        try:
            async with background(partial(listener.serve, partial(_serve, answer))):
                yield
        finally:
            socket.unlink(missing_ok=True)  # noqa: ASYNC240 - one system call, also when cancelled


async def _serve(answer: Answer, stream: ByteStream) -> None:
    async with stream:
        with suppress(EndOfStream, IncompleteRead, BrokenResourceError, anyio.DelimiterNotFound):
            line = await BufferedByteReceiveStream(stream).receive_until(b"\n", LONGEST)
            await stream.send((await _reply(answer, line)).model_dump_json().encode() + b"\n")


async def _reply(answer: Answer, line: bytes) -> Reply:
    try:
        return await answer(Request.model_validate_json(line))
    except ValidationError:
        return Reply(error=("the supervisor cannot read the request", "it may have another version", "Restart it."))
    except HustingsError as error:
        return Reply(error=(error.what, error.why, error.hint))


async def ask(socket: Path, request: Request) -> Reply:
    """Ask the supervisor behind this socket. Raises NotFound: it has ended; UsageError: it refuses."""
    try:
        async with await anyio.connect_unix(_short(socket)) as stream:
            await stream.send(request.model_dump_json().encode() + b"\n")
            line = await BufferedByteReceiveStream(stream).receive_until(b"\n", LONGEST)
    except (OSError, EndOfStream, IncompleteRead, BrokenResourceError):
        raise NotFound("the supervisor does not answer", f"{socket} is closed", "See `hustings ps`.") from None
    reply = Reply.model_validate_json(line)
    if reply.error:
        raise UsageError(*reply.error)
    return reply


def _short(path: Path) -> str:
    """The path from here: the whole one may be longer than the 100 bytes that a socket's address has room for."""
    return os.path.relpath(path)
