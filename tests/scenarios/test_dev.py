"""`hustings dev`: what is saved is reloaded, each agent once; after an error the old process goes on."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from hustings.examples import hello

from .processes import Place

pytestmark = pytest.mark.processes

Within = Callable[[float], AbstractContextManager[None]]

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


def package(folder: Path) -> list[Path]:
    """The files of a package `duo`: a module for the messages, for each of two agents, and for the team."""
    texts = {
        "__init__": "from .team import team\n",
        "messages": MESSAGES,
        "one": agent("one", 1),
        "two": agent("two", 2),
        "team": TEAM,
    }
    (folder / "duo").mkdir()
    files = [folder / "duo" / f"{name}.py" for name in texts]
    for file in files:
        file.write_text(texts[file.stem])
    return files


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A folder with the package `duo`."""
    place = Place(tmp_path)
    package(tmp_path)
    yield place
    assert not list(place.left())


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


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


@pytest.mark.timing
async def test_the_new_answer_is_there_two_seconds_after_the_file_was_saved(tmp_path: Path, within: Within) -> None:
    """Though all four parts of the team import the file, and restart: they are forked from one process."""
    place = Place(tmp_path)
    source, file = Path(hello.__file__).with_name("team.py").read_text(), tmp_path / "hello.py"
    file.write_text(source)
    async with place.hustings("dev", "hello:team", "--again") as dev:
        await dev.until("is up: coordinator and")
        assert (await place.call("run", "hello:team", "--text", "text")).code == 0
        for count in ("len(words) + 1", "len(words) + 2"):
            with within(2):
                file.write_text(source.replace("len(words)", count))
                await dev.until("reloaded coordinator, splitter, spaces, letters")
                await dev.until("; compared with")
                dev.rows.clear()
            (forks,) = {parent(pid) for pid in place.pids("hello").values()}
            assert parent(forks) == dev.pid
    await place.all_gone()


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
