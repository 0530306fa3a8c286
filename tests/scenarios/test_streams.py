"""What the three descriptors of a command are for, whatever is printed and whichever of them are closed."""

import subprocess
import sys
from itertools import combinations
from pathlib import Path

import anyio
import pytest

from .processes import Place, Said

pytestmark = pytest.mark.processes

CLERK = """
from hustings.agents import Specialist, Team
from hustings.protocols import Goal, Message, Outcome

class Summarise(Goal):
    text: str

class Summary(Message):
    text: str

class Summarised(Outcome):
    summary: Summary

clerk = Specialist("clerk", "keeps the first sentence")

@clerk.skill
async def summarise(asked: Summarise) -> Summary:
    shout("skill")
    return Summary(text=asked.text.partition(".")[0] + ".")

team = Team("office", goal=Summarise, outcome=Summarised, specialists=[clerk], files=lambda _: shout("files") or {})
"""
SHOUTS = """
import atexit, ctypes, os, subprocess, sys, threading

def shout(where):
    print(f"NOISE {where} print")
    print(f"NOISE {where} stdout", file=sys.__stdout__, flush=True)
    os.write(1, f"NOISE {where} write\\n".encode())
    subprocess.run(["echo", f"NOISE {where} child"])
    ctypes.CDLL(None).puts(f"NOISE {where} library".encode())
    thread = threading.Thread(target=print, args=(f"NOISE {where} thread",))
    thread.start()
    thread.join()

shout("import")
atexit.register(shout, "exit")
"""
ALL = ("<&-", ">&-", "2>&-")
CLOSED = [
    pytest.param(" ".join(each), marks=[pytest.mark.long] * (n == 2))
    for n in (1, 2, 3)
    for each in combinations(ALL, n)
]
OUTCOME = ["run", "clerk:team", "--text", "a. b", "-o", "json"]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    (tmp_path / "clerk.py").write_text(f"shout = print\n{CLERK}")
    (tmp_path / "shouting.py").write_text(SHOUTS + CLERK)
    return place


async def test_stdout_is_data_only(place: Place) -> None:
    """At import, in callbacks of the team, in skills, at exit; by print, descriptor, child, thread and C."""
    said = await place.call("run", "shouting:team", "--text", "a. b", "-o", "json", "-v")
    assert said.code == 0
    assert said.json["outcome"]["summary"] == {"text": "a."}
    for where in ("import", "files", "exit"):
        for how in ("print", "stdout", "write", "child", "library", "thread"):
            assert f"NOISE {where} {how}" in said.err, said.err
    assert "NOISE skill print" in said.err
    planned = await place.call("plan", "shouting:team", "-o", "json")
    assert planned.json["steps"]
    shown = await place.call("run", "shouting:team", "--help")
    assert "NOISE" not in shown.out
    assert "--text" in shown.out


@pytest.mark.parametrize("closed", CLOSED)
async def test_closed_descriptors_are_the_null_device(place: Place, closed: str) -> None:
    """The command and its children work as if nobody listened; what is open has what belongs there."""
    said = await shell(place, closed, *OUTCOME)
    assert said.code == 0, said
    if ">&-" not in closed.split():
        assert said.json["outcome"]["summary"] == {"text": "a."}
    await place.all_gone()


async def test_up_with_a_closed_stdin_has_all_its_members(place: Place) -> None:
    command = ["sh", "-c", 'exec "$@" <&-', "sh", sys.executable, "-m", "hustings.agents.cli", "up", "clerk:team"]
    async with await anyio.open_process(command, stderr=subprocess.PIPE, cwd=place.folder, env=place.env) as up:
        assert up.stderr
        heard = b""
        with anyio.fail_after(300):
            while b"is up" not in heard:
                heard += await up.stderr.receive()
        assert b"ended" not in heard
        said = await place.call(*OUTCOME)
        assert said.code == 0
        assert "starting" not in said.err
        up.terminate()
        await up.wait()
    await place.all_gone()


@pytest.mark.parametrize("verb", [["run", "doomed:team", "--text", "a"], ["up", "doomed:team"]], ids=["run", "up"])
async def test_a_coordinator_that_cannot_start_ends_it_with_the_reason(place: Place, verb: list[str]) -> None:
    (place.folder / "doomed.py").write_text(
        f"import sys\nif 'coordinator' in sys.argv: raise RuntimeError('bad luck')\nshout = print\n{CLERK}"
    )
    said = await place.call(*verb)
    assert said.code == 2  # as if the module could not be imported here
    assert said.error[0] == "error: coordinator cannot start: doomed cannot be imported"
    assert "RuntimeError: bad luck (doomed.py:2)" in said.error[1]
    assert "team office is up" not in said.err
    await place.all_gone()


async def test_up_is_not_up_without_a_member(place: Place) -> None:
    (place.folder / "alone.py").write_text(
        f"import sys\nif 'agent' in sys.argv: raise RuntimeError('bad luck')\nshout = print\n{CLERK}"
    )
    async with place.hustings("up", "alone:team") as up:
        await up.until("team office is not up: clerk did not start")
        assert not any("is up" in row for row in up.rows)


async def shell(place: Place, closed: str, *args: str) -> Said:
    """Run a command with some of its descriptors closed."""
    command = ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-m", "hustings.agents.cli", *args]
    with anyio.fail_after(300):
        done = await anyio.run_process(command, check=False, cwd=place.folder, env=place.env)
    return Said(done.returncode, done.stdout.decode(), done.stderr.decode())
