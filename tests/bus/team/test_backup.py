"""A backup holds all that a team has, and a broker that is restored from it has the same; on a real broker."""

import os
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import anyio
import pytest

from hustings.bus import BackupFailed, Bus, Manifest, back_up, background, open_bus, restore_backup
from hustings.bus.team import backup
from hustings.protocols import Entry, NotFound, StaleWriter, Unreadable, UsageError

from ..said import acquired, assigned, concluded, entries, goal, result

BIG = 20_000  # bytes: a value of this size lies in the object store


@pytest.fixture(autouse=True)
def _nobody_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hustings.protocols.timing.ROLL_CALL", 0.2)


async def record(bus: Bus, run: str, text: str = "x" * BIG) -> int:
    """A run under way, with one task that is answered and one that is not; its last sequence."""
    await bus.log.ask(run, goal(), client="me")
    tasks = [assigned("t1", text=text), assigned("t2", text=f"{run} {text}")]
    seq = await bus.log.append(run, [acquired(), *tasks], after=0, source="one")
    await bus.log.complete(run, result("t1"), source="clerk-1")
    return seq


async def everything(bus: Bus) -> list[Entry]:
    return [entry for head in await bus.log.runs() for entry in await entries(bus, head.run)]


async def forget(bus: Bus) -> None:
    """The broker has nothing of the team any more."""
    for stream in (f"LOG_{bus.team}", f"OBJ_BLOBS_{bus.team}"):
        await bus.connection.request(f"$JS.API.STREAM.DELETE.{stream}")


async def stored(bus: Bus, file: Path) -> Manifest:
    return await back_up(bus.connection, [bus.team], file)


async def restored(bus: Bus, file: Path, digest: str = "") -> Manifest:
    return await restore_backup(bus.connection, file, digest=digest)


async def test_what_is_restored_is_what_was_there(bus: Bus, tmp_path: Path) -> None:
    """Each message with its sequence, time and bytes, the blobs, and how far the work queues are. Runs go on from
    there: the fence holds as before."""
    await record(bus, "r1")
    await bus.log.ask("r2", goal(text="y" * 600_000), client="me")
    await bus.log.append("r2", [acquired(), concluded()], after=0, source="one")
    await record(bus, "r3")
    async with bus.work_queue("clerk") as tasks:
        done = await anext(tasks)
        assert (done.run, done.entry.seq) == ("r1", 4)
        await done.ack()
    await bus.log.delete("r2")
    before, log = await everything(bus), [await bus.log.at(seq) for seq in range(1, 14)]
    made = await stored(bus, tmp_path / "b")
    await forget(bus)
    assert await restored(bus, tmp_path / "b", made.digest) == made
    async with open_bus(bus.url, bus.team, name="anew") as anew:  # it has no value in memory
        assert await everything(anew) == before
        assert [await anew.log.at(seq) for seq in range(1, 14)] == log
        async with anew.work_queue("clerk", max_concurrent_tasks=5) as tasks:
            left = await anext(tasks)
            assert (left.run, left.entry.seq) == ("r3", 12)
        with pytest.raises(StaleWriter):
            await anew.log.append("r1", [concluded()], after=2, source="two")
        assert await anew.log.append("r1", [concluded()], after=4, source="two") == 14


async def test_a_backup_of_a_team_at_work_has_whole_runs_up_to_some_moment(bus: Bus, tmp_path: Path) -> None:
    """All that was confirmed before; no entry without those before it, and none whose blob is missing."""
    confirmed, enough = 0, anyio.Event()

    async def work() -> None:
        nonlocal confirmed
        while True:
            await record(bus, f"r{confirmed}", f"{confirmed} " + "z" * BIG)
            confirmed += 1
            if confirmed == 20:
                enough.set()

    async with background(work):
        await enough.wait()
        least = confirmed
        made = await stored(bus, tmp_path / "b")
    everything_said = {entry.seq: entry for entry in await everything(bus)}
    await forget(bus)
    await restored(bus, tmp_path / "b")
    async with open_bus(bus.url, bus.team, name="anew") as anew:  # it has no value in memory
        back = {entry.seq: entry for entry in await everything(anew)}
    assert len(await bus.log.runs()) >= least
    assert [*sorted(back)] == [*range(1, len(back) + 1)]
    assert back == {seq: everything_said[seq] for seq in back}
    assert all(entry.envelope for entry in back.values())
    assert made.teams[bus.team][0].messages <= len(back)


async def test_an_interrupted_backup_leaves_nothing(bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither under the name that it was to have, nor under another."""
    await record(bus, "r1")
    with anyio.CancelScope() as scope:

        async def cancelled(*args: object) -> None:
            assert len(os.listdir(tmp_path)) == 1
            scope.cancel()
            await anyio.sleep_forever()

        monkeypatch.setattr(backup, "_content", cancelled)
        await stored(bus, tmp_path / "b")
    assert scope.cancelled_caught
    assert os.listdir(tmp_path) == []


async def test_a_backup_is_not_overwritten(bus: Bus, tmp_path: Path) -> None:
    await record(bus, "r1")
    (tmp_path / "b").write_text("another")
    with pytest.raises(UsageError, match="exists already"):
        await stored(bus, tmp_path / "b")
    assert (tmp_path / "b").read_text() == "another"
    with pytest.raises(UsageError, match="cannot be written"):
        await stored(bus, tmp_path / "none" / "b")


def tampered(whole: Path, to: Path) -> Iterator[str]:
    """The backup in `to`, each time with something else wrong with it."""
    data = whole.read_bytes()
    for place in range(100, len(data), len(data) // 12):
        to.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        yield f"a bit of byte {place}"
    for size in (0, 100, len(data) // 2, len(data) - 1):
        to.write_bytes(data[:size])
        yield f"only {size} bytes"
    with ZipFile(whole) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    for name in files:
        with ZipFile(to, "w") as archive:
            for each, content in files.items():
                if each != name:
                    archive.writestr(each, content)
        yield f"without {name}"
        with ZipFile(to, "w") as archive:
            for each, content in files.items():
                archive.writestr(each, content.replace(b"1", b"2") if each == name else content)
        yield f"{name} changed, with fitting checksums of the zip file"


async def test_a_changed_backup_is_refused_before_anything_is_restored(bus: Bus, tmp_path: Path) -> None:
    await record(bus, "r1")
    made = await stored(bus, tmp_path / "b")
    await forget(bus)
    for change in tampered(tmp_path / "b", tmp_path / "t"):
        try:
            await restored(bus, tmp_path / "t", made.digest)
            accepted = True
        except Unreadable:
            accepted = False
        info = await bus.connection.request(f"$JS.API.STREAM.INFO.LOG_{bus.team}")
        assert (accepted, b"stream not found" in info.data) == (False, True), change
    await restored(bus, tmp_path / "b", made.digest)


async def test_without_its_digest_only_a_whole_manifest_is_believed(bus: Bus, tmp_path: Path) -> None:
    """Who forges the manifest too is found out by the digest that was noted down, and by nothing else."""
    await record(bus, "r1")
    made = await stored(bus, tmp_path / "b")
    await record(bus, "r2")
    other = await stored(bus, tmp_path / "c")
    with pytest.raises(Unreadable, match="not the backup that is meant"):
        await restored(bus, tmp_path / "c", made.digest)
    assert await restored(bus, tmp_path / "c") == other


async def test_a_team_that_has_something_else_is_left_alone(bus: Bus, tmp_path: Path) -> None:
    """What is the same is left as it is, so that a restore may be repeated; an empty log is replaced."""
    await record(bus, "r1")
    await stored(bus, tmp_path / "b")
    before = await everything(bus)
    await restored(bus, tmp_path / "b")
    assert await everything(bus) == before
    await record(bus, "r2")
    with pytest.raises(UsageError, match="has something else on this broker"):
        await restored(bus, tmp_path / "b")
    assert {head.run for head in await bus.log.runs()} == {"r1", "r2"}
    await bus.log.delete("r1")
    await bus.log.delete("r2")
    await restored(bus, tmp_path / "b")
    assert await everything(bus) == before


async def test_only_some_teams_are_restored(bus: Bus, tmp_path: Path) -> None:
    await record(bus, "r1")
    await stored(bus, tmp_path / "b")
    with pytest.raises(NotFound, match="the backup has no team other"):
        await restore_backup(bus.connection, tmp_path / "b", ["other"])


async def test_a_removal_during_a_backup_has_it_begin_again(
    bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that no run of the log lacks its blobs; if that goes on and on, it is told, and no file is left."""
    runs = [f"r{number}" for number in range(1, 9)]
    for run in runs:
        await record(bus, run)
    counting, left = backup._content, ["r1"]

    async def removing(*args: object) -> tuple[int, str]:
        found = await counting(*args)  # type: ignore[arg-type]
        if left:
            await bus.log.delete(left.pop())
        return found

    monkeypatch.setattr(backup, "_content", removing)
    await stored(bus, tmp_path / "b")
    left += runs[1:]
    with pytest.raises(BackupFailed, match="removed each time"):
        await stored(bus, tmp_path / "c")
    monkeypatch.undo()
    await forget(bus)
    await restored(bus, tmp_path / "b")
    assert {head.run for head in await bus.log.runs()} == {*runs[1:]}
    assert not (tmp_path / "c").exists()


async def test_what_a_broker_has_otherwise_than_the_backup_is_not_left_there(
    bus: Bus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comparison after a restore can fail, and then nothing of it stays."""
    await record(bus, "r1")
    await stored(bus, tmp_path / "b")
    await forget(bus)

    async def other(*args: object) -> tuple[int, str]:
        return 1, "another"

    monkeypatch.setattr(backup, "_content", other)
    with pytest.raises(BackupFailed, match="was not restored"):
        await restored(bus, tmp_path / "b")
    for stream in (f"LOG_{bus.team}", f"OBJ_BLOBS_{bus.team}"):
        assert b"stream not found" in (await bus.connection.request(f"$JS.API.STREAM.INFO.{stream}")).data
