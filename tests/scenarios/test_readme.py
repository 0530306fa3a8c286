"""The README is true: each command and block of code in it is run as it is printed, in an empty folder."""

import subprocess
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import anyio
import pytest
from pydantic import JsonValue

from hustings import Claim, Verdict
from hustings.agents import Arbiter
from hustings.agents.arbitration.matters import group
from hustings.agents.arbitration.settling import settle

from .pages import ROOT, blocks, like, user
from .processes import Place, nats_server

pytestmark = pytest.mark.processes

BLOCKS = [each.text for each in blocks(ROOT / "README.md")]
TEXT = "panic: I'm over here\n"  # four words; five runs of letters


CRITIC = """
from hustings import Message, Specialist, TaskContext, Testimony
critic = Specialist("critic")
class Document(Message):
    text: str
class Findings(Testimony): ...
"""


def block(word: str) -> str:
    """The one block that has this word in it."""
    (found,) = [text for text in BLOCKS if word in text]
    return found


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An empty folder, with the files in it that the README shows whole."""
    place = user(tmp_path)
    (place.folder / "clerk.py").write_text(block('clerk = Specialist("clerk"'))
    return place


def test_all_blocks_are_run_here() -> None:
    """A block that is added to the README is added to this file."""
    known = (
        'clerk = Specialist("clerk"', "$ hustings plan clerk:team", "flowchart LR", "make demo", "EACH TOOL ALONE",
        "make test", " passed in ", "@critic.skill", 'name="hello"', 'outsider = Specialist("outsider"',
        "$ hustings agent outsider:outsider", "nats-server -js --auth", "hustings.connect(", "hustings.sync.connect(",
        "def test_the_team", "def newest", "def test_the_critic",
    )  # fmt: skip
    assert [text for text in BLOCKS if not any(word in text for word in known)] == []


def test_the_two_commands_are_there() -> None:
    """They are run by whoever changes this project, from a fresh clone; here only that make knows them."""
    for target in ("demo", "test"):
        subprocess.run(["make", "-n", target], cwd=ROOT, check=True, capture_output=True)


async def test_the_clerk(place: Place) -> None:
    """Planned and asked as it is printed there."""
    for part in block("$ hustings plan clerk").split("$ ")[1:]:
        command, *printed = part.splitlines()
        done = await anyio.run_process(["sh", "-c", command], cwd=place.folder, env=place.env)
        said = done.stdout.decode().splitlines()
        expected = [line for line in printed if line.strip() != "…"]
        assert len(said) >= len(expected) > 3
        for wanted, line in zip(expected, said, strict=False):
            assert like(wanted, line), f"{command}: {line!r} is not {wanted!r}"


async def test_its_tests(place: Place) -> None:
    """`test_clerk.py` passes, and what is added to it for the critic."""
    (place.folder / "test_clerk.py").write_text(block("def test_the_team"))
    (place.folder / "critic.py").write_text(CRITIC + block("@critic.skill"))
    (place.folder / "test_critic.py").write_text(
        "import anyio\nfrom hustings.testing import bench\n" + block("test_the_critic")
    )
    command = [sys.executable, "-m", "pytest", "-q", "test_clerk.py", "test_critic.py"]
    done = await anyio.run_process(command, cwd=place.folder, env=place.env, check=False)
    assert "5 passed" in done.stdout.decode(), done.stdout.decode()


async def test_from_python(place: Place) -> None:
    """The client's lines give what the clerk says."""
    async with place.up("clerk:team"):
        lines = block("hustings.connect(").replace("nats://…", place.url).splitlines()
        script = "\n".join(
            ["import anyio, hustings", "from clerk import Summarise, team", "async def main():"]
            + [f"    {line}" for line in lines]
            + ["anyio.run(main)"]
        )
        done = await anyio.run_process([sys.executable, "-c", script], cwd=place.folder, env=place.env)
    assert done.stdout.decode() == "Hear hear.\n"


async def test_from_python_without_await(place: Place) -> None:
    """The same, in a script; whoever follows sees who wrote each entry."""
    async with place.up("clerk:team"):
        lines = block("hustings.sync.connect(").replace("nats://…", place.url)
        script = "import hustings.sync\nfrom clerk import Summarise, team\n" + lines
        done = await anyio.run_process([sys.executable, "-c", script], cwd=place.folder, env=place.env)
    author, *_, coordinator, text = done.stdout.decode().splitlines()
    assert (author, coordinator, text) == ("client", "coordinator", "Hear hear.")


async def outsider(place: Place) -> Place:
    other = place.another("elsewhere")
    (other.folder / "outsider.py").write_text(block('outsider = Specialist("outsider"'))
    (place.folder / "text.txt").write_text(TEXT)
    return other


def commands(text: str) -> list[list[str]]:
    """The commands of a block, by words, without what stands there for people."""
    rows = [line.removeprefix("$ ").partition("#")[0].split() for line in text.splitlines()]
    return [row for row in rows if "hustings" in row]


async def test_the_outsider(place: Place) -> None:
    """It joins from its own folder, and is heard."""
    other = await outsider(place)
    printed = block("$ hustings agent outsider:outsider")
    up, agent, run = commands(printed)
    async with AsyncExitStack() as stack:
        team = await stack.enter_async_context(place.hustings(*up[1:]))
        await team.until("is up: coordinator and")
        joined = await stack.enter_async_context(other.hustings(*agent[1:]))
        await joined.until("joins team hello: --team names it, and you have it up in")
        await joined.until("ready")
        said = await place.call(*run[1:])
    (conflict,) = [line for line in printed.splitlines() if line.startswith("  C-1")]
    assert any(like(conflict, line) for line in said.out.splitlines()), said.out


async def test_on_a_cluster(place: Place, tmp_path: Path) -> None:
    """The same, at a nats-server that was started by hand, with its address and token in the URL."""
    other = await outsider(place)
    block_of = block("nats-server -js --auth")
    settings = f'jetstream: {{ store_dir: "{tmp_path / "js"}" }}\nauthorization: {{ token: "s3cret" }}'
    async with nats_server(tmp_path / "nats", settings) as (address, _):
        up, agent, run = commands(block_of.replace("host:4222", address))
        async with AsyncExitStack() as stack:
            team = await stack.enter_async_context(place.hustings(*up[1:]))
            await team.until("is up: coordinator and")
            name, _, url = agent[0].partition("=")
            joined = await stack.enter_async_context(other.hustings(*agent[2:], "--team", "hello", **{name: url}))
            await joined.until("ready")
            said = await place.call(*run[1:])
    assert "say outsider and spaces" in said.out


def test_the_critic_and_the_team() -> None:
    """Lines from a file that the README does not show whole: the first make a skill, the second are in the example."""
    names: dict[str, Any] = {"__name__": "critic"}
    exec(CRITIC + block("@critic.skill"), names)
    assert names["critic"].skills["criticise"].witness
    assert block('name="hello"') in (ROOT / "examples" / "hello" / "team.py").read_text()


async def test_the_rule() -> None:
    """Of two measurements the later one stands, against a majority; if none has a time, the rule abstains."""
    names: dict[str, Any] = {"__name__": "newest"}
    exec(block("def newest"), names)
    early, arbiters = names["early"], names["arbiters"]
    evidence = early.evidence[0].model_copy(update={"data": {"at": 10.0}})
    late = early.model_copy(update={"value": 9, "evidence": (evidence,)})
    bare = [each.model_copy(update={"evidence": ()}) for each in (early, late)]
    assert verdict(arbiters, early, early, late) == (9, "rule: newest")
    assert verdict(arbiters, bare[0], bare[0], bare[1]) == (7, "majority")


def verdict(arbiters: Sequence[Arbiter], *claims: Claim) -> tuple[JsonValue, str]:
    """The value that stands of claims of as many witnesses, and by which rule."""
    said = [claim.model_copy(update={"id": f"i{n}", "by": f"w{n}"}) for n, claim in enumerate(claims)]
    (settled,) = settle(group(said), {each.id: each for each in said}, arbiters, lambda _: None)
    assert isinstance(settled, Verdict)
    return settled.value, settled.rule
