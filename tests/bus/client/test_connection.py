"""Promises of the connection."""

import asyncio
import os
import shutil
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import anyio
import pytest
from nats.aio.client import Client, Srv

from hustings.bus import Bus, Connection, connect, embedded, open_bus
from hustings.protocols import BadCredentials, BrokerUnavailable, BrokerUnfit, BusError, Denied, Unanswered, timing

from ..said import goal
from ..servers import configured, kill_server, server_pid

pytestmark = pytest.mark.processes

Within = Callable[[float], AbstractContextManager[None]]

SECRET = "s3cr3t-t0k3n"
ALLOWED = """
jetstream { store_dir: "%s" }
authorization { users: [ { user: boss, password: boss }, { user: guest, password: guest, permissions: {
  publish: { deny: ["hustings.team.run.*.guest.goal", "hustings.team.live.guest.heartbeat", "forbidden.>"] }
  subscribe: { deny: ["forbidden.>"] } } } ] }
"""


async def refused(url: str) -> BusError:
    """The error of a connect that must fail, without the secret."""
    with pytest.raises(BrokerUnavailable) as caught:
        async with connect(url, name="test"):
            pass
    assert SECRET not in f"{caught.value} {caught.value.hint}"
    return caught.value


async def test_bad_credentials_are_told_at_once(broker: str) -> None:
    address = broker.rpartition("@")[2]
    assert isinstance(await refused(f"nats://{SECRET}@{address}"), BadCredentials)
    assert isinstance(await refused(f"nats://me:{SECRET}@{address}"), BadCredentials)
    assert isinstance(await refused(f"nats://{address}"), BadCredentials)


@pytest.mark.timing
@pytest.mark.parametrize("host", ["127.0.0.1:1", "no-such-host.invalid:4222", "127.0.0.1:notaport"])
async def test_nobody_there_is_told_within_two_seconds(host: str, within: Within) -> None:
    with within(2):
        assert type(await refused(f"nats://{SECRET}@{host}")) is BrokerUnavailable


@pytest.mark.timing
async def test_a_mute_server_is_given_time_for_the_handshake_and_then_told(within: Within) -> None:
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as mute:
        port = mute.listeners[0].extra(anyio.abc.SocketAttribute.local_port)
        with within(timing.HANDSHAKE + 2):
            assert type(await refused(f"nats://{SECRET}@127.0.0.1:{port}")) is BrokerUnavailable


@pytest.mark.skipif(not shutil.which("openssl"), reason="makes its certificate with openssl")
@pytest.mark.timing
@pytest.mark.processes
async def test_a_server_that_is_not_trusted_is_told_within_two_seconds(tmp_path: Path, within: Within) -> None:
    make = f"openssl req -x509 -newkey rsa:2048 -nodes -keyout {tmp_path}/key -out {tmp_path}/cert -days 1 -subj /CN=me"
    await anyio.run_process(make.split())
    tls = f'tls {{ cert_file: "{tmp_path}/cert", key_file: "{tmp_path}/key" }}'
    async with configured(tmp_path, tls) as address:
        with within(2):
            error = await refused(f"tls://{SECRET}@{address}")
    assert "trust" in error.what


async def test_a_server_without_jetstream_is_unfit(tmp_path: Path) -> None:
    async with configured(tmp_path, "") as address:
        assert isinstance(await refused(f"nats://{SECRET}@{address}"), BrokerUnfit)


async def test_an_old_server_is_unfit(broker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hustings.bus.client.connection.OLDEST_SERVER", (99, 0))
    assert isinstance(await refused(broker), BrokerUnfit)


async def test_what_is_not_allowed_is_told_to_the_call_that_tried(tmp_path: Path) -> None:
    async with configured(tmp_path, ALLOWED % tmp_path) as address:
        async with open_bus(f"nats://boss:boss@{address}", "team", name="boss"):
            pass
        async with open_bus(f"nats://guest:guest@{address}", "team", name="guest") as bus:
            with anyio.fail_after(300), pytest.raises(Denied, match=r"guest\.goal"):
                await bus.log.ask("r", goal(), client="guest")
            with pytest.raises(Denied):
                await bus.connection.request("forbidden.thing")
            with pytest.raises(Denied):
                async with bus.connection.listen("forbidden.*"):
                    pass
            await bus.connection.publish("forbidden.news")
            await bus.connection.flush()
            with pytest.raises(Denied):
                await bus.connection.publish("forbidden.news")
            await bus.log.ask("r", goal(), client="friend")


async def test_a_connection_closed_for_good_fails_its_calls_and_does_not_hang(broker: str, team: str) -> None:
    async with open_bus(broker, team, name="test") as bus:
        with anyio.fail_after(300):
            await closed_for_good(bus)


async def closed_for_good(bus: Bus) -> None:
    with pytest.raises(BrokerUnavailable):  # the server closes on a message whose headers make it too large
        await bus.connection.request("x", b"x" * (2**20 - 10), headers={"A": "b" * 100}, timeout=4)
    with pytest.raises(BrokerUnavailable):
        await bus.log.ask("r", goal(), client="me")
    with pytest.raises(BrokerUnavailable):
        await anext(bus.log.follow("r"))
    await bus.connection.lost(60)


async def test_an_absent_broker_is_noticed_and_survived(tmp_path: Path) -> None:
    async with embedded(tmp_path, durability="process") as url, connect(url, name="test") as connection:
        with anyio.fail_after(300):
            kill_server(tmp_path)
            await connection.lost(0.01)
            assert not connection.connected
            await connection.flush(4)


async def test_a_ping_that_was_given_up_does_no_harm(tmp_path: Path) -> None:
    """Its answer may come late, from a broker that slept: the connection goes on at once."""
    async with embedded(tmp_path, durability="process") as url, connect(url, name="test") as connection:
        server = server_pid(tmp_path)
        os.kill(server, signal.SIGSTOP)
        while " T " not in Path(f"/proc/{server}/stat").read_text():  # noqa: ASYNC110, ASYNC240 - it may run on a bit
            await anyio.sleep(0.01)
        with pytest.raises(Unanswered):
            await connection.flush(0.2)
        os.kill(server, signal.SIGCONT)
        await connection.request("$JS.API.INFO")
        await connection.flush()


async def test_a_call_without_an_answer_ends_in_time(tmp_path: Path) -> None:
    async with embedded(tmp_path, durability="process") as url:
        connected = connect(url, name="test")
        connection = await connected.__aenter__()
    with anyio.fail_after(300), pytest.raises(Unanswered):
        await connection.request("$JS.API.INFO", timeout=0.2)
    await connection.lost(0.1)
    await connected.__aexit__(None, None, None)


async def test_what_is_kept_for_an_absent_broker_is_bounded(tmp_path: Path) -> None:
    """Whoever sends without waiting while the broker is away is told so after some 2 MiB, and the memory with it."""
    async with embedded(tmp_path, durability="process") as url:
        connected = connect(url, name="test")
        connection = await connected.__aenter__()
    await connection.lost(0)
    with pytest.raises(Unanswered, match="the buffer is full"):
        await say(connection, 64)  # which is 4 MiB
    await connected.__aexit__(None, None, None)


async def say(connection: Connection, times: int) -> None:
    for _ in range(times):
        await connection.publish("news", b"x" * 65_536)


async def test_a_closed_connection_reconnects_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if nats-py's loop of reconnecting loses its cancellation: as when an attempt fails in the same moment."""
    trying = anyio.Event()

    async def lose_the_cancellation(client: Client, server: Srv) -> None:
        trying.set()
        try:
            await anyio.sleep_forever()
        except anyio.get_cancelled_exc_class():
            raise ConnectionRefusedError from None

    async with embedded(tmp_path, durability="process") as url:
        async with connect(url, name="test") as connection:
            monkeypatch.setattr(Client, "_connect_to_server", lose_the_cancellation)
            kill_server(tmp_path)
            await trying.wait()
        loop = connection._client._reconnection_task
        assert loop
        with anyio.fail_after(300):
            await asyncio.wait([loop])
