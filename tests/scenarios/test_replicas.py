"""Replicas share an inbox, and one of them may leave in the middle of its work."""

import os
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import anyio
import pytest

from . import court
from .processes import Held, Place, following

pytestmark = pytest.mark.processes

Within = Callable[[float], AbstractContextManager[None]]


@pytest.mark.timing
async def test_replicas_share_the_work_and_one_that_leaves_holds_nothing_up(tmp_path: Path, within: Within) -> None:
    """Each task is done once, by one of them. SIGTERM: what is in hand is finished, the rest is done by the other."""
    place = Place(tmp_path)
    async with place.up("court:pool", "-m", "typist=2") as up, following(place, "pool") as (client, held):
        with anyio.fail_after(300):
            run = await client.ask(court.Job(pages=12, held=4, gate=str(tmp_path)))
            begun = [await begins(held, run.id, page) for page in range(4)]
            replicas = {pid for name, pid in place.pids("pool").items() if name.startswith("typist")}
            assert Counter(begun) == dict.fromkeys(replicas, 2)
            for page in range(4):
                (tmp_path / str(page)).touch()
            report = await run.wait()
            assert (report.status, len(report.verdicts)) == ("decided", 12)
            for page in range(12):
                await begins(held, run.id, page)
            assert len([each for each in held.said if each.run == run.id]) == 12

            run = await client.ask(court.Job(pages=1, held=1, gate=str(tmp_path / "later")))
            leaving = await begins(held, run.id, 0)
            with within(3):  # long before a task that got lost would come again
                os.kill(leaving, signal.SIGTERM)
                await up.until("draining in_hand=1")
                for _ in range(3):
                    quick = await (await client.ask(court.Job(pages=1))).wait()
                    assert [verdict.value for verdict in quick.verdicts] == [*(replicas - {leaving})]
                (tmp_path / "later").mkdir()
                (tmp_path / "later" / "0").touch()
            assert [verdict.value for verdict in (await run.wait()).verdicts] == [leaving]
    await place.all_gone()


async def begins(held: Held, run: str, page: int) -> int:
    """The process that begins this page."""
    said = await held.until(lambda each: each.run == run and each.says.endswith(f"begins {page}"))
    return int(said.says.split()[0])
