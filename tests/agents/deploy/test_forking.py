"""Children of a fork server: started, reported and ended like any other process of a supervisor."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import anyio
import pytest
from anyio.abc import Process

from hustings.agents.deploy import supervisor
from hustings.agents.deploy.forking import PROGRAM, ForkServer, fork_server

pytestmark = pytest.mark.processes

AGENT = ("agent", "hustings.examples.hello:team", "--only", "spaces", "--team")


@pytest.fixture
def output(tmp_path: Path) -> Iterator[IO[bytes]]:
    with (tmp_path / "output").open("w+b") as output:
        yield output


async def start(forks: ForkServer, output: IO[bytes], *words: str, **env: str) -> Process:
    return await forks.spawn((*PROGRAM, *words), {**os.environ, **env}, output.fileno())


async def ready(output: IO[bytes]) -> None:
    """Wait until an agent is ready."""
    with anyio.fail_after(300):
        while b'"ready"' not in os.pread(output.fileno(), 2**16, 0):  # noqa: ASYNC110 - a file has no event
            await anyio.sleep(0.02)


def parent(process: Process) -> int:
    return int(Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[1])


async def test_a_child_has_its_words_environment_output_and_exit_code(output: IO[bytes]) -> None:
    """With an error, too; they do not see each other's environment."""
    async with fork_server() as forks:
        for words, env, code in (
            ("version", {}, 0),
            ("runs", {"HUSTINGS_URL": "nats://127.0.0.1:1"}, 6),
            ("ps", {}, 0),
        ):
            async with await start(forks, output, words, **env) as child:
                assert (await child.wait(), child.returncode) == (code, code)
    output.seek(0)
    said = output.read().decode()
    assert said.startswith("hustings ")
    assert said.count("no broker at nats://127.0.0.1:1") == 1


async def test_a_child_is_forked_into_a_session_of_its_own_and_can_be_killed(
    output: IO[bytes], broker: str, team: str
) -> None:
    """Whoever kills its group kills it alone; the signal is its exit code."""
    async with fork_server() as forks:
        async with await start(forks, output, *AGENT, team, HUSTINGS_URL=broker) as child:
            await ready(output)
            assert parent(child) != os.getpid()
            assert os.getsid(child.pid) == os.getpgid(child.pid) == child.pid
            os.killpg(child.pid, signal.SIGKILL)
            assert await child.wait() == -signal.SIGKILL
        async with await start(forks, output, "version") as child:
            assert await child.wait() == 0


async def test_children_do_not_outlive_a_fork_server_that_is_killed(output: IO[bytes], broker: str, team: str) -> None:
    """They end; those that are started later are started as usual."""
    async with fork_server() as forks:
        async with await start(forks, output, *AGENT, team, HUSTINGS_URL=broker) as child:
            await ready(output)
            os.kill(parent(child), signal.SIGKILL)
            with anyio.fail_after(300):
                assert await child.wait() == -signal.SIGTERM
        async with await start(forks, output, "version") as child:
            assert parent(child) == os.getpid()
            assert await child.wait() == 0


async def test_a_child_never_runs_an_old_framework(output: IO[bytes]) -> None:
    """After a file of the framework was saved, nothing is forked any more; a file of the user changes nothing."""
    async with fork_server() as forks:
        for saved, forked in ((Path(__file__), True), (Path(supervisor.__file__), False)):
            forks.saved([saved.resolve()])
            async with await start(forks, output, "version") as child:
                assert (parent(child) != os.getpid()) == forked
                assert await child.wait() == 0
