"""MCP: tools of a server that speaks the Model Context Protocol, as tools of ours. The extra `moot[mcp]`."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from pydantic import JsonValue
from pydantic_core import to_jsonable_python

from moot.protocols import Data, MootError, Refused, UsageError

from .tools import Tool

if TYPE_CHECKING:
    from mcp import Client
    from mcp.types import Tool as Offered

SECONDS = 30.0  # for a call


class McpFailure(MootError):
    """Look whether the MCP server is well; the model has been told that the tool failed."""


@asynccontextmanager
async def mcp_tools(
    server: str | Sequence[str],
    *,
    only: Collection[str] = (),
    reads: Collection[str] = (),
    env: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
) -> AsyncIterator[list[Tool]]:
    """The tools of a server, while the block runs: a command to start one (a list of words), or the URL of one.

    A server that is started here gets `env` and, of ours, HOME, PATH and the like: no key of this process. Of its tools
    `only` these are offered, if any are named. All of them act (see Tool) but those that you name in `reads`: what a
    server says of itself is no ground for trust. A call may take so many `seconds`. Raises UsageError without the
    package, McpFailure if the server cannot be reached.
    """
    try:
        from mcp import Client, StdioServerParameters
    except ImportError:
        raise UsageError("MCP is not installed", "its tools are an extra", "pip install 'moot[mcp]'") from None
    where: Any = server
    if not isinstance(server, str):
        command, *arguments = server
        where = StdioServerParameters(command=command, args=arguments, env=dict(env or {}))
    async with Client(where, read_timeout_seconds=seconds) as client:
        yield [_tool(client, each, reads) for each in await _offered(client) if not only or each.name in only]


async def _offered(client: "Client") -> "list[Offered]":
    found: list[Offered] = []
    cursor: str | None = None
    while True:
        page = await client.list_tools(cursor=cursor)
        found += page.tools
        cursor = page.next_cursor
        if not cursor:
            return found


def _tool(client: "Client", offered: "Offered", reads: Collection[str]) -> Tool:
    async def call(given: Data) -> JsonValue:
        from mcp import MCPError

        try:
            said = await client.call_tool(offered.name, dict(given))
        except (MCPError, OSError) as error:
            raise McpFailure(f"{offered.name} did not answer", str(error)) from None
        text = "\n".join(getattr(part, "text", f"[{part.type}]") for part in said.content)
        if said.is_error:
            raise Refused(text or f"{offered.name} failed")
        plain: JsonValue = to_jsonable_python(said.structured_content)
        return plain if plain is not None else text

    return Tool(
        offered.name,
        offered.description or "",
        to_jsonable_python(offered.input_schema),
        call,
        offered.name not in reads,
    )
