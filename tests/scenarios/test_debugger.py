"""breakpoint() in a skill, at a terminal, beside a team that is up."""

import os
import pty
from pathlib import Path

import anyio
import pytest

from .processes import PATIENCE, Place

pytestmark = pytest.mark.processes

PUZZLE = """\
from hustings import Goal, Message, Outcome, Specialist, Team

class Ask(Goal):
    number: int

class Answer(Message):
    value: int

class Answered(Outcome):
    answer: Answer

solver = Specialist("solver", "stops at a breakpoint")

@solver.skill
{def} solve(asked: Ask) -> Answer:
    value = asked.number + 1
    breakpoint()
    return Answer(value=value)

team = Team("puzzle", goal=Ask, outcome=Answered, specialists=[solver], heartbeat_timeout=2.0)
"""


@pytest.mark.parametrize("kind", ["def", pytest.param("async def", marks=pytest.mark.long)])
async def test_a_breakpoint_is_no_timeout(tmp_path: Path, kind: str) -> None:
    """The skill stands still for longer than a silent agent may be silent; then its variable is changed, and it goes
    on: the first attempt answers, with the changed value."""
    place = Place(tmp_path)
    (tmp_path / "puzzle.py").write_text(PUZZLE.replace("{def}", kind))
    terminal, its_end = pty.openpty()
    desk = Place(tmp_path)
    desk.env, desk.stdin = place.env, its_end
    async with (
        place.hustings("up", "puzzle:team", "--skip", "solver") as up,
        desk.hustings("agent", "puzzle:team", "--only", "solver", "--debugger") as agent,
    ):
        await up.until("team puzzle is up: coordinator")
        await agent.until('"ready"')
        async with place.hustings("run", "puzzle:team", "--number", "1", "-o", "json") as run:
            await agent.until("-> return Answer(value=value)")
            await anyio.sleep(
                6
            )  # longer than HEARTBEAT_TIMEOUT, ACK_WAIT and the watchdog: nothing tells that they passed
            os.write(terminal, b"value = 42\nc\n")
            said = await run.end(PATIENCE)
        assert (said.code, said.json["outcome"]) == (0, {"answer": {"value": 42}})
        assert said.json["spent"]["tasks"] == 1
        assert not [row for row in agent.rows + up.rows if "blocked" in row or "gave up" in row or '"failed"' in row]
    os.close(terminal)
    os.close(its_end)
    await place.all_gone()
