"""A reply goes to a reply subject and nowhere else: we write nothing for somebody who may not write it himself."""

import json

import anyio
import pytest
from anyio.streams.memory import MemoryObjectReceiveStream
from nats.aio.msg import Msg

from hustings.bus import Bus
from hustings.protocols import AgentCard, Subjects

from ..said import result

CARD = AgentCard(name="clerk", version="2.1", description="summarises", skills=())


def hostile(team: str) -> list[str]:
    """Reply subjects that are no inbox: of the log, of the broker's own, of those who live, and what looks like one."""
    subjects = Subjects(team)
    run = f"hustings.{team}.run.r1"
    return [
        f"{run}.clerk.result.t1.1",
        f"{run}.cli.goal",
        f"{run}.coordinator.event.concluded",
        f"{run}.coordinator.task.clerk",
        f"hustings.{team}.live.clerk.heartbeat",
        subjects.card("clerk"),
        "$SRV.PING.clerk",
        f"$JS.API.STREAM.PURGE.LOG_{team}",
        "$SYS.REQ.SERVER.PING",
        "_INBOX",
        "_INBOX.>",
        "_INBOX.*",
        "_INBOX.a.*.b",
        "_INBOX.a.>",
        "_INBOX_clerk.a",
        "_inbox.a",
        "x._INBOX.a",
        ">",
        "*",
    ]


async def everything(bus: Bus) -> int:
    """The last sequence on the team's log."""
    answer = await bus.connection.request(f"$JS.API.STREAM.INFO.LOG_{bus.team}")
    return int(json.loads(answer.data)["state"]["last_seq"])


async def test_nothing_is_answered_outside_an_inbox(bus: Bus) -> None:
    """Each request, to each subject on which we answer, with each reply subject: the log stays as it is, nobody hears
    an answer, the place of the result is free, and STATS says how many were refused."""
    asked = [*(f"$SRV.{verb}{scope}" for verb in ("PING", "INFO", "STATS") for scope in ("", ".clerk"))]
    asked.append(Subjects(bus.team).card("clerk"))
    before = await everything(bus)
    async with bus.live.service(CARD, dict), bus.connection.listen(">") as heard:
        for subject in asked:
            for reply in hostile(bus.team):
                await bus.connection.publish(subject, b"", reply=reply)
        with anyio.fail_after(300):
            while await refused(bus) < len(asked) * len(hostile(bus.team)):
                pass
        answers = [
            message for message in drained(heard) if b"micro.v1" in message.data or b"summarises" in message.data
        ]
        assert answers  # those to our own inbox
        assert [message.subject for message in answers if not message.subject.startswith("_INBOX.")] == []
        assert await everything(bus) == before
        assert await refused(bus) == len(asked) * len(hostile(bus.team))
    await bus.log.complete("r1", result(), source="test")
    assert await everything(bus) == before + 1


async def refused(bus: Bus) -> int:
    stats = json.loads((await bus.connection.request("$SRV.STATS.clerk")).data)
    return int(stats["endpoints"][0]["num_errors"])


def drained(heard: MemoryObjectReceiveStream[Msg]) -> list[Msg]:
    found = []
    while heard.statistics().current_buffer_used:
        found.append(heard.receive_nowait())
    return found


@pytest.mark.parametrize("inbox", ["_INBOX.a", "_INBOX.a.b", "_INBOX.L7d0.12"])
async def test_an_inbox_is_answered_however_deep(bus: Bus, inbox: str) -> None:
    async with bus.live.service(CARD, dict), bus.connection.listen(inbox) as heard:
        await bus.connection.publish("$SRV.PING.clerk", b"", reply=inbox)
        with anyio.fail_after(300):
            assert json.loads((await heard.receive()).data)["name"] == "clerk"
