"""What an operator does to a team that is up: parts elsewhere, logs, rolling restarts, more and fewer processes."""

import json
import os
import signal
import stat
from pathlib import Path

import anyio
import pytest

from .court import Case, Text
from .processes import PATIENCE, Place, following

pytestmark = pytest.mark.processes


@pytest.mark.long
async def test_a_part_that_somebody_else_starts(tmp_path: Path) -> None:
    """`up --skip` leaves it out and says what is up; `up --only` beside it starts it; one `down` ends both."""
    place = Place(tmp_path)
    async with place.hustings("up", "court:team", "--skip", "scribe,prover") as up:
        await up.until("team court is up: coordinator and 2 specialists")
        assert set(place.pids()) == {"coordinator", "eager", "careful"}
        async with place.hustings("up", "court:team", "--only", "scribe", "--only", "prover") as rest:
            await rest.until("team court is up: 2 specialists")
            assert set(place.pids()) == {"coordinator", "eager", "careful", "scribe", "prover"}
            said = await place.call("run", "court:team", "--text", "text", "-o", "json")
            assert (said.code, said.json["status"]) == (0, "decided")
            assert "starting" not in said.err
            assert (await place.call("restart", "scribe")).out == "restarted scribe\n"
            assert (await place.call("down")).code == 0
    await place.all_gone()
    assert not list(place.home.glob("up-*"))


@pytest.mark.long
async def test_a_second_up_is_refused_and_a_killed_one_leaves_nothing(tmp_path: Path) -> None:
    """One process runs a part of a team in a folder. It says that it is up when all are ready; ^C says what it stops,
    and which runs go on later. After a kill -9 the next one starts as if nothing had been."""
    place = Place(tmp_path)
    async with place.up() as up:
        before = place.pids()
        told = next(number for number, row in enumerate(up.rows) if "is up: " in row)
        assert {row.split()[1] for row in up.rows[:told] if " | ready " in row} == set(before)
        said = await place.call("up", "court:team")
        assert said.code == 2
        assert said.error[:2] == ["error: team court is up here already", f"  why: process {up.pid} runs it"]
        said = await place.call("dev", "court:team", "--skip", "coordinator,eager,careful,prover")
        assert said.error[:2] == ["error: scribe of team court runs here already", f"  why: process {up.pid} runs that"]
        assert place.pids() == before
        os.kill(up.pid, signal.SIGKILL)
        await up.end()
    async with (
        place.up() as up,
        place.hustings("run", "court:team", "--text", "text", "--hold", "scribe", "-o", "json") as run,
    ):
        name = (await run.until("run r")).split()[1]
        await run.until("settled")
        assert set(place.pids()) == set(before)
        os.kill(up.pid, signal.SIGINT)
        assert (await up.end()).code == 130
        assert f"stopping team court: 5 processes; {name} goes on when it is up again" in up.rows
        os.kill(run.pid, signal.SIGINT)
        assert (await run.end()).code == 130
        assert f"run {name} is cancelled, and ends as soon as a coordinator is up" in run.rows
    await place.all_gone()


async def test_a_rolling_restart_loses_nothing(tmp_path: Path) -> None:
    """The new process is there before the old one ends, which returns its task; the run is decided."""
    place = Place(tmp_path)
    (tmp_path / "gate").mkdir()
    async with place.up() as up, following(place) as (client, held), anyio.create_task_group() as group:
        (socket,) = place.home.glob("up-court.*.sock")
        assert stat.S_IMODE(socket.stat().st_mode) == 0o600
        text = await client.upload(tmp_path / "text", Text)
        run = await client.ask(Case(text=text, hold=("eager",), gate=str(tmp_path / "gate")))
        old = await held.at(run.id, "eager")

        async def restart() -> None:
            assert (await place.call("restart", "eager")).out == "restarted eager\n"

        group.start_soon(restart)
        await up.until("draining")
        assert [row for row in up.rows if "eager" in row and "ready" in row][1:], "the old one stopped first"
        (tmp_path / "gate" / "eager").touch()
        assert (await run.wait()).status == "decided"
        with anyio.fail_after(PATIENCE):
            while place.pids()["eager"] == old:  # noqa: ASYNC110 - a file of another process
                await anyio.sleep(0.05)
        said = await place.call("restart", "coordinator", "-o", "json")
        assert said.json == [{"process": "coordinator", "status": "restarted"}]
        said = await place.call("run", "court:team", "--text", "text", "-o", "json")
        assert said.json["status"] == "decided"
    await place.all_gone()


async def test_a_new_process_that_does_not_get_ready(tmp_path: Path) -> None:
    """The old one goes on and answers; the error is three lines, and the logs have the cause."""
    place = Place(tmp_path)
    async with place.up() as up:
        before = place.pids()
        whole = (tmp_path / "court.py").read_text()
        (tmp_path / "court.py").write_text(whole + "\nthis is no Python\n")
        said = await place.call("restart", "eager")
        assert said.code == 1
        assert said.error == [
            "error: the new process of eager did not get ready",
            "  why: the old process goes on",
            "  try: See `hustings logs eager`.",
        ]
        await up.until("SyntaxError")
        assert place.pids() == before
        (tmp_path / "court.py").write_text(whole)
        logged = await place.call("logs", "eager", "-o", "jsonl")
        rows = [json.loads(row) for row in logged.out.splitlines()]
        assert {row["process"] for row in rows} == {"eager"}
        assert any("SyntaxError" in row["line"] for row in rows)
        said = await place.call("run", "court:team", "--text", "text", "-o", "json")
        assert said.json["status"] == "decided"
    await place.all_gone()


@pytest.mark.long
async def test_more_and_fewer_processes_of_a_part(tmp_path: Path) -> None:
    """`scale` starts and stops processes by their number, with the log level of the team; the log of each can be
    followed while it grows."""
    place = Place(tmp_path)
    async with place.up("court:team", "-vv"), place.hustings("logs", "eager", "-f") as following_logs:
        said = await place.call("scale", "eager=3")
        assert (said.code, said.out) == (0, "started eager.2\nstarted eager.3\n")
        assert {"eager", "eager.2", "eager.3"} < set(place.pids())
        for pid in place.pids().values():
            environment = anyio.Path(f"/proc/{pid}/environ")
            if os.geteuid() == 0:
                assert b"\0HUSTINGS_LOG=debug\0" in await environment.read_bytes()
            else:  # nobody but root may look into it
                with pytest.raises(PermissionError):
                    await environment.read_bytes()
        assert (await place.call("restart", "eager.3")).out == "restarted eager.3\n"
        said = await place.call("scale", "eager=1")
        assert (said.code, said.out) == (0, "stopped eager.3\nstopped eager.2\n")
        assert {name for name in place.pids() if name.startswith("eager")} == {"eager"}
        assert (await place.call("scale", "eager=1")).out == "eager=1 already\n"
        with anyio.fail_after(PATIENCE):
            while b"eager.2 | draining" not in following_logs.said:  # noqa: ASYNC110 - stdout has no event
                await anyio.sleep(0.05)
        os.kill(following_logs.pid, 2)
        assert (await following_logs.end()).code == 130
        assert b"careful" not in following_logs.said
    await place.all_gone()


WRONG = [
    (["restart", "nobody"], "there is no process nobody"),
    (["scale", "nobody=2"], "team court has no specialist nobody"),
    (["scale", "eager"], "'eager' is not a number of replicas"),
    (["scale", "coordinator=0"], "a team cannot do without a coordinator"),
    (["logs", "nobody"], "there is no log of nobody"),
    (["up", "court:team", "--skip", "nobody"], "team court has no specialist nobody"),
    (["up", "court:team", "--only", "eager", "--skip", "eager"], "nothing is left to start"),
]


async def test_what_is_wrong_is_said_in_lines(tmp_path: Path) -> None:
    """With exit code 2 and without a traceback; what runs goes on."""
    place = Place(tmp_path)
    async with place.up():
        before = place.pids()
        for args, what in WRONG:
            said = await place.call(*args)
            assert (said.code, said.error[:1]) == (2, [f"error: {what}"]), said
            assert "Traceback" not in said.err
        assert place.pids() == before
    await place.all_gone()


@pytest.mark.parametrize("args", [["restart", "eager"], ["scale", "eager=2"], ["logs"]], ids=" ".join)
async def test_where_nothing_is_up(tmp_path: Path, args: list[str]) -> None:
    said = await Place(tmp_path).call(*args)
    assert (said.code, said.out) == (2, "")
    assert said.error[0].startswith(("error: no `hustings up` runs from", "error: there are no logs in"))
