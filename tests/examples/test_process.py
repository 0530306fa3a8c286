"""A process ends within its limits, sees no secrets, and leaves nothing behind."""

import ctypes
import os
import sys
from functools import partial
from pathlib import Path

import anyio
import pytest
from anyio.to_thread import run_sync

from hustings.examples.review_board import Limits, run, scrubbed

pytestmark = pytest.mark.processes

CHILD = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], stdout=open("alive", "w"))
"""


def python(folder: Path, code: str, **limits: int) -> tuple[int | None, str]:
    ran = run(
        [sys.executable, "-c", code], folder, scrubbed(folder), Limits(seconds=limits.pop("seconds", 20), **limits)
    )
    return ran.code, ran.out + ran.err


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


LANDLOCK = sys.platform == "linux" and ctypes.CDLL(None).syscall(444, None, 0, 1) > 0


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
