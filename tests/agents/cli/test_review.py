"""`hustings review`: a verb that an installed package brings, which gives the review board its goal."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from hustings.agents.cli import RunOptions, Settings, main


def ended(*words: str) -> object:
    with pytest.raises(SystemExit) as end:
        main([*words])
    return end.value.code


def test_the_help_lists_the_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("--help") == 0
    assert "Brought by packages:\n  review " in capsys.readouterr().out


def test_its_options_are_flags_of_the_goal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def run_team(settings: Settings, target: str, goal: list[str], options: RunOptions, verbose: int) -> int:
        asked.extend([target, goal, options, verbose, settings.output])
        return 4

    monkeypatch.setattr(import_module("hustings.agents.cli.verbs.run"), "run_team", run_team)
    words = (
        "--tests",
        "make check",
        "--within",
        "1m30s",
        "--format",
        "sarif",
        "--install",
        "--skip",
        "mypy",
        "--apply",
    )
    assert ended("review", str(tmp_path), *words) == 4
    target, goal, options, verbose, output = asked
    assert target == "hustings.examples.review_board:team"
    assert goal == [
        f"--goal.repository={tmp_path}", "--goal.tests=make check", "--goal.within=90.0", "--goal.install=True",
    ]  # fmt: skip
    assert (options, verbose, output) == (RunOptions(skip=("mypy",), apply=True), 0, "sarif")


@pytest.mark.parametrize(
    "words", [("-o", "xml"), ("--format", "pdf"), ("--within", "soon"), ("--within", "5 m")], ids=" ".join
)
def test_what_it_does_not_know_is_refused(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("review", *words) == 2
    assert words[1] in capsys.readouterr().err


@pytest.mark.processes
def test_plan_shows_how_the_tests_will_run_and_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tox.ini").write_text("[pytest]\n")
    assert ended("plan", "hustings.examples.review_board:team", "--repository", str(tmp_path)) == 0
    said = capsys.readouterr()
    assert "tests: python -m pytest\nwhy: `python -m pytest` from the settings of pytest in tox.ini, with " in said.err
    assert said.out.startswith("1. ")
