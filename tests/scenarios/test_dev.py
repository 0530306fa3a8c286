"""`hustings dev`: what is saved is reloaded, each agent once; after an error the old process goes on."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from .processes import Place

pytestmark = pytest.mark.processes

MESSAGES = '''\
from hustings import Goal, Message, Outcome

class Ask(Goal):
    number: int

class One(Message):
    value: int

class Two(Message):
    value: int

class Both(Outcome):
    one: One
    two: Two
'''  # fmt: skip
AGENT = '''\
from hustings import Specialist
from .messages import Ask, {kind}

{name} = Specialist("{name}", "says {name}")

@{name}.skill
async def say_{name}(asked: Ask) -> {kind}:
    return {kind}(value=asked.number + {number})
'''  # fmt: skip
TEAM = """\
from hustings import Team
from .messages import Ask, Both
from .one import one
from .two import two

team = Team("duo", goal=Ask, outcome=Both, specialists=[one, two])
"""


def agent(name: str, number: int) -> str:
    return AGENT.format(name=name, kind=name.title(), number=number)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A folder with the package `duo`: a module for the messages, for each of two agents, and for the team."""
    place = Place(tmp_path)
    package = tmp_path / "duo"
    package.mkdir()
    for name, text in {
        "__init__": "from .team import team\n",
        "messages": MESSAGES,
        "one": agent("one", 1),
        "two": agent("two", 2),
        "team": TEAM,
    }.items():
        (package / f"{name}.py").write_text(text)
    yield place
    assert not list(place.left())


async def test_a_saved_file_restarts_only_whom_it_belongs_to(place: Place, tmp_path: Path) -> None:
    """The answer changes, `--again` shows it; an error in the file leaves the old process, and is shown."""
    one = tmp_path / "duo" / "one.py"
    async with place.hustings("dev", "duo:team", "--again") as dev:
        await dev.until("is up: coordinator and")
        before = place.pids("duo")
        said = await place.call("run", "duo:team", "--number", "10", "-o", "json")
        assert said.json["outcome"] == {"one": {"value": 11}, "two": {"value": 12}}

        one.write_text(agent("one", 5))
        await dev.until("saved one.py: restarting coordinator, one")
        (_, asked, *_) = (await dev.until("; compared with")).split()
        after = place.pids("duo")
        assert (before["two"], before["one"] != after["one"]) == (after["two"], True)

        one.write_text(agent("one", 6) + "\nthis is no Python\n")
        await dev.until("SyntaxError")
        await dev.until("one did not get ready: its old process goes on")
        assert place.pids("duo") == after

        (tmp_path / "duo" / "messages.py").write_text(MESSAGES + "\n# all import this\n")
        await dev.until("saved messages.py: restarting coordinator, one, two")
        one.write_text(agent("one", 7))
        await dev.until(f"; compared with {asked}")
    said = await dev.end()
    rows = said.out.splitlines()
    assert '-      "value": 11' in rows
    assert '+      "value": 15' in rows
    assert '+      "value": 17' in rows


async def test_files_saved_in_a_burst_are_one_restart_each(place: Place, tmp_path: Path) -> None:
    """Five files, three processes: none is restarted twice."""
    files = sorted((tmp_path / "duo").glob("*.py"))
    assert len(files) == 5
    async with place.hustings("dev", "duo:team") as dev:
        await dev.until("is up: coordinator and")
        os.kill(dev.pid, signal.SIGSTOP)  # so that all is saved before it looks, however slow the machine is
        for file in files:
            file.write_text(file.read_text() + "\n# saved\n")
        os.kill(dev.pid, signal.SIGCONT)
        await dev.until("reloaded coordinator, one, two")
        restarts = {child["name"]: child["restarts"] for child in place.children("duo")}
        assert restarts == {"coordinator": 1, "one": 1, "two": 1}


async def test_without_watchfiles_it_is_three_lines(tmp_path: Path) -> None:
    place = Place(tmp_path)
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['watchfiles'] = None\n")
    said = await place.call("dev", "court:team", PYTHONPATH=str(tmp_path))
    assert said.code == 2
    assert said.error == [
        "error: watchfiles is not installed",
        "  why: hustings dev needs it",
        "  try: pip install 'hustings[dev]'",
    ]
