"""The way to the broker from a folder, and the way out."""

import signal
import sys
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from hustings.agents.cli import Settings
from hustings.agents.cli.frame.session import broker
from hustings.protocols import BrokerUnavailable


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
