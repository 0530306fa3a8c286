"""The model of the broker against a real nats-server: the same programmes on both, and both say the same."""

import random
from contextlib import AbstractAsyncContextManager

import anyio
import pytest

from hustings.bus import Connection, connect, open_bus

from .loop import VirtualLoop, rebound, virtual
from .programmes import ACK_WAIT, PATIENCE, Operation, Player, programme
from .server import Faults, Server, Stream, attach

PROGRAMMES = 60
ABREAST = 30  # at a time, each on a stream of its own: most of their time is waiting
TRIES = 5  # of a programme that the machine was too slow for


async def really(url: str, team: str, operations: list[Operation]) -> list[str]:
    """What the real server says; where the machine was so slow that deliveries came again, from the start with more."""
    for again in range(TRIES):
        async with open_bus(url, f"{team}-{again}", name="test") as bus:
            player = Player(bus, ACK_WAIT * 2**again)
            said = await player.play(operations)
            for stream in (f"LOG_{bus.team}", f"OBJ_BLOBS_{bus.team}"):
                await bus.connection.request(f"$JS.API.STREAM.DELETE.{stream}", timeout=PATIENCE)
        if player.longest < player.ack_wait * 0.9:
            return said
    raise AssertionError(f"the machine is too slow to compare: {player.longest:.2f} s without an answer")


async def agrees(url: str, team: str, seed: int, expected: list[str]) -> None:
    """Fails where the two differ twice: in which order late deliveries come again is a matter of milliseconds."""
    if await really(url, f"{team}-{seed}", programme(seed)) != expected:
        assert await really(url, f"{team}-{seed}-again", programme(seed)) == expected, f"programme({seed})"


def modelled(operations: list[Operation]) -> list[str]:
    """What the model says."""
    loop = VirtualLoop()
    server = Server(loop, Faults(random.Random(0)))

    def model(url: str, *, name: str) -> AbstractAsyncContextManager[Connection]:
        return attach(server, name)

    async def play() -> list[str]:
        async with open_bus("model", "test", name="test") as bus:
            return await Player(bus).play(operations)

    try:
        with virtual(loop, 0), rebound({connect: model}):
            return loop.run_until_complete(play())
    finally:
        loop.close()


@pytest.mark.parametrize("first", range(0, PROGRAMMES, ABREAST))
def test_the_model_says_what_the_server_says(broker: str, team: str, first: int) -> None:
    """Fences, batches, look-ups, purges, pulls, words (stale ones too), redelivery and reading, step by step."""
    expected = {seed: modelled(programme(seed)) for seed in range(first, first + ABREAST)}

    async def all_of_them() -> None:
        async with anyio.create_task_group() as group:
            for seed, said in expected.items():
                group.start_soon(agrees, broker, team, seed, said)

    anyio.run(all_of_them)


@pytest.mark.parametrize("wrong", ["fence", "again", "ack"])
def test_a_model_that_is_wrong_is_found(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    """The programmes reach what matters: a model without fences, redelivery or acknowledgements says otherwise."""
    right = [modelled(programme(seed)) for seed in range(PROGRAMMES)]
    if wrong == "fence":
        monkeypatch.setattr(Stream, "last_on", lambda self, pattern: 0)
    elif wrong == "again":
        monkeypatch.setattr(Server, "_watch", lambda *_: None)
    else:
        monkeypatch.setattr(Server, "_ack", lambda *_: None)
    assert [modelled(programme(seed)) for seed in range(PROGRAMMES)] != right
