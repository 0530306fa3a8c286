"""What a user gets wrong has a hint that says what to write instead: a path, a skill, a name, a file that hides
Python's. Each command runs in a process of its own, because what it imports stays."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

pytestmark = pytest.mark.processes

TEAM = """
from hustings import Goal, Outcome, Specialist, Team

class Ask(Goal): ...
class Answer(Outcome): ...
team = Team("empty", goal=Ask, outcome=Answer)
"""
SKILL = """
from hustings import Specialist

clerk = Specialist("clerk")

@clerk.skill
def write(number: int) -> str: ...
"""


def hustings(folder: Path, *args: str) -> tuple[int, list[str]]:
    """The exit code, and the lines of the error, each without its first word."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("HUSTINGS_", "NATS_"))}
    command = [sys.executable, "-P", "-c", "from hustings.agents.cli import main; main()", *args]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    return done.returncode, [line.partition(": ")[2] for line in done.stderr.splitlines()]


@pytest.mark.parametrize(
    ("target", "hint"),
    [
        ("./team.py:team", "Write team:team."),
        ("team.py:team", "Write team:team."),
        ("team.py", "Write team:NAME."),
        ("desk/team.py:board", "Write desk.team:board."),
        ("/srv/desk/team.py:team", "Write team:team, and run it in /srv/desk."),
    ],
)
def test_a_path_instead_of_a_module(tmp_path: Path, target: str, hint: str) -> None:
    code, lines = hustings(tmp_path, "plan", target)
    assert (code, lines[-1]) == (2, hint)


def test_what_is_wrong_with_a_skill_or_a_name_reaches_the_screen(tmp_path: Path) -> None:
    """Its reason and its hint, not only that the module cannot be imported."""
    (tmp_path / "skill.py").write_text(SKILL)
    code, lines = hustings(tmp_path, "agent", "skill:clerk")
    assert code == 2
    assert lines[0].endswith("write cannot take the parameter number")
    assert lines[1] == "its annotation is int"
    assert lines[2].startswith("Annotate it with a Message")
    (tmp_path / "name.py").write_text("from hustings import Specialist\nSpecialist('coordinator')\n")
    code, lines = hustings(tmp_path, "agent", "name:clerk")
    assert (code, lines[2]) == (2, "Give it another name.")


def test_a_file_that_hides_a_module_of_python_is_named(tmp_path: Path) -> None:
    """Whether it fails itself, the user's module misses something in it, or a library does."""
    (tmp_path / "team.py").write_text(TEAM)
    (tmp_path / "user.py").write_text("import colorsys\ncolorsys.rgb_to_hls\n")
    for name, target, text in (("colorsys", "user", "1/0"), ("colorsys", "user", ""), ("queue", "team", "")):
        hiding = tmp_path / f"{name}.py"
        hiding.write_text(text)
        code, lines = hustings(tmp_path, "run", f"{target}:team")
        assert code in (1, 2)
        assert lines[-1] == f"Rename {name}.py in {tmp_path}: Python has a module of this name."
        hiding.unlink()
    (tmp_path / "user.py").write_text("1/0\n")
    assert not any("Rename" in line for line in hustings(tmp_path, "plan", "user:team")[1])


def test_the_version_of_hustings(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    subprocess.run([sys.executable, "-m", "hustings.agents.cli", "--version"], cwd=tmp_path, check=True)
    assert capfd.readouterr().out == f"hustings {version('hustings')}\n"
