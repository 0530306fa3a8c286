"""`hustings review`: a verb that an installed package brings, which gives the review board its goal."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from hustings.agents.cli import RunOptions, main


def ended(*words: str) -> object:
    with pytest.raises(SystemExit) as end:
        main([*words])
    return end.value.code


def test_the_help_lists_the_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("--help") == 0
    assert "Brought by packages:\n  review " in capsys.readouterr().out


def test_its_options_are_flags_of_the_goal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def run_team(settings: object, target: str, goal: list[str], options: RunOptions, verbose: int) -> int:
        asked.extend([target, goal, options, verbose])
        return 4

    monkeypatch.setattr(import_module("hustings.agents.cli.verbs.run"), "run_team", run_team)
    words = ("--tests", "make check", "--within", "60", "--install", "--skip", "mypy", "--apply")
    assert ended("review", str(tmp_path), *words) == 4
    target, goal, options, verbose = asked
    assert target == "hustings.examples.review_board:team"
    assert goal == [
        f"--goal.repository={tmp_path}", "--goal.tests=make check", "--goal.within=60.0", "--goal.install=True",
    ]  # fmt: skip
    assert (options, verbose) == (RunOptions(skip=("mypy",), apply=True), 0)


@pytest.mark.processes
def test_plan_shows_how_the_tests_will_run_and_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tox.ini").write_text("[pytest]\n")
    assert ended("plan", "hustings.examples.review_board:team", "--repository", str(tmp_path)) == 0
    said = capsys.readouterr()
    assert "tests: python -m pytest\nwhy: `python -m pytest` from the settings of pytest in tox.ini, with " in said.err
    assert said.out.startswith("1. ")
