"""What a team has on the server: made once, brought up to date, and never taken from somebody else."""

import pytest
from pydantic_core import from_json, to_json

from hustings.bus import Bus, open_bus
from hustings.protocols import BrokerUnfit, Subjects


async def config(bus: Bus, stream: str) -> dict[str, object]:
    answer = await bus.connection.request(f"$JS.API.STREAM.INFO.{stream}")
    found: dict[str, object] = from_json(answer.data)["config"]
    return found


async def test_the_log_of_an_earlier_version_takes_the_subjects_of_this_one(broker: str, team: str, bus: Bus) -> None:
    """Its other settings stay as they are, whoever made them."""
    subjects = Subjects(team)
    before = await config(bus, subjects.stream())
    assert before["subjects"] == [*subjects.stored()]
    older = {**before, "subjects": [subjects.log()], "max_msgs": 12_345}
    await bus.connection.request(f"$JS.API.STREAM.UPDATE.{subjects.stream()}", to_json(older))
    async with open_bus(broker, team, name="newer"):
        pass
    after = await config(bus, subjects.stream())
    assert after["subjects"] == [*subjects.stored()]
    assert after["max_msgs"] == 12_345


async def test_a_stream_of_somebody_else_is_refused_in_words(broker: str, team: str, bus: Bus) -> None:
    """It is not changed, and the error says what it takes and what can be done."""
    other = f"{team}-other"
    stream = {"name": Subjects(other).stream(), "subjects": [f"moot.{other}.run.>"], "allow_atomic": True}
    await bus.connection.request(f"$JS.API.STREAM.CREATE.{stream['name']}", to_json(stream))
    try:
        with pytest.raises(BrokerUnfit, match="is not a log of hustings") as refused:
            async with open_bus(broker, other, name="newer"):
                pass
        assert refused.value.why == f"it takes moot.{other}.run.>"
        assert "another name for the team" in refused.value.hint
        assert (await config(bus, str(stream["name"])))["subjects"] == stream["subjects"]
    finally:
        await bus.connection.request(f"$JS.API.STREAM.DELETE.{stream['name']}")
        await bus.connection.request(f"$JS.API.STREAM.DELETE.OBJ_{Subjects(other).bucket()}")
