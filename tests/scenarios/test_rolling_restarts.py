"""`hustings restart` of every part of a team at work: nothing is lost, nothing done twice, and nothing stands still."""

from pathlib import Path

import anyio
import pytest

from hustings.agents.chaos.checker import check
from hustings.agents.chaos.figures import figures, stalls
from hustings.agents.chaos.history import History, effects, new_effects, operations
from hustings.examples.chaos_team.team import Storm

from .processes import Place, following

pytestmark = [pytest.mark.processes, pytest.mark.timing, pytest.mark.long]

TEAM = "hustings.examples.chaos_team:team"
PARTS = ("cloud", "north", "south", "gauge", "coordinator")
AT_ONCE, TASKS = 3, 16  # runs, and tasks with an effect in each
STALL = 2.0  # seconds without any answer, while there is work


async def test_every_part_restarted_one_after_the_other_under_load(tmp_path: Path) -> None:
    """Runs are under way all the time, each drop falls once, and somebody answers every two seconds."""
    place, history, over = Place(tmp_path), History(), anyio.Event()
    (tmp_path / "ops").mkdir()
    new_effects(tmp_path / "effects.db")
    place.env |= {"HUSTINGS_HISTORY": str(tmp_path / "ops"), "HUSTINGS_EFFECTS": str(tmp_path / "effects.db")}
    async with place.up(TEAM), following(place, "chaos") as (client, _):

        async def keep_asking() -> None:
            while not over.is_set():
                run = await client.ask(Storm(tasks=TASKS))
                history.asked[run.id], history.tasks[run.id] = "accepted", TASKS
                assert (await run.wait()).status == "decided"

        before = place.pids("chaos")
        async with anyio.create_task_group() as group:
            for _ in range(AT_ONCE):
                group.start_soon(keep_asking)
            for part in PARTS:
                assert (await place.call("restart", part)).out == f"restarted {part}\n"
            over.set()
        after = place.pids("chaos")
        assert not {*before.values()} & {*after.values()}
        for run in history.asked:
            history.entries[run] = [entry async for entry in client.bus.log.read(run)]
    history.ops, history.effects = operations(tmp_path / "ops"), effects(tmp_path / "effects.db")
    found = figures(history)
    assert check(history) == [], found
    drops = TASKS * len(history.asked)
    assert found["effects"] == {"expected": drops, "done": drops, "duplicated": 0}
    assert found["abandoned"] == found["dead_letters"] == found["finished_tasks_repeated"] == 0, found
    assert max(stalls(history), default=0.0) < STALL
    await place.all_gone()
