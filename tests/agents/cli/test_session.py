"""The way to the broker from a folder, and the way out."""

import signal
import sys
from functools import partial
from pathlib import Path
from subprocess import PIPE, Popen

import anyio
import pytest

from hustings.agents.cli import Settings
from hustings.agents.cli.frame.session import attend, broker
from hustings.bus import Bus, background
from hustings.protocols import COORDINATOR, BrokerUnavailable, Heartbeat, timing


@pytest.mark.parametrize("new", [True, False])
async def test_a_folder_of_the_earlier_name_is_refused_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], new: bool
) -> None:
    """Its runs are not read; once there is a folder of the new name, nothing more is said."""
    (tmp_path / ".moot").mkdir()
    if not new:
        (tmp_path / ".hustings").mkdir()
    settings = Settings("text", "never", None, tmp_path / ".hustings", debug=False, durability="process")
    with pytest.raises(BrokerUnavailable, match="no broker runs"):
        async with broker(settings):
            pass
    assert ("They are not read any more" in capsys.readouterr().err) is new


DEAF_ONCE = """
import anyio
from hustings.agents.cli.frame.errors import Boundary
from hustings.agents.cli.frame.session import go

async def main():
    print("ready", flush=True)
    try:
        await anyio.sleep_forever()
    except anyio.get_cancelled_exc_class():
        print("lost", flush=True)
    await anyio.sleep_forever()

with Boundary(debug=False):
    go(main)
"""


@pytest.mark.processes
def test_an_interrupt_is_never_lost() -> None:
    """Code that loses one cancellation, as a race may, is cancelled again at its next wait: ^C ends every command."""
    with Popen([sys.executable, "-c", DEAF_ONCE], stdout=PIPE, text=True) as child:
        assert child.stdout
        assert child.stdout.readline() == "ready\n"
        child.send_signal(signal.SIGINT)
        assert child.wait(120) == 130
        assert child.stdout.read() == "lost\n"


BEAT = Heartbeat(agent=COORDINATOR, instance="one", version="1", card="", pid=1, host="h")


async def test_a_run_says_once_that_it_waits_for_a_coordinator_and_when_one_is_up(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that leaves is away, and so is the team with agents alone; the silence goes on without a second line."""
    monkeypatch.setattr(timing, "TEAM_START", 0.05)
    monkeypatch.setattr(timing, "COORDINATOR_LOST", 0.05)
    tell, told = anyio.create_memory_object_stream[str](10)
    with anyio.fail_after(60):
        async with background(partial(attend, bus.live, tell.send_nowait)):
            assert (await told.receive()).startswith("no coordinator has been heard for 0.05 s")
            await bus.live.beat(BEAT.model_copy(update={"leaving": True}))
            await bus.live.beat(BEAT.model_copy(update={"agent": "clerk"}))
            await anyio.sleep(0.2)  # several times the silence after which something is said
            assert told.statistics().current_buffer_used == 0
            await bus.live.beat(BEAT)
            assert await told.receive() == "a coordinator is up; the run goes on"
            assert (await told.receive()).startswith("no coordinator")
    tell.close()
    told.close()
