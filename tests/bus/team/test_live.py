"""Promises of what is said live."""

import json

import anyio

from hustings.bus import Bus, open_bus
from hustings.protocols import AgentCard, Cancelled, Contract, Data, Heartbeat, Progress, SkillCard

from ..said import concluded

BEAT = Heartbeat(agent="clerk", instance="i", version="1", card="c", pid=1, host="h", busy=("t1",))
STEP = Progress(run="r", task="t1", agent="clerk", says="half", done=0.5)
CARD = AgentCard(
    name="clerk",
    version="2.1",
    description="summarises",
    skills=(SkillCard(agent="clerk", version="2.1", name="summarise", inputs={}, output=Contract(type="S.v1")),),
)


async def test_heartbeats_arrive_from_the_beginning_of_the_block_on(bus: Bus) -> None:
    async with bus.live.heartbeats() as beats:
        await bus.live.progress(STEP)
        await bus.connection.publish(f"hustings.{bus.team}.live.clerk.heartbeat", b"nonsense")
        await bus.live.beat(BEAT)
        with anyio.fail_after(300):
            assert await anext(beats) == BEAT


async def test_everything_live_can_be_watched(bus: Bus) -> None:
    async with bus.live.watch() as said:
        await bus.live.progress(STEP)
        await bus.live.beat(BEAT)
        with anyio.fail_after(300):
            assert [await anext(said), await anext(said)] == [STEP, BEAT]


async def test_endings_of_runs_are_heard(bus: Bus) -> None:
    async with bus.live.endings() as endings:
        await bus.log.append("r1", [concluded()], after=0, source="coordinator")
        await bus.log.cancel("r2", Cancelled(by="me"), client="me")
        with anyio.fail_after(300):
            assert [await anext(endings), await anext(endings)] == ["r1", "r2"]


async def test_an_agent_is_a_service_that_any_nats_tool_finds(bus: Bus) -> None:
    counts: Data = {"done": 3}
    async with bus.live.service(CARD, lambda: counts):
        ping, info, stats = [
            json.loads((await bus.connection.request(f"$SRV.{verb}.clerk")).data) for verb in ("PING", "INFO", "STATS")
        ]
        assert (ping["type"], ping["name"], ping["version"]) == ("io.nats.micro.v1.ping_response", "clerk", "2.1.0")
        assert (info["description"], info["endpoints"][0]["name"]) == ("summarises", "card")
        assert info["metadata"] == {"team": bus.team, "skills": "summarise", "version": "2.1"}
        assert stats["endpoints"][0]["data"] == {"done": 3}
        assert stats["endpoints"][0]["num_requests"] == 0
        assert ping["id"] == info["id"] == stats["id"]
        assert json.loads((await bus.connection.request(info["endpoints"][0]["subject"])).data)["name"] == "clerk"


async def test_an_agent_shows_its_card(bus: Bus) -> None:
    assert await bus.live.card("clerk") is None
    async with bus.live.service(CARD, dict):
        assert await bus.live.card("clerk") == CARD
    assert await bus.live.card("clerk", timeout=0.2) is None


async def test_roll_call_names_the_instances_of_this_team(bus: Bus, broker: str) -> None:
    async with open_bus(broker, bus.team + "-other", name="other") as other:
        async with bus.live.service(CARD, dict), bus.live.service(CARD, dict), other.live.service(CARD, dict):
            present = await bus.live.roll_call(0.2)
        await other.connection.request(f"$JS.API.STREAM.DELETE.LOG_{other.team}")
    assert [one.name for one in present] == ["clerk", "clerk"]
    assert present[0].id != present[1].id
