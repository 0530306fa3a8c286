"""MCP: tools of a real server, over stdio, for a model; it is trusted with nothing."""

import sys
from pathlib import Path

import anyio
import pytest

from moot.agents.models import Tool
from moot.agents.models.mcp import McpFailure, mcp_tools
from moot.bus import Bus
from moot.protocols import Refused, ToolResult

from .speakers import Speaker, context, wants

SERVER = [sys.executable, str(Path(__file__).parent / "mcp_server.py")]


def by_name(tools: list[Tool]) -> dict[str, Tool]:
    return {tool.name: tool for tool in tools}


async def test_a_model_calls_a_tool_of_a_server(bus: Bus) -> None:
    """What the server says goes back to the model as it is; its schema is the server's."""
    speaker = Speaker(wants("price", item="pear"), "four hundred")
    async with mcp_tools(SERVER, only=["price"], reads=["price"]) as tools:
        assert await context(bus, speaker).model(str, instructions="Ask.", tools=tools) == "four hundred"
    assert speaker.requests[1].turns[-1].parts == (ToolResult(id="c1", text='{"item":"pear","cents":400}'),)
    (card,) = speaker.requests[0].tools
    assert (card.name, card.description, card.takes["required"]) == ("price", "What an item costs.", ["item"])


async def test_what_goes_wrong_there_is_an_error_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tool that fails, input that does not fit, a server that dies; and no secret of ours is in its environment."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-canary")
    async with mcp_tools(SERVER, env={"SHOP": "1"}, reads=["secrets"], seconds=5) as tools:
        shop = by_name(tools)
        assert [name for name, tool in shop.items() if not tool.acts] == ["secrets"]
        known = str(await shop["secrets"].call({}))
        assert "SHOP" in known
        assert "ANTHROPIC" not in known
        with pytest.raises(Refused):
            await shop["fail"].call({})
        with pytest.raises(Refused, match="item"):
            await shop["price"].call({"thing": 1})
        with anyio.fail_after(10), pytest.raises(McpFailure, match="die did not answer"):
            await shop["die"].call({})
