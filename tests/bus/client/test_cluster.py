"""A cluster of three real servers on loopback."""

import signal
import socket
import subprocess
import sysconfig
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import anyio
import pytest

from hustings.bus import Bus, back_up, connect, open_bus, restore_backup
from hustings.protocols import BusError, GoalAsked, RunAcquired

pytestmark = pytest.mark.processes


class Node:
    """One server of the cluster."""

    def __init__(self, folder: Path, name: str, port: int, route: int, routes: list[int]) -> None:
        self.port = port
        peers = ", ".join(f'"nats://127.0.0.1:{other}"' for other in routes)
        config = folder / f"{name}.conf"
        config.write_text(
            f'server_name: {name}\nlisten: "127.0.0.1:{port}"\njetstream {{ store_dir: "{folder / name}" }}\n'
            f'cluster {{ name: c, listen: "127.0.0.1:{route}", routes: [{peers}] }}\n'
        )
        binary = Path(sysconfig.get_path("scripts")) / "nats-server"
        self.process = subprocess.Popen([binary, "-c", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[list[Node]]:
    with ExitStack() as probes:
        ports = [probes.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in range(6)]
    nodes = [Node(tmp_path, f"n{i}", ports[i], ports[3 + i], ports[3:]) for i in range(3)]
    try:
        yield nodes
    finally:
        for node in nodes:
            node.process.kill()
            node.process.wait()


def urls(cluster: list[Node]) -> str:
    return ",".join(f"nats://127.0.0.1:{node.port}" for node in cluster)


@asynccontextmanager
async def crew(urls: str) -> AsyncIterator[Bus]:
    """The bus of a team, once the three have elected a leader; until then creating a stream is refused."""
    with anyio.fail_after(300):
        while True:
            try:
                async with open_bus(urls, "crew", name="test"):
                    break
            except BusError:
                continue
    async with open_bus(urls, "crew", name="test") as bus:
        yield bus


async def test_on_a_cluster_the_log_has_three_replicas_and_outlives_a_server(cluster: list[Node]) -> None:
    """kill -9 of one of three servers, the one we talk to: what was stored is there, and it goes on."""
    async with crew(urls(cluster)) as bus:
        info = await bus.connection.request("$JS.API.STREAM.INFO.LOG_crew", timeout=60)
        assert b'"num_replicas":3' in info.data
        await bus.log.ask("r1", GoalAsked(type="Goal.v1", goal={}, by="test"), client="test")
        cluster[0].process.send_signal(signal.SIGKILL)
        last = await bus.log.append("r1", [RunAcquired(instance="one")], after=0, source="one")
        seen = [entry.seq async for entry in bus.log.read("r1")]
        assert seen == [1, last]


async def test_what_one_server_had_is_restored_to_a_cluster_with_three_replicas(
    cluster: list[Node], broker: str, bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its sequences, times and work queues; and it outlives a server."""
    monkeypatch.setattr("hustings.protocols.timing.ROLL_CALL", 0.3)
    for number in range(300):
        goal = GoalAsked(type="Goal.v1", goal={"text": "x" * number * 100}, by="test")
        await bus.log.ask(f"r{number}", goal, client="test")
    blob = await bus.blobs.put(b"abc" * 1_000_000)
    async with bus.goals() as goals:
        await (await anext(goals)).ack()
    before = [await bus.log.at(seq) for seq in (1, 150, 300)]
    await back_up(bus.connection, [bus.team], tmp_path / "backup")
    async with crew(urls(cluster)), connect(urls(cluster), name="test") as connection:
        await restore_backup(connection, tmp_path / "backup")
    async with open_bus(urls(cluster), bus.team, name="test") as there:
        for stream in (f"LOG_{bus.team}", f"OBJ_BLOBS_{bus.team}"):
            info = await there.connection.request(f"$JS.API.STREAM.INFO.{stream}", timeout=60)
            assert b'"num_replicas":3' in info.data
        cluster[0].process.send_signal(signal.SIGKILL)
        with anyio.fail_after(300):
            assert [await there.log.at(seq) for seq in (1, 150, 300)] == before
            assert await there.blobs.get(blob) == b"abc" * 1_000_000
            async with there.goals() as goals:
                assert (await anext(goals)).run == "r1"
            assert await there.log.append("r1", [RunAcquired(instance="one")], after=0, source="one") == 301
