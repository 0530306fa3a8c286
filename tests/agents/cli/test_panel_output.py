"""What is said while a live panel is drawn."""

import sys
from io import BytesIO, StringIO, TextIOWrapper

import pytest
from rich.console import Console
from rich.live import Live

from hustings.agents.cli.frame.output import say


def test_nothing_is_written_past_a_live_panel(monkeypatch: pytest.MonkeyPatch) -> None:
    """The panel puts it above itself; written past it, the panel's next picture would cover it."""
    screen, beside = StringIO(), BytesIO()
    monkeypatch.setattr(sys, "stderr", TextIOWrapper(beside, encoding="ascii", write_through=True))
    with Live("panel", console=Console(file=screen, force_terminal=True, width=80), auto_refresh=False):
        say("error: the run failed")
    assert "error: the run failed" in screen.getvalue()
    assert beside.getvalue() == b""
