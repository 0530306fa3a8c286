"""`hustings backup`, `restore` and `move`, of a folder whose team has worked, to another broker."""

import os
from pathlib import Path

import anyio
import pytest

from hustings.agents import Client
from hustings.bus import Bus, embedded, open_bus

from .conftest import Finished, Hustings
from .mill import Assigned, Grain, Mill, entries, heard

pytestmark = pytest.mark.processes


@pytest.fixture(autouse=True)
def _nobody_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hustings.protocols.timing.ROLL_CALL", 0.3)


@pytest.fixture
def home(hustings: Hustings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an embedded broker, for the command line too."""
    del hustings  # which clears the environment first
    monkeypatch.setattr("hustings.protocols.timing.WORKER_GRACE", 0.1)
    monkeypatch.setenv("HUSTINGS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HUSTINGS_DURABILITY", "process")
    return tmp_path / "home"


@pytest.fixture
async def worked(home: Path, team: str) -> tuple[str, str]:
    """The ids of two runs that this folder's broker has stored: one has ended, one is in the midst of it."""
    async with embedded(home, durability="process") as url, open_bus(url, team, name="ann") as bus:
        mill, client = Mill(url, team), Client(bus, "ann")
        async with mill.working():
            ended = await client.ask(Grain(pieces=2, husk=20_000))
            await ended.wait()
            mill.grinding = anyio.Event()
            left = await client.ask(Grain(pieces=2, husk=20_000))
            await heard(client, left.id, Assigned, task="grinder-grind-1")
    return ended.id, left.id


def error(said: Finished) -> tuple[object, list[str]]:
    return said.code, [line.split(": ", 1)[1] for line in said.lines[-3:]]


async def test_move_brings_all_to_another_broker_where_it_goes_on(
    worked: tuple[str, str], home: Path, hustings: Hustings, broker: str, team: str, bus: Bus
) -> None:
    """One command, to the broker of --url. The run that was under way is done there, and not here as well."""
    ended, left = worked
    said = await hustings("move", "-o", "json")
    assert said.code == 0, said.err
    assert list(said.json) == ["time", "digest", "streams"]
    assert [(row["team"], row["stream"]) for row in said.json["streams"]] == [
        (team, f"LOG_{team}"), (team, f"OBJ_BLOBS_{team}")
    ]  # fmt: skip
    client, mill = Client(bus, "ann"), Mill(broker, team)
    assert [head.run for head in await client.runs()] == [left, ended]
    assert all(entry.envelope for entry in await entries(client, ended))
    async with mill.working():
        assert (await client.run(left).wait()).status == "decided"
    assert sorted(mill.ground) == [(left, 0), (left, 1)]
    assert [name.startswith("store.moved-") for name in os.listdir(home) if "store" in name] == [True]
    assert error(await hustings("move"))[1][0] == f"there is nothing to move in {home}"


async def test_move_says_what_is_in_its_way(
    worked: tuple[str, str], home: Path, hustings: Hustings, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broker in use here; another run of the team there; no address. Nothing is moved, and the store stays."""
    async with embedded(home, durability="process"):
        assert error(await hustings("move"))[1][0] == f"a broker runs in {home}"
    async with Mill(bus.url, bus.team).working():
        assert error(await hustings("move"))[1][0] == f"team {bus.team} is running on this broker"
    await Client(bus, "ann").ask(Grain(pieces=1))
    assert error(await hustings("move"))[1][0] == f"team {bus.team} has something else on this broker"
    monkeypatch.delenv("HUSTINGS_URL")
    assert error(await hustings("move")) == (
        2,
        ["it is not said where to move to", "neither --url nor HUSTINGS_URL names a broker",
         "hustings move --url nats://HOST:4222"],
    )  # fmt: skip
    assert sorted(row["run"] for row in (await hustings("runs", "-o", "json")).json) == sorted(worked)


async def test_a_backup_is_written_and_restored_by_name(
    worked: tuple[str, str], tmp_path: Path, hustings: Hustings, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The digest that the one prints is what the other takes."""
    monkeypatch.setenv("HUSTINGS_URL", "")
    file = tmp_path / "monday.backup"
    said = await hustings("backup", str(file))
    assert said.code == 0
    heads, log, blobs, made, digest = said.out.splitlines()
    assert heads.split() == ["TEAM", "STREAM", "MESSAGES", "BYTES", "CONTENT"]
    assert log.split()[:2] == [bus.team, f"LOG_{bus.team}"]
    assert blobs.split()[:2] == [bus.team, f"OBJ_BLOBS_{bus.team}"]
    assert " messages, made 2" in made
    assert digest.startswith("digest sha256:")
    assert file.stat().st_mode & 0o777 == 0o600
    assert error(await hustings("backup", str(file)))[1][0] == f"{file} exists already"
    there = ("--url", bus.url)
    assert error(await hustings("restore", str(file), "--digest", "sha256:0", *there))[1][0] == (
        "this is not the backup that is meant"
    )
    assert error(await hustings("restore", str(tmp_path / "none"), *there))[1][0] == (
        f"{tmp_path / 'none'} cannot be read"
    )
    said = await hustings("restore", str(file), "--digest", digest.split()[1], *there)
    assert (said.code, said.out.splitlines()[-1]) == (0, digest)
    assert sorted(head.run for head in await bus.log.runs()) == sorted(worked)
