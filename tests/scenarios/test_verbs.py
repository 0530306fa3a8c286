"""One team that is up, as its user sees it: run, ps, replay, down, outsiders, and any NATS client."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nats
import pytest

from .processes import OUTSIDER, Place

pytestmark = pytest.mark.processes

KEYS = [
    "run", "team", "status", "because", "outcome", "verdicts", "missing", "dead", "failed", "due", "spent", "models",
    "state_hash", "events", "seconds",
]  # fmt: skip


async def test_a_team_that_is_up_and_who_joins_it(tmp_path: Path) -> None:
    """ps lists it, run prints data on stdout and the rest on stderr, an outsider joins the next run from anywhere, any
    NATS client sees it, and down ends it."""
    place = Place(tmp_path)
    elsewhere = place.another("elsewhere")
    (elsewhere.folder / "court.py").unlink()
    (elsewhere.folder / "outsider.py").write_text(OUTSIDER)
    assert len(OUTSIDER.strip().splitlines()) <= 15

    async with place.up() as up:
        said = await place.call("run", "court:team", "--text", "text", "-o", "json")
        assert list(said.json) == KEYS
        assert (said.code, said.json["status"], said.json["missing"]) == (0, "decided", [])
        folder = place.home / "runs" / said.json["run"]
        assert json.loads((folder / "report.json").read_text()) == said.json
        assert "starting" not in said.err
        assert said.err.splitlines()[-1].endswith("concluded: decided — everything was settled")
        assert "\x1b" not in said.err

        told = await place.call("run", "court:team", "--text", "text")
        assert told.code == 0
        assert "settled scribe-draft.verdicts: 1 by rule: evident, 1 by verified" in told.err
        words = [line.split()[0] for line in told.out.splitlines()]
        assert (words[:2], words[-2:]) == (["CONFLICTS", "C-1"], ["next", "files"])
        assert "\x1b" not in told.err + told.out

        replayed = await place.call("replay", "@last", "-o", "json")
        assert (replayed.code, replayed.json["same"]) == (0, True)
        shown = await place.call("show", "@last", "-o", "json")
        assert replayed.json["state_hash"] == shown.json["state_hash"]
        assert list(shown.json) == KEYS

        rows = {row["process"]: row for row in (await place.call("ps", "-o", "json")).json}
        assert {row["status"] for row in rows.values()} == {"running"}
        assert {row["pid"] for row in rows.values()} == set(place.pids().values())

        said = await elsewhere.call("agent", "outsider:outsider")
        assert (said.code, said.error[0]) == (2, "error: the team is not clear")
        assert said.error[1].endswith(f"other folders: court in {tmp_path}")
        assert said.error[2] == "  try: Name it with --team."
        assert not elsewhere.home.exists()
        async with elsewhere.hustings("agent", "outsider:outsider", "--team", "court") as agent:
            await agent.until(f"joins team court: --team names it, and you have it up in {tmp_path}")
            await agent.until('"ready"')
            said = await place.call("run", "court:team", "--text", "text", "-o", "json")
            assert said.code == 0
            verdicts = {verdict["about"]: verdict for verdict in said.json["verdicts"]}
            assert [item["by"] for item in verdicts["weather"]["stands"]] == ["outsider"]
            assert "outsider" in [dissent["by"] for dissent in verdicts["lines"]["dissent"]]
            await seen_by_any_client(place.url)
        assert agent.process.returncode == 0

        said = await place.call("down")
        assert said.code == 0
        ended = await up.end()
        assert ended.code == 0
    await place.all_gone()


async def test_the_flags_are_the_fields_of_the_goal(tmp_path: Path) -> None:
    """`hustings run TARGET --help` lists them."""
    place = Place(tmp_path)
    said = await place.call("run", "court:team", "--help")
    assert (said.code, said.err) == (0, "")
    for words in (
        "Improve a text.",
        "--text TEXT A path; its content is packed and uploaded. [required]",
        "--hold",
        "--gate",
    ):
        assert words in " ".join(said.out.split())
    said = await place.call("run", "-h")
    assert (said.code, said.err) == (0, "")
    for word in ("MODULE:TEAM", "--execution-timeout", "--url"):
        assert word in said.out


@pytest.mark.timing
@pytest.mark.parametrize("module", ["hustings.examples.hello", "hustings.examples.review_board"])
def test_a_specialists_process_is_light(module: str, unit: Callable[[], float]) -> None:
    """What `hustings agent` imports takes less than 0.6 s of CPU where the unit takes 20 ms, and nothing that only
    others need is among it."""
    code = (
        "import resource, sys\n"
        f"import hustings.agents.cli.verbs.agent, {module}\n"
        "used = resource.getrusage(resource.RUSAGE_SELF)\n"
        "print(used.ru_utime + used.ru_stime, *sys.modules)"
    )
    seconds, modules = [], set()
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        first, *names = done.stdout.split()
        seconds.append(float(first) / unit())
        modules.update(names)
    assert modules.isdisjoint({"anthropic", "rich", "starlette"})
    assert min(seconds) < 30, seconds


async def seen_by_any_client(url: str) -> None:
    """The micro protocol, spoken by a client that knows nothing of hustings."""
    client = await nats.connect(url)
    try:
        work_queue = client.new_inbox()
        answers = await client.subscribe(work_queue)
        for verb, kind in (("PING", "ping"), ("INFO", "info"), ("STATS", "stats")):
            await client.publish(f"$SRV.{verb}", reply=work_queue)
            names: set[str] = set()
            while len(names) < 6:
                answer = json.loads((await answers.next_msg(timeout=300)).data)
                assert answer["type"] == f"io.nats.micro.v1.{kind}_response"
                assert answer["metadata"]["team"] == "court"
                names.add(answer["name"])
            assert names == {"coordinator", "eager", "careful", "scribe", "prover", "outsider"}
        answer = json.loads((await client.request("$SRV.STATS.eager", timeout=300)).data)
        assert answer["endpoints"][0]["data"] == {"done": 3, "failed": 0, "dropped": 0, "in_hand": 0, "abandoned": 0}
    finally:
        await client.close()


async def test_what_came_out_is_applied_only_to_what_was_read(tmp_path: Path) -> None:
    """--apply writes the outcome to the goal's file; if somebody changed that meanwhile, nothing is written: code 2."""
    place = Place(tmp_path)
    text = tmp_path / "text"
    before = text.read_text()
    said = await place.call("run", "court:team", "--text", "text", "--apply")
    assert (said.code, "wrote text" in said.err) == (0, True), said
    assert text.read_text() != before
    async with place.hustings("run", "court:team", "--text", "text", "--apply", "--hold", "scribe") as run:
        await run.until("settled")
        text.write_text("somebody else was here\n")
        (tmp_path / "scribe").touch()
        said = await run.end()
    assert said.code == 2
    assert said.error[0] == "error: text has changed since the run began"
    assert text.read_text() == "somebody else was here\n"
