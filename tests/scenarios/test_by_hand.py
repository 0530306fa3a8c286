"""A nats-server that somebody started by hand, and everybody in a folder of their own."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from .processes import OUTSIDER, Place, nats_server

pytestmark = pytest.mark.processes

Within = Callable[[float], AbstractContextManager[None]]

USERS = 'authorization { users: [{ user: "hustings", password: "open-sesame" }] }'


@pytest.mark.parametrize(("config", "user"), [("", ""), (USERS, "hustings:open-sesame@")], ids=["open", "guarded"])
async def test_up_agent_and_run_from_separate_folders(tmp_path: Path, config: str, user: str) -> None:
    place = Place(tmp_path)
    for name in ("one", "two", "three"):
        place.another(name)
    (tmp_path / "two" / "outsider.py").write_text(OUTSIDER)
    (tmp_path / "two" / "critic.py").write_text(OUTSIDER.replace("outsider", "critic"))
    one, two, three = (place.another(name) for name in ("one", "two", "three"))
    async with nats_server(tmp_path / "nats", f'jetstream {{ store_dir: "{tmp_path}/nats" }}\n{config}') as (
        address,
        _,
    ):
        url = f"nats://{user}{address}"
        both = ["outsider:outsider", "critic:critic"]  # in one process
        async with one.up("court:team", "--url", url) as up, two.hustings("agent", *both, "--url", url) as agent:
            await agent.until('["know"], "event": "ready"')
            await agent.until('"agent": "critic"')
            said = await three.call("run", "court:team", "--text", "text", "-o", "json", "--url", url)
            assert (said.code, said.json["status"]) == (0, "decided")
            weather = next(verdict for verdict in said.json["verdicts"] if verdict["about"] == "weather")
            assert {item["by"] for item in weather["stands"]} == {"outsider", "critic"}
            assert "starting" not in said.err
            assert "open-sesame" not in said.err + "".join(up.rows) + "".join(agent.rows)
    await place.all_gone()
    assert not any(each.store.exists() for each in (one, two, three))  # no broker of their own


@pytest.mark.timing
async def test_a_broker_that_stops_in_mid_run(tmp_path: Path, within: Within) -> None:
    """The run is given up from here within ten seconds, with code 6, and nothing is left running."""
    place = Place(tmp_path)
    async with nats_server(tmp_path / "nats", f'jetstream {{ store_dir: "{tmp_path}/nats" }}') as (address, server):
        command = ["run", "court:team", "--text", "text", "--hold", "scribe", "--url", f"nats://{address}"]
        async with place.hustings(*command) as run:
            await run.until("settled")
            with within(10):
                server.kill()
                said = await run.end()
            assert said.code == 6
            assert [line.partition(":")[0] for line in said.error] == ["error", "  why", "  try"], said
    await place.all_gone()
