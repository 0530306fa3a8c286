"""`hustings rm`, and a log that is full, beside a team that is at work."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import anyio
import pytest

from hustings.agents import Client
from hustings.bus import Log, open_bus
from hustings.protocols import Assigned, BusFull, Decision, Result

from .conftest import Finished, Hustings
from .mill import Grain, Mill, entries, heard

pytestmark = pytest.mark.processes


async def ground(client: Client, *stones: int, pieces: int = 2, husk: int = 0) -> str:
    """A run that has ended."""
    run = await client.ask(Grain(pieces=pieces, stones=stones, husk=husk))
    await run.wait()
    return run.id


async def runs(client: Client) -> list[str]:
    return [head.run for head in await client.runs()]


def error(said: Finished) -> tuple[object, list[str]]:
    return said.code, [line.split(": ", 1)[1] for line in said.lines[-3:]]


async def test_rm_removes_what_is_named_and_says_what_went(mill: Mill, client: Client, hustings: Hustings) -> None:
    """With --dry-run it only says so. Dead letters go with their run."""
    async with mill.working():
        first, second = await ground(client, 1), await ground(client)
    count = len(await entries(client, first))
    said = await hustings("rm", first[:7], "--dry-run", "-o", "json")
    assert said.code == 0
    assert list(said.json) == [
        "removed", "runs", "late", "blobs", "blob_bytes", "young", "young_bytes",
    ]  # fmt: skip
    (row,) = said.json["runs"]
    assert (said.json["removed"], row.pop("bytes") > 1000) == (False, True)
    assert row == {"run": first, "team": mill.name, "status": "partial", "events": count}
    assert await runs(client) == [second, first]
    said = await hustings("rm", first)
    assert said.code == 0
    assert re.fullmatch(rf"removed 1 run: {count} events, [\d.]+ kB", said.out.splitlines()[-1])
    assert await runs(client) == [second]
    assert (await hustings("dead", "ls", "--team", mill.name)).code == 0
    assert (await hustings("show", second)).code == 0
    assert error(await hustings("rm", first))[1][0] == f"there is no run {first}"


async def test_rm_by_age_or_number_wants_a_yes(mill: Mill, client: Client, hustings: Hustings) -> None:
    async with mill.working():
        ids = [await ground(client) for _ in range(3)]
    for args in (["--keep", "1"], ["--older", "0s"]):
        count = "2 runs" if args[0] == "--keep" else "3 runs"
        assert error(await hustings("rm", "--team", mill.name, *args)) == (
            2, ["nothing was removed", f"it would remove {count}; --dry-run lists them", "Add --yes."]
        )  # fmt: skip
    said = await hustings("rm", "--team", mill.name, "--keep", "1", "--dry-run", "-o", "json")
    assert [row["run"] for row in said.json["runs"]] == [ids[1], ids[0]]
    assert (await hustings("rm", "--team", mill.name, "--older", "1h", "--yes")).out.startswith("removed 0 runs")
    assert (await hustings("rm", "--team", mill.name, "--keep", "1", "--yes")).code == 0
    assert await runs(client) == [ids[2]]
    assert (await hustings("rm", "--team", mill.name, "--older", "0s", "--yes")).code == 0
    assert await runs(client) == []
    assert error(await hustings("rm"))[1][1] == "nothing is named"
    assert error(await hustings("rm", "x", "--keep", "1"))[1][1] == "RUN, --older and --keep exclude each other"
    assert (await hustings("rm", "--older", "a while")).code == 2


async def test_a_run_under_way_is_cancelled_first(mill: Mill, client: Client, hustings: Hustings) -> None:
    """It goes on as if nobody had tried; without a coordinator --force removes it, and it is not begun again."""
    mill.grinding = anyio.Event()
    async with mill.working():
        run = await client.ask(Grain(pieces=1))
        await heard(client, run.id, Assigned, task="grinder-grind-0")
        code, said = error(await hustings("rm", run.id))
        assert (code, said[:2]) == (2, [f"run {run} is under way", "only runs that have ended are removed"])
        assert f"hustings cancel {run}" in said[2]
        assert error(await hustings("rm", run.id, "--force"))[1][0] == f"a coordinator of team {mill.name} is running"
        said_all = await hustings("rm", "--older", "0s", "--team", mill.name, "--yes")
        assert said_all.out.startswith("removed 0 runs")
        mill.grinding.set()
        assert (await run.wait()).status == "decided"
    left = await client.ask(Grain(pieces=1))
    assert error(await hustings("rm", left.id))[0] == 2
    assert (await hustings("rm", left.id, "--force")).code == 0
    async with mill.working():
        await ground(client)
    assert left.id not in [run for run, _ in mill.ground]


async def test_a_coordinator_keeps_as_many_runs_as_its_team_lays_down(
    mill: Mill, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside its runs: one under way is not disturbed, however many end meanwhile. A client may remove more."""
    for name, seconds in (("HOUSEKEEPING", 0.05), ("RETENTION_CHECK", 0.0), ("ENDED_KEPT", 0.0)):
        monkeypatch.setattr(f"hustings.protocols.timing.{name}", seconds)
    mill.team = replace(mill.team, max_runs=1)
    mill.grinding = anyio.Event()
    async with mill.working():
        slow = await client.ask(Grain(pieces=1))
        await mill.until(lambda: bool(mill.ground))
        others = [await client.ask(Grain(pieces=0)) for _ in range(4)]
        while len(await runs(client)) > 2:
            pass
        (last,) = {*await runs(client)} - {slow.id}
        assert last in {run.id for run in others}
        mill.grinding.set()
        assert (await slow.wait()).status == "decided"
        while await runs(client) != [slow.id]:
            pass
    removal = await client.remove(slow.id)
    assert ([*removal.runs], await runs(client)) == ([slow.id], [])


async def test_a_full_log_is_left_by_removing_old_runs_and_nothing_is_lost(
    broker: str, team: str, monkeypatch: pytest.MonkeyPatch, hustings: Hustings
) -> None:
    """A run fills the log until nothing fits in. A new goal is told the way out; after `hustings rm` the run goes on to
    its end, and each of its tasks was done once."""
    monkeypatch.setattr("hustings.bus.team.layout.SIZES", (200_000,))
    monkeypatch.setattr("hustings.protocols.timing.STORE_RETRY", 0.1)
    waits, hints, append = anyio.Event(), list[str](), Log.append

    async def appending(log: Log, run: str, events: Sequence[Decision], **how: Any) -> int:
        try:
            return await append(log, run, events, **how)
        except BusFull as error:
            hints.append(error.hint)
            waits.set()
            raise

    monkeypatch.setattr(Log, "append", appending)
    mill = Mill(broker, team)
    async with mill.working(), open_bus(broker, team, name="ann") as bus:
        client = Client(bus, "ann")
        old = [await ground(client, pieces=5, husk=12_000) for _ in range(2)]
        run = await client.ask(Grain(pieces=8, husk=9_000))
        await waits.wait()
        assert "hustings rm --older" in hints[0]
        with pytest.raises(BusFull, match="the log is nearly full") as full:
            await client.ask(Grain(pieces=1))
        assert "hustings rm --older" in full.value.hint
        said = await hustings("ps")
        assert re.fullmatch(
            rf"the log of team {team} is 9\d% full; `hustings rm --older 30d` removes old runs",
            next(line for line in said.lines if team in line),
        )
        (row,) = [row for row in (await hustings("doctor", "-o", "json")).json if row["check"] == "logs"]
        assert row["status"] == "warn"
        assert f"the log of team {team} is 9" in row["says"]
        said = await hustings("rm", "--older", "0s", "--team", team, "--yes", "-o", "json")
        assert [row["run"] for row in said.json["runs"]] == [*reversed(old)]
        report = await run.wait()
        assert report.status == "decided"
        events = [entry.event for entry in await entries(client, run.id)]
        assert sum(isinstance(event, Assigned) for event in events) == 9
        assert sum(isinstance(event, Result) for event in events) == 9
