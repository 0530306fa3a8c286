"""A process ends within its limits, sees no secrets, and leaves nothing behind."""

import os
import socket
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import anyio
import pytest
from anyio.to_thread import run_sync

from hustings.agents import Completed, Limits, run_contained, scrubbed
from hustings.agents.containment.offers import Offers, offers

pytestmark = pytest.mark.processes

CHILD = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], stdout=open("alive", "w"))
"""


def python(folder: Path, code: str, **limits: int) -> tuple[int | None, str]:
    ran = contained(folder, code, Limits(seconds=limits.pop("seconds", 20), **limits))
    return ran.code, ran.out + ran.err


def contained(
    folder: Path,
    code: str,
    limits: Limits | None = None,
    readable: Sequence[Path] | None = (),
    network: bool = False,
) -> Completed:
    command = [sys.executable, "-c", code]
    return run_contained(command, folder, scrubbed(folder), limits, readable=readable, network=network)


def alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and ") Z" not in stat.read_text()


def test_output_and_exit_code_come_back(tmp_path: Path) -> None:
    assert python(tmp_path, "import sys; print('out'); sys.exit(print('err', file=sys.stderr) or 3)") == (
        3,
        "out\nerr\n",
    )


def test_what_takes_too_long_is_killed(tmp_path: Path) -> None:
    code, _ = python(tmp_path, "import signal; signal.pause()", seconds=1)
    assert code is None


@pytest.mark.parametrize("then", ["", "child.wait()"], ids=["main process ends", "main process is killed"])
def test_children_die_with_the_command(tmp_path: Path, then: str) -> None:
    """The child holds the writing end of a pipe: its end can be read only when the child is gone."""
    os.mkfifo(tmp_path / "alive")
    end = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)
    python(tmp_path, CHILD + then, seconds=2)
    os.set_blocking(end, True)
    assert os.read(end, 1) == b""
    os.close(end)


DAEMON = """
import os, signal
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open("alive", "w"), signal.pause()
    os._exit(0)
signal.pause() if {stay} else os.wait()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody inherits orphans")
@pytest.mark.parametrize("stay", [True, False], ids=["main process is killed", "main process ends"])
def test_a_daemon_that_left_its_session_dies_too(tmp_path: Path, stay: bool) -> None:
    os.mkfifo(tmp_path / "alive")
    end = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)
    python(tmp_path, DAEMON.format(stay=stay), seconds=1)
    os.set_blocking(end, True)
    assert os.read(end, 1) == b""
    os.close(end)


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_a_fork_bomb_is_put_out(tmp_path: Path) -> None:
    code, _ = python(tmp_path, "import os\nwhile True:\n    os.fork()", processes=20)
    assert code == 137


LANDLOCK, NAMESPACES = offers()


@pytest.mark.skipif(not LANDLOCK, reason="this kernel has no Landlock: writing by absolute paths is not prevented")
@pytest.mark.parametrize(
    "code", ["open('../out', 'w')", "os.mkdir('../out')", "os.remove('../kept')", "os.truncate('../kept', 0)"]
)
def test_nothing_outside_is_written(tmp_path: Path, code: str) -> None:
    (tmp_path / "kept").write_text("kept")
    folder = tmp_path / "inside"
    folder.mkdir()
    failed, said = python(folder, f"import os; open('in', 'w'); {code}")
    assert failed == 1
    assert "Permission" in said
    assert [(folder / "in").exists(), (tmp_path / "out").exists(), (tmp_path / "kept").read_text()] == [
        True,
        False,
        "kept",
    ]


@pytest.mark.skipif(not LANDLOCK, reason="this kernel has no Landlock: signals to others are not prevented")
def test_nobody_outside_is_signalled(tmp_path: Path) -> None:
    code, said = python(tmp_path, f"import os; os.kill({os.getpid()}, 0)")
    assert code == 1
    assert "PermissionError" in said


@pytest.mark.skipif(sys.platform != "linux", reason="macOS does not enforce RLIMIT_AS")
def test_memory_is_bounded(tmp_path: Path) -> None:
    code, said = python(tmp_path, "bytearray(2 << 30)", memory=1 << 30)
    assert code == 1
    assert "MemoryError" in said


def test_a_file_cannot_grow_without_end(tmp_path: Path) -> None:
    code, _ = python(tmp_path, "open('big', 'wb').write(bytes(2 << 20))", file=1 << 20)
    assert code != 0
    assert (tmp_path / "big").stat().st_size <= 1 << 20


def test_the_environment_has_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTHROPIC_API_KEY", "HUSTINGS_URL", "NATS_URL", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "secret")
    _, said = python(tmp_path, "import os; print(dict(os.environ))")
    assert "secret" not in said
    assert str(tmp_path) in said


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the process in /proc")
async def test_a_cancelled_task_takes_its_process_along(tmp_path: Path) -> None:
    """Within a second: the worker thread looks for the cancellation while it waits."""
    os.mkfifo(tmp_path / "started")
    code = "import os, signal; open('started', 'w').write(str(os.getpid())); signal.pause()"
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(partial(run_sync, python, tmp_path, code))
        pid = int(await run_sync((tmp_path / "started").read_text))
        tasks.cancel_scope.cancel()
    assert not alive(pid)


@pytest.mark.parametrize(
    ("limits", "code", "why"),
    [
        (Limits(seconds=1), "import signal; signal.pause()", "the limit of 1 s was reached"),
        (Limits(cpu=1), "[0 for _ in iter(int, 1)]", "the limit of 1 s of CPU time was reached"),
        (Limits(), "import os; os.abort()", "SIGABRT killed the run"),
        (Limits(), "exit(3)", ""),
    ],
)
def test_what_stopped_it_is_told(tmp_path: Path, limits: Limits, code: str, why: str) -> None:
    assert contained(tmp_path, code, limits).stopped == why


@pytest.mark.skipif(not LANDLOCK, reason="this kernel has no Landlock: reading by absolute paths is not prevented")
def test_only_what_is_named_is_read(tmp_path: Path) -> None:
    """A key in the home folder is not; a folder of `readable` is, and None opens everything."""
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    (home / "key").write_text("s3cret")
    reads = f"print(open({str(home / 'key')!r}).read()); import json, ssl, sqlite3, zoneinfo"
    refused = contained(work, reads)
    assert refused.code == 1
    assert "PermissionError" in refused.err
    assert "s3cret" not in refused.out + refused.err
    for readable in ([home], None):
        opened = contained(work, reads, readable=readable)
        assert (opened.code, opened.out) == (0, "s3cret\n"), opened.err


@pytest.mark.skipif(not LANDLOCK, reason="this kernel has no Landlock: reading other processes is not prevented")
def test_nobody_outside_is_looked_into(tmp_path: Path) -> None:
    """Neither the environment nor the memory of the process that started it."""
    for file in ("environ", "mem"):
        said = contained(tmp_path, f"open('/proc/{os.getpid()}/{file}', 'rb')", readable=None)
        assert said.code == 1
        assert "PermissionError" in said.err


@pytest.mark.skipif(not NAMESPACES, reason="this machine has no user namespaces: the network is not closed")
def test_the_network_is_closed_but_for_its_own_loopback(tmp_path: Path) -> None:
    """A server of ours on 127.0.0.1 is out of reach, one of its own is not; `network` opens the way."""
    with socket.create_server(("127.0.0.1", 0)) as ours:
        port = ours.getsockname()[1]
        reach = f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)"
        assert "ConnectionRefusedError" in contained(tmp_path, reach).err
        assert contained(tmp_path, reach, network=True).code == 0
    own = "import socket; s = socket.create_server(('127.0.0.1', 0)); socket.create_connection(s.getsockname())"
    assert contained(tmp_path, own).code == 0


def test_what_a_machine_lacks_is_told() -> None:
    assert Offers(7, namespaces=True).missing == []
    assert Offers(5, namespaces=True).missing == ["signal other processes"]
    assert len(Offers(0, namespaces=False).missing) == 3
