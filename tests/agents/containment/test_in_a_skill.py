"""`context.run_command`: what a skill runs is kept in, sees no secret, and ends with the attempt."""

import os
import sys
from functools import partial
from pathlib import Path

import anyio
import pytest

from hustings.agents import Limits, Specialist, TaskContext
from hustings.agents.containment.offers import offers
from hustings.agents.testing import bench
from hustings.protocols import Message

pytestmark = pytest.mark.processes


class Script(Message, contract="containment.Script.v1"):
    code: str
    seconds: float = 20


class Printed(Message, contract="containment.Printed.v1"):
    code: int | None
    out: str
    err: str
    stopped: str


runner = Specialist("runner")


@runner.skill
async def execute(script: Script, context: TaskContext) -> Printed:
    command = [sys.executable, "-c", script.code]
    ran = await context.run_command(command, env={"GIVEN": "given"}, limits=Limits(seconds=script.seconds))
    return Printed(code=ran.code, out=ran.out, err=ran.err, stopped=ran.stopped)


@runner.skill
async def impatient(script: Script, context: TaskContext) -> Printed:
    """Waits until the command has written its process id, and then no more."""
    os.mkfifo(context.scratch / "pid")
    code = "import os, signal; open('pid', 'w').write(str(os.getpid())); signal.pause()"
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(partial(context.run_command, [sys.executable, "-c", code]))
        pid = await anyio.Path(context.scratch / "pid").read_text()
        tasks.cancel_scope.cancel()
    return Printed(code=None, out=pid, err="", stopped="")


async def test_output_exit_code_and_limit_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its environment is PATH, a home of its own and what it was given."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "s3cret")
    async with bench(runner) as call:
        shown = await call(Printed, "execute", script=Script(code="import os; print(dict(os.environ)); exit(3)"))
        assert (shown.code, shown.err, shown.stopped) == (3, "", "")
        assert "'GIVEN': 'given'" in shown.out
        assert "s3cret" not in shown.out
        slow = await call(Printed, "execute", script=Script(code="import signal; signal.pause()", seconds=1))
        assert (slow.code, slow.stopped) == (None, "the limit of 1 s was reached")


@pytest.mark.skipif(not offers().landlock, reason="this kernel has no Landlock: files are not kept from it")
async def test_it_reads_and_writes_only_in_its_scratch_folder(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("s3cret")
    async with bench(runner) as call:
        code = f"open('mine', 'w').write('x'); print(open('mine').read()); open({str(tmp_path / 'key')!r})"
        shown = await call(Printed, "execute", script=Script(code=code))
    assert (shown.code, shown.out) == (1, "x\n")
    assert "PermissionError" in shown.err


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the process in /proc")
async def test_it_ends_with_the_skill() -> None:
    """Whoever stops waiting for it has ended it: the process that would go on for ever is gone."""
    async with bench(runner) as call:
        began = await call(Printed, "impatient", script=Script(code=""))
        assert not await anyio.Path(f"/proc/{began.out}").exists()
