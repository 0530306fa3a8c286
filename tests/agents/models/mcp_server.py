"""A real MCP server, for tests: over stdio, or with --http on a free port of 127.0.0.1, which it prints."""

import os
import socket
import sys

import anyio
import uvicorn
from mcp.server import MCPServer
from mcp_types import ToolAnnotations
from pydantic import BaseModel

server = MCPServer("shop")


class Price(BaseModel):
    item: str
    cents: int


@server.tool()
def price(item: str) -> Price:
    """What an item costs."""
    return Price(item=item, cents=len(item) * 100)


@server.tool(structured_output=False)
def greet() -> str:
    """Says hello."""
    return "hello"


@server.tool()
def secrets() -> str:
    """What it knows of the process that started it."""
    return " ".join(sorted(os.environ))


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def harmless() -> str:
    """Says of itself that it changes nothing."""
    return "believe me"


@server.tool()
def fail() -> str:
    """Fails."""
    raise ValueError("it is broken")


@server.tool()
def die() -> str:
    """Ends the server."""
    os._exit(1)


@server.tool()
async def hang() -> str:
    """Never answers."""
    await anyio.sleep_forever()
    return ""


def serve_http() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    uvicorn.Server(uvicorn.Config(server.streamable_http_app(), log_level="error")).run([listener])


if __name__ == "__main__":
    serve_http() if "--http" in sys.argv else server.run(transport="stdio")
    sys.exit(0)
