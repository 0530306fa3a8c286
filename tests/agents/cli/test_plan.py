"""`hustings plan`: what it says about skills that no step uses."""

import json
from importlib import import_module
from pathlib import Path

import pytest

from hustings.agents.cli import main
from hustings.agents.team import brief_of, members_of, planner_of

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
    plan = json.loads(capsys.readouterr().out)
    assert plan["asked"]["judge.judge"] == "judged"
    assert "judge.judge" not in plan["skipped"]


OWN = """
from hustings import Goal, Message, Outcome, RetryPolicy, Specialist, Team


class Fetch(Goal): ...


class Page(Message): ...


class Read(Message): ...


class Fetched(Outcome):
    read: Read


agent = Specialist("web")


@agent.skill(retry=RetryPolicy(max_attempts=5, initial_interval=0.5, non_retryable=(OSError,)), timeout=30)
def fetch(goal: Fetch) -> Page: ...


@agent.skill(retry=RetryPolicy(max_attempts=2))
def read(page: Page) -> Read: ...


team = Team("web", Fetch, Fetched, [agent], retry=RetryPolicy(max_attempts=2))
"""


def test_what_a_skill_lays_down_for_itself_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """How it is retried, if not as the team says, and its timeout; in JSON beside the plan."""
    (tmp_path / "web_team.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="0"):
        main(["plan", "web_team:team"])
    assert capsys.readouterr().out.splitlines() == [
        "1. web-fetch: fetch by web",
        "     goal: the goal itself",
        "     retry: 5 attempts, 0.5 s apart at first, then 2 times as long each time, up to 60 s; none after OSError",
        "     timeout: 30 s",
        "2. web-read: read by web",
        "     page: returned by web-fetch",
        "outcome",
        "     read: returned by web-read",
    ]
    with pytest.raises(SystemExit, match="0"):
        main(["plan", "web_team:team", "-o", "json"])
    own = json.loads(capsys.readouterr().out)["skills"]
    assert own["web.fetch"]["timeout"] == 30
    assert own["web.fetch"]["retry"]["max_attempts"] == 5


def test_the_log_has_who_is_asked() -> None:
    """The coordinator plans with what `hustings plan` shows."""
    team = import_module("hustings.examples.review_board").team
    plan = team.policy().planner(brief_of(team, members_of(team)))
    assert plan == planner_of(team)(brief_of(team, members_of(team)))
    assert plan.asked == {"prover.trial": "verified"}
    assert "prover.trial" not in plan.skipped
