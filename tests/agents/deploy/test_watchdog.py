"""The watchdog, in processes of its own, for it ends them."""

import signal
import sys
from subprocess import PIPE

import anyio
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream

from hustings.agents.runtime.process import BLOCKED, ending

pytestmark = pytest.mark.processes

PROGRAM = """
import os, sys, threading, time, anyio
from hustings.agents.deploy.watchdog import Watchdog

watchdog = Watchdog(1.0)

async def main():
    async with watchdog.watching():
        await anyio.sleep(0)
        print("ready", flush=True)
        BODY
    print("through", flush=True)

anyio.run(main)
watchdog.code = 7
"""


async def run(body: str, **env: str) -> tuple[int, str, str]:
    """How a process ends that does this in its event loop."""
    command = [sys.executable, "-c", PROGRAM.replace("BODY", body)]
    done = await anyio.run_process(command, check=False, env=env)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


async def test_a_blocked_event_loop_ends_its_process_and_shows_where() -> None:
    """With a code of its own, and the traceback of whoever holds it up."""
    code, out, err = await run("time.sleep(60)")
    assert (code, out) == (BLOCKED, "ready\n")
    assert "the event loop was blocked for" in err
    assert 'File "<string>", line' in err


@pytest.mark.parametrize("body", ["await anyio.sleep(2)", "time.sleep(0.5)"])
async def test_a_loop_that_waits_or_is_slow_now_and_then_is_let_be(body: str) -> None:
    code, out, _ = await run(body)
    assert (code, out) == (0, "ready\nthrough\n")


async def test_it_can_be_switched_off() -> None:
    """For whoever stops in a debugger."""
    code, out, _ = await run("time.sleep(2)", HUSTINGS_WATCHDOG="0")
    assert (code, out) == (0, "ready\nthrough\n")


async def test_a_thread_that_never_returns_does_not_hold_up_the_end() -> None:
    """The exit code is the one that was meant."""
    with anyio.fail_after(300):
        code, out, _ = await run("threading.Thread(target=threading.Event().wait).start()")
    assert (code, out) == (7, "ready\nthrough\n")


async def test_a_process_that_is_to_end_is_ended_whatever_its_tasks_swallow() -> None:
    """With the code that was meant, although the event loop is at work and never closes."""
    body = "watchdog.limit(9, 0.5); await anyio.Event().wait()"
    with anyio.fail_after(300):
        code, out, _ = await run(body)
    assert (code, out) == (9, "ready\n")


@pytest.mark.skipif(sys.platform != "linux", reason="stops a process")
async def test_a_process_that_was_stopped_is_not_blamed() -> None:
    """It wakes up after longer than the watchdog's patience, and goes on."""
    body = "await anyio.sleep(1)"
    command = [sys.executable, "-c", PROGRAM.replace("BODY", body)]
    async with await anyio.open_process(command, stdout=PIPE, stderr=None) as process:
        assert process.stdout is not None
        lines = BufferedByteReceiveStream(process.stdout)
        assert await lines.receive_until(b"\n", 100) == b"ready"
        process.send_signal(signal.SIGSTOP)
        await anyio.sleep(2)  # nothing happens meanwhile, so there is nothing to wait for
        process.send_signal(signal.SIGCONT)
        assert await lines.receive_until(b"\n", 100) == b"through"
        assert await process.wait() == 0


def test_an_ending_is_told_in_words() -> None:
    """Signals by number and name."""
    assert ending(-11) == "signal 11 (SIGSEGV)"
    assert ending(-signal.SIGRTMIN - 1).startswith("signal 35")
    assert ending(137) == "exit code 137"
