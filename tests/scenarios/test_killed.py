"""kill -9, in mid-run, of every process there is: the run ends, and comes to what an undisturbed one comes to."""

import json
import os
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import anyio
import pytest

from hustings.agents import Client, RunReport
from hustings.protocols import Proposal

from . import court
from .processes import Place, following

pytestmark = pytest.mark.processes

Within = Callable[[float], AbstractContextManager[None]]

Settled = set[tuple[str, str, str, tuple[str, ...], tuple[str, ...]]]


def settled(report: RunReport) -> Settled:
    """What was settled, but for what no two runs have in common."""
    return {
        (
            verdict.kind,
            verdict.about,
            verdict.rule,
            tuple(sorted(_content(item) for item in verdict.stands)),
            verdict.falls,
        )
        for verdict in report.verdicts
    }


def _content(item: object) -> str:
    return f"{item.by}: {[edit.text for edit in item.edits]}" if isinstance(item, Proposal) else str(item)


async def case(client: Client, place: Place, *hold: str) -> str:
    """Ask for a run in which these agents wait at their gates."""
    text = await client.upload(place.folder / "text", court.Text)
    return (await client.ask(court.Case(text=text, hold=hold, gate=str(place.folder)))).id


def open_gates(place: Place, *names: str) -> None:
    for name in names:
        (place.folder / name).touch()


async def test_whoever_is_killed_in_mid_run_the_run_comes_to_the_same(tmp_path: Path) -> None:
    """Each kind of specialist, the coordinator and the broker; and when `hustings up` itself is killed, all ends."""
    place = Place(tmp_path)
    async with place.up() as up:
        async with following(place) as (client, held):
            with anyio.fail_after(300):
                undisturbed = await client.run(await case(client, place)).wait()
                assert undisturbed.status == "decided"
                assert undisturbed.outcome["draft"] == {"text": "Alpha\nBETA\nfatal\n"}

                # the specialists, each in a run of its own
                names = ("eager", "scribe", "prover")
                runs = {name: await case(client, place, name) for name in names}
                pids = {name: await held.at(run, name) for name, run in runs.items()}
                for pid in pids.values():
                    os.kill(pid, signal.SIGKILL)
                open_gates(place, *names)
                for name, run in runs.items():
                    report = await client.run(run).wait()
                    assert (report.status, settled(report)) == ("decided", settled(undisturbed)), name
                    assert place.pids()[name] != pids[name]

                # the coordinator
                run = await case(client, place, "careful")
                await held.at(run, "careful")
                os.kill(place.pids()["coordinator"], signal.SIGKILL)
                open_gates(place, "careful")
                report = await client.run(run).wait()
                assert (report.status, settled(report)) == ("decided", settled(undisturbed))

                # the broker, which comes back where it was
                (place.folder / "prover").unlink()
                run, url, pids = await case(client, place, "prover"), place.url, place.pids()
                await held.at(run, "prover")
                broker = json.loads((place.home / "broker.json").read_text())["pid"]
                os.kill(broker, signal.SIGKILL)
                await client.bus.connection.lost(0)
                open_gates(place, "prover")
                report = await client.run(run).wait()
                assert (report.status, settled(report)) == ("decided", settled(undisturbed))
                assert (place.url, place.pids()) == (url, pids)

        # and all of it
        os.kill(up.pid, signal.SIGKILL)
        await place.all_gone()


DOOMED = """
import os, signal, sys
if sys.argv[-4:-2] == ["--only", os.environ["DOOMED"]]:
    os.kill(os.getpid(), signal.SIGKILL)
from court import team
"""


@pytest.mark.long
@pytest.mark.timing
async def test_whoever_is_killed_at_every_start_is_missed(tmp_path: Path, within: Within) -> None:
    """The report names it, within 30 s: without a witness it is partial, without scribe or prover the run failed."""
    place = Place(tmp_path)
    with within(30):
        await _without_each(place)
    await place.all_gone()


async def _without_each(place: Place) -> None:
    async with anyio.create_task_group() as group:
        for dead, status, code in (("careful", "partial", 7), ("scribe", "failed", 1), ("prover", "failed", 1)):
            group.start_soon(_run_without, place.another(dead), dead, status, code)


async def _run_without(place: Place, dead: str, status: str, code: int) -> None:
    (place.folder / "doomed.py").write_text(DOOMED)
    said = await place.call("run", "doomed:team", "--text", "text", "-o", "json", DOOMED=dead)
    assert (said.code, said.json["status"], said.json["missing"]) == (code, status, [dead])
    assert dead in said.json["because"]
