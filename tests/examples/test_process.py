"""A process ends within its limits, sees no secrets, and leaves nothing behind."""

import os
import sys
import time
from functools import partial
from pathlib import Path

import anyio
import pytest
from anyio.to_thread import run_sync

from moot.examples.review_board import Limits, run, scrubbed

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
    began = time.monotonic()
    code, _ = python(tmp_path, "import signal; signal.pause()", seconds=1)
    assert code is None
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("then", ["", "child.wait()"], ids=["main process ends", "main process is killed"])
def test_children_die_with_the_command(tmp_path: Path, then: str) -> None:
    """The child holds the writing end of a pipe: its end can be read only when the child is gone."""
    os.mkfifo(tmp_path / "alive")
    end = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)
    python(tmp_path, CHILD + then, seconds=2)
    os.set_blocking(end, True)
    assert os.read(end, 1) == b""
    os.close(end)


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
    for name in ("ANTHROPIC_API_KEY", "MOOT_URL", "NATS_URL", "AWS_SECRET_ACCESS_KEY"):
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
