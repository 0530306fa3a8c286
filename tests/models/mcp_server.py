"""A real MCP server, for tests, over stdio."""

import os
import sys

from mcp.server import MCPServer
from pydantic import BaseModel

server = MCPServer("shop")


class Price(BaseModel):
    item: str
    cents: int


@server.tool()
def price(item: str) -> Price:
    """What an item costs."""
    return Price(item=item, cents=len(item) * 100)


@server.tool()
def secrets() -> str:
    """What it knows of the process that started it."""
    return " ".join(sorted(os.environ))


@server.tool()
def fail() -> str:
    """Fails."""
    raise ValueError("it is broken")


@server.tool()
def die() -> str:
    """Ends the server."""
    os._exit(1)


if __name__ == "__main__":
    server.run(transport="stdio")
    sys.exit(0)
