"""`hustings plan`: what it says about skills that no step uses."""

import json

import pytest

from hustings.agents.cli import main

BOARD = "hustings.examples.review_board:with_models"


def test_a_skill_that_an_arbiter_asks_is_not_called_skipped(capsys: pytest.CaptureFixture[str]) -> None:
    """The arbiter is named, as text and as JSON."""
    with pytest.raises(SystemExit, match="0"):
        main(["plan", BOARD])
    lines = capsys.readouterr().out.splitlines()
    assert "judge.judge: asked by the arbiter judged" in lines
    assert "prover.trial: asked by the arbiter verified" in lines
    assert not [line for line in lines if line.startswith("skipped")]
    with pytest.raises(SystemExit, match="0"):
        main(["plan", BOARD, "-o", "json"])
    skipped = json.loads(capsys.readouterr().out)["skipped"]
    assert skipped["judge.judge"] == "asked by the arbiter judged"
