"""MCP: tools of a real server, over stdio and HTTP, for a model; it is trusted with nothing, and holds nobody up."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import PIPE

import anyio
import pytest
from anyio.abc import Process

from hustings.agents.models import Tool
from hustings.agents.models import tool as offered
from hustings.agents.models.mcp_tools import McpFailure, mcp_tools
from hustings.bus import Bus
from hustings.protocols import BudgetExceeded, NonRetryableError, ToolResult, UsageError

from .speakers import Speaker, context, wants

pytestmark = pytest.mark.processes

SERVER = [sys.executable, str(Path(__file__).parent / "mcp_server.py")]


def by_name(tools: list[Tool]) -> dict[str, Tool]:
    return {tool.name: tool for tool in tools}


@asynccontextmanager
async def http() -> AsyncIterator[tuple[str, Process]]:
    """The URL of a server on 127.0.0.1, and its process."""
    async with await anyio.open_process([*SERVER, "--http"], stdout=PIPE, stderr=None) as process:
        assert process.stdout
        port = int(await process.stdout.receive())
        try:
            yield f"http://127.0.0.1:{port}/mcp", process
        finally:
            if process.returncode is None:
                process.kill()


async def test_a_model_calls_a_tool_of_a_server(bus: Bus) -> None:
    """What the server says goes back to the model as it is; its schema is the server's."""
    speaker = Speaker(wants("price", item="pear"), "four hundred")
    async with mcp_tools(SERVER, only=["price"], reads=["price"]) as tools:
        assert await context(bus, speaker).model(str, instructions="Ask.", tools=tools) == "four hundred"
    assert speaker.requests[1].turns[-1].parts == (ToolResult(id="c1", text='{"item":"pear","cents":400}'),)
    (card,) = speaker.requests[0].tools
    assert (card.name, card.description, card.inputs["required"]) == ("price", "What an item costs.", ["item"])


async def test_a_server_that_dies_is_a_failed_result_to_the_model(bus: Bus) -> None:
    """The model is told, and goes on without."""
    speaker = Speaker(wants("die"), wants("price", "c2", item="pear"), "I do not know")
    async with mcp_tools(SERVER, reads=["die", "price"]) as tools:
        with anyio.fail_after(300):
            assert await context(bus, speaker).model(str, instructions="Ask.", tools=tools) == "I do not know"
    for request, tool in zip(speaker.requests[1:], ("die", "price"), strict=True):
        (result,) = request.turns[-1].parts
        assert isinstance(result, ToolResult)
        assert result.failed
        assert result.text.startswith(f"{tool} did not answer")


async def test_what_goes_wrong_there_is_an_error_here() -> None:
    """A tool that fails and input that does not fit are refused; a tool that hangs, or ends the server, fails."""
    began = anyio.current_time()
    async with mcp_tools(SERVER) as tools:
        started = anyio.current_time() - began
        shop = by_name(tools)
        assert await shop["greet"].call({}) == "hello"
        with pytest.raises(NonRetryableError):
            await shop["fail"].call({})
        with pytest.raises(NonRetryableError, match="item"):
            await shop["price"].call({"thing": 1})
        with anyio.fail_after(300), pytest.raises(McpFailure, match="die did not answer"):
            await shop["die"].call({})
        with anyio.fail_after(300), pytest.raises(McpFailure, match="price did not answer"):
            await shop["price"].call({"item": "pear"})
    seconds = 2 + 5 * started  # they are for its start as well
    async with mcp_tools(SERVER, only=["hang", "greet"], seconds=seconds) as tools:
        shop = by_name(tools)
        with anyio.fail_after(300), pytest.raises(McpFailure, match=f"nothing for {seconds:g} s"):
            await shop["hang"].call({})
        assert await shop["greet"].call({}) == "hello"  # what hung holds up nobody else


async def test_nothing_of_ours_is_in_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is started here knows what it was given, and no key."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-canary")
    monkeypatch.setenv("HUSTINGS_URL", "nats://token@127.0.0.1")
    async with mcp_tools(SERVER, only=["secrets"], env={"SHOP": "1"}) as (secrets,):
        known = str(await secrets.call({}))
    assert "SHOP" in known
    assert "ANTHROPIC" not in known
    assert "HUSTINGS" not in known


async def test_what_a_server_says_of_itself_is_no_ground_for_trust() -> None:
    """Its tools act, whatever its annotations say, but those that the specialist knows to read only."""
    async with mcp_tools(SERVER, reads=["price"]) as tools:
        assert [tool.name for tool in tools if not tool.acts] == ["price"]
        assert by_name(tools)["harmless"].acts


async def test_over_http_it_is_the_same() -> None:
    """Structured results, errors, a server that is killed in a call, and one that is not there."""
    async with http() as (url, process):
        async with mcp_tools(url) as tools, anyio.create_task_group() as group:
            shop = by_name(tools)
            assert await shop["price"].call({"item": "fig"}) == {"item": "fig", "cents": 300}
            with pytest.raises(NonRetryableError, match="item"):
                await shop["price"].call({})
            group.start_soon(kill_after, process, shop["greet"])
            with anyio.fail_after(300), pytest.raises(McpFailure):
                await shop["hang"].call({})
            with anyio.fail_after(300), pytest.raises(McpFailure):
                await shop["greet"].call({})
        with anyio.fail_after(300), pytest.raises(McpFailure, match="cannot be reached"):
            async with mcp_tools(url):
                pass


async def kill_after(process: Process, tool: Tool) -> None:
    """Kill a server once it has answered this call."""
    await tool.call({})
    process.kill()


@pytest.mark.parametrize(
    "server",
    [["/no/such/server"], [sys.executable, "-c", "pass"], [sys.executable, "-c", "import time; time.sleep(99)"]],
)
async def test_a_server_that_is_none_is_said_to_be_so(server: list[str]) -> None:
    """One that cannot be started, that ends at once, that says nothing: in time, and by one error."""
    with anyio.fail_after(300), pytest.raises(McpFailure, match="cannot be reached"):
        async with mcp_tools(server, seconds=2):
            pass


async def test_a_tool_that_is_not_offered_is_a_mistake() -> None:
    with pytest.raises(UsageError, match="no tool prise"):
        async with mcp_tools(SERVER, only=["prise"]):
            pass


async def test_what_the_block_raises_comes_out_as_it_is() -> None:
    """Or a budget that is exhausted would look like a skill that is broken."""
    with pytest.raises(BudgetExceeded, match="no money"):
        async with mcp_tools(SERVER):
            raise BudgetExceeded("no money")


async def test_what_a_server_says_of_its_tools_counts_as_said_by_others(bus: Bus) -> None:
    """From the first round on, before anything of it was called: a tool of ours that acts is out of reach beside it."""
    done: list[str] = []

    def send(text: str) -> str:
        done.append(text)
        return "sent"

    async with mcp_tools(SERVER, only=["price"], reads=["price"]) as tools:
        speaker = Speaker(wants("send", text="all"), "ok")
        await context(bus, speaker).model(str, instructions="Go.", tools=[*tools, offered(send, acts=True)])
    assert done == []
    (result,) = speaker.requests[1].turns[-1].parts
    assert isinstance(result, ToolResult)
    assert result.failed
