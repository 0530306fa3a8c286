"""What `hustings logs` prints of a log file that is there."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from hustings.agents.cli import main


def line(event: str, day: int) -> str:
    stamp = datetime(2024, 5, day, 10).astimezone().isoformat()
    return json.dumps({"event": event, "level": "info", "timestamp": stamp})


@pytest.fixture
def logs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., list[str]]:
    """What the verb prints of four lines of two processes and two days; one line is no JSON."""
    said = [("ann", line("one", 1)), ("ann", "printed"), ("longer", line("two", 2)), ("ann", line("three", 2))]
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "t.log").write_text("".join(f"{process}\t{raw}\n" for process, raw in said))
    monkeypatch.setenv("HUSTINGS_HOME", str(tmp_path))

    def call(*args: str) -> list[str]:
        with pytest.raises(SystemExit):
            main(["logs", *args])
        return capsys.readouterr().out.splitlines()

    return call


def test_a_day_stands_above_its_lines_and_what_was_printed_has_the_time_of_the_line_before(
    logs: Callable[..., list[str]],
) -> None:
    """Whoever reads it a day later is not told that it happened now."""
    assert logs() == [
        "2024-05-01",
        "10:00:00 ann | one",
        "10:00:00 ann | printed",
        "2024-05-02",
        "10:00:00 longer | two",
        "10:00:00 ann    | three",
    ]


def test_the_last_lines_of_one_process(logs: Callable[..., list[str]]) -> None:
    """The last ones of those that are wanted, not of all."""
    assert logs("ann", "-n", "2") == ["2024-05-01", "10:00:00 ann | printed", "2024-05-02", "10:00:00 ann | three"]
