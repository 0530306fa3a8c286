"""The way to the broker from a folder."""

from pathlib import Path

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
