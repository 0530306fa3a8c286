"""MCP: the tools of a server that speaks the Model Context Protocol, as our Tools. The extra `hustings[mcp]`."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
from pydantic import JsonValue
from pydantic_core import to_jsonable_python

from hustings.bus import background
from hustings.protocols import Data, HustingsError, NonRetryableError, UsageError

from .tools import Tool

if TYPE_CHECKING:
    from mcp import Client
    from mcp.types import Tool as Offered

SECONDS = 30.0  # for a call, and for the server to list its tools


class McpFailure(HustingsError):
    """The MCP server died, hangs, breaks the protocol, or cannot be reached."""

    try_this = "Check the MCP server. The model was told that the tool failed."


@asynccontextmanager
async def mcp_tools(
    server: str | Sequence[str],
    *,
    only: Collection[str] = (),
    reads: Collection[str] = (),
    env: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
) -> AsyncIterator[list[Tool]]:
    """The tools of a server, while the block runs: a command that starts one (a list of words), or its URL.

    A started server gets `env` and, of our environment, HOME, PATH and the like, but no key. If `only` has names, only
    these tools are offered. All tools act (see Tool) except those named in `reads`: what a server says about itself is
    no ground for trust, and beside its tools no tool that acts can be called. A call may take so many `seconds`.
    Exceptions of the block pass unchanged. A tool raises NonRetryableError for an error that the server reports, and
    McpFailure if the server died, hangs or breaks the protocol. Raises UsageError without the package and for a tool
    that the server does not have, McpFailure if the server cannot be reached.
    """
    session = _Session(_where(server, env), seconds)
    async with background(session.hold):
        offered = {tool.name: tool for tool in await session.offered()}
        if missing := [name for name in only if name not in offered]:
            raise UsageError(f"the MCP server has no tool {missing[0]}", f"it has {', '.join(offered) or 'none'}")
        yield [session.tool(offered[name], acts=name not in reads) for name in only or offered]


def _where(server: str | Sequence[str], env: Mapping[str, str] | None) -> Any:
    try:
        from mcp import StdioServerParameters
    except ImportError:
        raise UsageError("MCP is not installed", "its tools are an extra", "pip install 'hustings[mcp]'") from None
    if isinstance(server, str):
        return server
    command, *arguments = server
    return StdioServerParameters(command=command, args=arguments, env=dict(env or {}))


class _Session:
    """The connection to a server. A task of its own holds the package's client, because the client wraps exceptions
    into groups, and its own failures must not end the block."""

    def __init__(self, where: Any, seconds: float) -> None:
        self._where, self._seconds = where, seconds
        self._settled = anyio.Event()
        self._client: Client | None = None
        self._offered: list[Offered] = []
        self._trouble: BaseException | None = None

    async def hold(self) -> None:
        """Connect, and stay connected until cancelled, or until it breaks."""
        from mcp import Client

        try:
            async with Client(self._where) as client:
                self._client, self._offered = client, await _offered(client)
                self._settled.set()
                await anyio.sleep_forever()
        except Exception as error:  # noqa: BLE001 - the server may cause anything: callers are told
            self._trouble = error
        finally:
            self._settled.set()

    async def offered(self) -> "list[Offered]":
        """The server's tools. Raises McpFailure."""
        with anyio.move_on_after(self._seconds):
            await self._settled.wait()
            if self._trouble:
                raise McpFailure("the MCP server cannot be reached", _told(self._trouble)) from self._trouble
            return self._offered
        raise McpFailure("the MCP server cannot be reached", f"no answer for {self._seconds:g} s")

    def tool(self, offered: "Offered", *, acts: bool) -> Tool:
        async def call(given: Data) -> JsonValue:
            return await self._call(offered.name, given)

        inputs = to_jsonable_python(offered.input_schema)
        return Tool(offered.name, offered.description or "", inputs, call, acts, untrusted=True)

    async def _call(self, name: str, given: Data) -> JsonValue:
        assert self._client
        try:
            with anyio.fail_after(self._seconds):
                said = await self._client.call_tool(name, dict(given))
        except TimeoutError:
            raise McpFailure(f"{name} did not answer", f"nothing for {self._seconds:g} s") from None
        except Exception as error:  # the package raises a dozen kinds
            raise McpFailure(f"{name} did not answer", _told(error)) from error
        text = "\n".join(getattr(part, "text", f"[{part.type}]") for part in said.content)
        if said.is_error:
            raise NonRetryableError(text or f"{name} failed")
        plain: JsonValue = to_jsonable_python(said.structured_content)
        return plain if plain is not None else text


async def _offered(client: "Client") -> "list[Offered]":
    found: list[Offered] = []
    cursor: str | None = None
    while True:
        page = await client.list_tools(cursor=cursor)
        found += page.tools
        cursor = page.next_cursor
        if not cursor:
            return found


def _told(error: BaseException) -> str:
    """The error: the protocol's own message, else only the type, because the text might have a URL with a key in it."""
    from mcp import MCPError

    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) if isinstance(error, MCPError) else type(error).__name__
