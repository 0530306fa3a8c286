"""The supervisor, with real processes: restarts, the bound, the order of the end, the death of the supervisor."""

import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from pathlib import Path
from subprocess import PIPE
from typing import Any

import anyio
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream

from hustings.agents.deploy.supervisor import LINE, Child, Lines, Status, Supervisor

pytestmark = pytest.mark.processes

Within = Callable[[float], AbstractContextManager[None]]
READY = "import sys, time; print('ready', flush=True); time.sleep(60)"
LONELY = f"""
import os, time
from hustings.agents.runtime.process import die_with_parent
die_with_parent()
assert "HUSTINGS_PARENT" not in os.environ
{READY}
"""
DEAF = f"""
import signal
from hustings.agents.runtime.process import die_with_parent
signal.signal(signal.SIGTERM, signal.SIG_IGN)
die_with_parent(signal.SIGKILL)
{READY}
"""
PARENT = """
import sys, anyio
from hustings.agents.deploy.supervisor import Child, Supervisor
child = Child("orphan", (sys.executable, "-c", sys.argv[1]))
def line(name, text):
    print(supervisor.statuses[0].pid, text, flush=True)
supervisor = Supervisor([child], on_change=lambda statuses: None, on_line=line)
anyio.run(supervisor.run)
"""


def python(name: str, code: str, **env: str) -> Child:
    return Child(name, (sys.executable, "-S", "-E", "-c", code), env)


def on_each_loop(scenario: Callable[[], Awaitable[None]]) -> Callable[[bool], None]:
    """Run the test on asyncio and on uvloop, and not for ever."""

    @pytest.mark.parametrize("uvloop", [False, True], ids=["asyncio", "uvloop"])
    def test(uvloop: bool) -> None:
        async def bounded() -> None:
            with anyio.fail_after(300):
                await scenario()

        anyio.run(bounded, backend_options={"use_uvloop": uvloop})

    test.__name__, test.__doc__ = scenario.__name__, scenario.__doc__
    return test


class Watch:
    """Everything the supervisor said, and a way to wait for it."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self.history: list[Status] = []
        self.now: dict[str, Status] = {}
        self._news = anyio.Event()

    def on_change(self, statuses: Sequence[Status]) -> None:
        self.history += [status for status in statuses if self.now.get(status.name) != status]
        self.now = {status.name: status for status in statuses}
        self._tell()

    def on_line(self, name: str, line: str) -> None:
        self.lines.append((name, line))
        self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = anyio.Event()

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            await self._news.wait()

    async def said(self, name: str, line: str, times: int = 1) -> None:
        await self.until(lambda: self.lines.count((name, line)) >= times)

    def pid(self, name: str) -> int:
        pid = self.now[name].pid
        assert pid is not None
        return pid


@asynccontextmanager
async def supervised(*children: Child | Sequence[Child], **options: Any) -> AsyncIterator[Watch]:
    watch = Watch()
    supervisor = Supervisor(children, on_change=watch.on_change, on_line=watch.on_line, **options)
    async with anyio.create_task_group() as tasks:
        await tasks.start(supervisor.run)
        yield watch
        tasks.cancel_scope.cancel()


@pytest.mark.timing
@pytest.mark.parametrize("uvloop", [False, True], ids=["asyncio", "uvloop"])
def test_a_killed_child_is_back_at_once(uvloop: bool, within: Within) -> None:
    anyio.run(killed, within, backend_options={"use_uvloop": uvloop})


async def killed(within: Within) -> None:
    async with supervised(python("a", READY), python("b", READY)) as watch:
        await watch.said("a", "ready")
        await watch.said("b", "ready")
        old, other = watch.pid("a"), watch.pid("b")
        with within(1):
            os.kill(old, signal.SIGKILL)
            await watch.until(lambda: watch.now["a"].restarts == 1 and watch.now["a"].state == "running")
        assert watch.pid("a") != old
        assert watch.pid("b") == other
        assert Status("a", None, "waiting", 0, -signal.SIGKILL) in watch.history
        await watch.said("a", "ready", times=2)


@on_each_loop
async def test_whoever_fails_too_often_is_given_up_and_the_others_go_on() -> None:
    async with supervised(
        python("a", "raise SystemExit(6)"), python("b", READY), restarts=2, backoff=(0.01, 0.02)
    ) as watch:
        await watch.until(lambda: watch.now["a"].state == "gave up")
        assert watch.now["a"] == Status("a", None, "gave up", 2, 6)
        await watch.said("b", "ready")
    assert watch.now["a"].state == "gave up"
    assert watch.now["b"].state == "stopped"


@on_each_loop
async def test_a_clean_exit_nobody_asked_for_is_restarted_and_old_restarts_are_forgotten() -> None:
    async with supervised(python("a", ""), restarts=1, within=0.001, backoff=(0.002, 0.002)) as watch:
        await watch.until(lambda: watch.now["a"].restarts >= 3)
        assert watch.now["a"].exit_code == 0


@on_each_loop
async def test_who_is_forgiven_in_between_is_never_given_up_and_comes_back_soon() -> None:
    """Each life ends in a crash, but not before something useful was done."""
    watch = Watch()

    def on_line(name: str, line: str) -> None:
        watch.on_line(name, line)
        supervisor.forgive(name)

    useful = python("a", "print('done'); raise SystemExit(1)")
    supervisor = Supervisor([useful], on_change=watch.on_change, on_line=on_line, restarts=2, backoff=(0.01, 60))
    async with anyio.create_task_group() as tasks:
        await tasks.start(supervisor.run)
        await watch.said("a", "done", times=8)  # without mercy there would be three
        tasks.cancel_scope.cancel()
    assert watch.now["a"].restarts >= 7


@on_each_loop
async def test_mercy_for_one_is_none_for_another() -> None:
    """Who never does anything useful is given up as ever."""
    watch = Watch()

    def on_line(name: str, line: str) -> None:
        watch.on_line(name, line)
        supervisor.forgive("b")

    useless = python("a", "print('here'); raise SystemExit(1)")
    supervisor = Supervisor(
        [useless, python("b", READY)], on_change=watch.on_change, on_line=on_line, restarts=2, backoff=(0.01, 0.02)
    )
    async with anyio.create_task_group() as tasks:
        await tasks.start(supervisor.run)
        await watch.until(lambda: watch.now["a"].state == "gave up")
        tasks.cancel_scope.cancel()
    assert watch.lines.count(("a", "here")) == 3


@on_each_loop
async def test_a_command_that_does_not_exist_says_so_and_stops_nobody() -> None:
    async with supervised(Child("a", ("/no/such/command",)), python("b", READY), restarts=0) as watch:
        await watch.until(lambda: watch.now["a"].state == "gave up")
        assert watch.now["a"].exit_code == 127
        assert watch.lines[0][0] == "a"
        assert "cannot start /no/such/command" in watch.lines[0][1]
        await watch.said("b", "ready")


@on_each_loop
async def test_the_end_comes_in_reverse_order_and_groups_end_together() -> None:
    group = [python("c", READY), python("d", READY)]
    async with supervised(python("a", READY), python("b", READY), group) as watch:
        for name in "abcd":
            await watch.said(name, "ready")
    ends = [status.name for status in watch.history if status.state == "stopped"]
    assert set(ends[:2]) == {"c", "d"}
    assert ends[2:] == ["b", "a"]
    assert {status.exit_code for status in watch.now.values()} == {-signal.SIGTERM}


@on_each_loop
async def test_a_child_may_end_in_its_own_way() -> None:
    code = f"import os, signal\nsignal.signal(signal.SIGTERM, lambda *_: (os.write(1, b'bye'), os._exit(0)))\n{READY}"
    async with supervised(python("a", code), grace=60) as watch:
        await watch.said("a", "ready")
    assert watch.lines[-1] == ("a", "bye")
    assert watch.now["a"] == Status("a", None, "stopped", 0, 0)


@on_each_loop
async def test_a_stubborn_child_is_killed_after_the_grace_with_all_it_started() -> None:
    code = "import signal, os; signal.signal(signal.SIGTERM, signal.SIG_IGN); os.fork()\n" + READY
    async with supervised(python("a", code), grace=0.2) as watch:
        await watch.said("a", "ready", times=2)
        group = watch.pid("a")
    assert watch.now["a"].exit_code == -signal.SIGKILL
    # the fork may be a zombie for a moment, until init has taken it; a pidfd of it is readable either way
    await gone(group)


@on_each_loop
async def test_one_who_waits_for_a_restart_is_stopped_at_once() -> None:
    async with supervised(python("a", ""), backoff=(60, 60)) as watch:
        await watch.until(lambda: watch.now["a"].state == "waiting")
    assert watch.now["a"].state == "stopped"
    assert watch.now["a"].restarts == 0


@on_each_loop
async def test_lines_come_with_the_name_from_both_streams_whatever_the_bytes() -> None:
    code = (
        "import os\nos.write(1, b'out\\n')\nos.write(2, b'err\\xff\\r\\n')\n"
        "os.write(1, b'x' * 200000 + b'\\n')\nos.write(1, b'last')\n"
    )
    async with supervised(python("a", code), python("b", READY), restarts=0) as watch:
        await watch.until(lambda: watch.now["a"].state == "gave up")
        await watch.said("b", "ready")
    assert [line for name, line in watch.lines if name == "a"] == ["out", "err\ufffd", "x" * LINE + " […]", "last"]


@on_each_loop
async def test_a_descendant_that_holds_the_pipe_does_not_hold_up_the_restart() -> None:
    code = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(5)\nelse:\n    print('ready')"
    async with supervised(python("a", code), backoff=(0.01, 0.01)) as watch:
        await watch.said("a", "ready", times=2)


@on_each_loop
async def test_children_have_their_own_session_and_environment() -> None:
    code = "import os; print(os.getsid(0) == os.getpid(), os.environ['HUSTINGS_PARENT'], os.environ['WHO']); " + READY
    async with supervised(python("a", code, WHO="me")) as watch:
        await watch.said("a", f"True {os.getpid()} me")


@pytest.mark.skipif(sys.platform != "linux", reason="the parent's death signal is Linux's")
@on_each_loop
async def test_children_die_with_a_killed_supervisor() -> None:
    await dies_with_its_supervisor(LONELY)


@pytest.mark.skipif(sys.platform != "linux", reason="the parent's death signal is Linux's")
@on_each_loop
async def test_a_child_that_no_sigterm_reaches_dies_as_well() -> None:
    """An isolated worker may be in the middle of something that never yields."""
    await dies_with_its_supervisor(DEAF)


async def dies_with_its_supervisor(code: str) -> None:
    command = [sys.executable, "-c", PARENT, code]
    async with await anyio.open_process(command, stdout=PIPE, stderr=None) as supervisor:
        assert supervisor.stdout is not None
        said = await BufferedByteReceiveStream(supervisor.stdout).receive_until(b" ready\n", 10_000)
        end = os.pidfd_open(int(said))
        try:
            supervisor.kill()
            await anyio.wait_readable(end)  # a pidfd is readable once its process has ended
        finally:
            os.close(end)


@pytest.mark.skipif(sys.platform != "linux", reason="needs the parent's pid to be that of a stranger")
def test_a_child_whose_supervisor_is_gone_already_ends() -> None:
    async def scenario() -> None:
        env = {**os.environ, "HUSTINGS_PARENT": "1" if os.getpid() != 1 else "2"}
        done = await anyio.run_process([sys.executable, "-c", LONELY], env=env, check=False)
        assert done.returncode == 143
        assert done.stdout == b""

    anyio.run(scenario)


@on_each_loop
async def test_a_callback_that_fails_ends_the_children_and_is_heard() -> None:
    pids: list[int | None] = []

    def on_line(name: str, line: str) -> None:
        pids.append(supervisor.statuses[0].pid)
        raise KeyError(line)

    supervisor = Supervisor([python("a", READY)], on_change=lambda statuses: None, on_line=on_line)
    with pytest.raises(ExceptionGroup):
        await supervisor.run()
    assert pids[0] is not None
    await gone(pids[0])


def test_two_children_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="same name"):
        Supervisor([Child("a", ("x",)), Child("a", ("y",))], on_change=print, on_line=print)


def test_lines_are_put_together_again_however_they_were_cut() -> None:
    said = json.dumps({"event": "größe"}, ensure_ascii=False) + "\nsecond\n\nthird"
    for size in range(1, 12):
        lines, raw = Lines(), said.encode()
        out = [line for at in range(0, len(raw), size) for line in lines.feed(raw[at : at + size])]
        assert [*out, *lines.rest()] == said.split("\n")
    assert list(Lines().rest()) == []


async def gone(group: int) -> None:
    """Wait until no living process of this group is left."""
    for pid in members(group):
        try:
            end = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        await anyio.wait_readable(end)
        os.close(end)


def members(group: int) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            if int((process / "stat").read_text().rpartition(")")[2].split()[2]) == group:
                found.append(int(process.name))
    return found
