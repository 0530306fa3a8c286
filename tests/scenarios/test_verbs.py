"""One team that is up, as its user sees it: run, ps, replay, down, outsiders, and any NATS client."""

import json
from pathlib import Path

import nats

from pydantic import JsonValue

from .processes import OUTSIDER, Place

KEYS = [
    "run", "team", "status", "because", "outcome", "verdicts", "missing", "spent", "state_hash", "events", "seconds"
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

        replayed = await place.call("replay", "@last", "-o", "json")
        assert (replayed.code, replayed.json["same"]) == (0, True)
        assert replayed.json["state_hash"] == said.json["state_hash"]

        rows = {row["id"]: row for row in (await place.call("ps", "-o", "json")).json}
        assert {row["state"] for row in rows.values()} == {"running"}
        assert {row["pid"] for row in rows.values()} == set(place.pids().values())

        async with elsewhere.moot("agent", "outsider:outsider") as agent:
            await agent.until('"ready"')
            said = await place.call("run", "court:team", "--text", "text", "-o", "json")
            assert said.code == 0
            claims = {(item["by"], item["about"]) for verdict in said.json["verdicts"] for item in verdict["stands"] if "about" in item}
            print(claims)
            assert ("outsider", "weather") in claims
            dissent = {each["by"] for verdict in said.json["verdicts"] for each in verdict["dissent"]}
            assert "outsider" in dissent
            await seen_by_any_client(place.url)
        assert agent.process.returncode == 0

        said = await place.call("down")
        assert said.code == 0
        ended = await up.end()
        assert ended.code == 0
    await place.all_gone()


async def seen_by_any_client(url: str) -> None:
    """The micro protocol, spoken by a client that knows nothing of moot."""
    client = await nats.connect(url)
    try:
        inbox = client.new_inbox()
        answers = await client.subscribe(inbox)
        for verb, kind in (("PING", "ping"), ("INFO", "info"), ("STATS", "stats")):
            await client.publish(f"$SRV.{verb}", reply=inbox)
            names = set()
            while len(names) < 6:
                answer: dict[str, JsonValue] = json.loads((await answers.next_msg(timeout=5)).data)
                assert answer["type"] == f"io.nats.micro.v1.{kind}_response"
                assert answer["metadata"]["team"] == "court"
                names.add(answer["name"])
            assert names == {"coordinator", "eager", "careful", "scribe", "prover", "outsider"}
        answer = json.loads((await client.request("$SRV.STATS.eager", timeout=5)).data)
        assert answer["endpoints"][0]["data"] == {"done": 2, "failed": 0, "in_hand": 0}
    finally:
        await client.close()
