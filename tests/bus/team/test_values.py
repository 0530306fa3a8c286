"""Promises of the large values in events: each lies once in the object store, and readers do not notice."""

import json

from hustings.bus import Bus, open_bus
from hustings.protocols import Assigned, Result, Subjects, open_envelope
from hustings.protocols.envelope import seal

from ..said import assign, assigned, entries, result

DRAFT = "x" * 100_000


async def weight(bus: Bus) -> int:
    """The bytes of the stream of the log and of the object store together."""
    streams = (f"LOG_{bus.team}", f"OBJ_BLOBS_{bus.team}")
    infos = [json.loads((await bus.connection.request(f"$JS.API.STREAM.INFO.{name}")).data) for name in streams]
    return sum(int(info["state"]["bytes"]) for info in infos)


async def test_what_is_said_again_and_again_is_stored_once(bus: Bus, broker: str) -> None:
    """A result, and ten tasks that get it: one copy; whoever reads sees all of it, in its place."""
    said = result(output=DRAFT)
    tasks = [assigned(f"t{n}", first="a", draft=DRAFT, last="z") for n in range(10)]
    await bus.log.complete("r", said, source="clerk")
    await assign(bus, "r", *tasks)
    assert await weight(bus) < 2 * len(DRAFT)
    async with open_bus(broker, bus.team, name="reader") as other:
        found = [entry.event for entry in await entries(other, "r")]
    assert found == [said, *tasks]
    assert all([*event.input] == ["first", "draft", "last"] for event in found if isinstance(event, Assigned))


async def test_small_values_stay_in_their_event(bus: Bus) -> None:
    """What is small is read with its message."""
    await assign(bus, "r", assigned(draft="x" * 10_000))
    (entry,) = await entries(bus, "r")
    kept = await bus.log.at(entry.seq)
    assert kept
    assert open_envelope(kept.data).data == entry.event


async def test_a_value_that_is_gone_or_of_no_use_makes_the_entry_unreadable(bus: Bus, broker: str) -> None:
    """No such object, bytes that are no JSON, or a field that is none of the values: the entry says why."""
    said: list[tuple[dict[str, str], str]] = [
        ({"output": "sha256:none"}, "no blob"),
        ({"output": (await bus.blobs.put(b"not json")).digest}, "JSON"),
        ({"task": (await bus.blobs.put(b'"other"')).digest}, "'task'"),
    ]
    for number, (stored, _) in enumerate(said):
        event = Result(task="t", attempt=number, agent="eve", output=None, stored=stored)
        subject = Subjects(bus.team).result("r", "eve", "t", number)
        await bus.connection.request(subject, seal(event, source="eve", run="r").encode())
    found = await entries(bus, "r")
    assert [entry.event for entry in found] == [None] * len(said)
    assert all(why in entry.why for entry, (_, why) in zip(found, said, strict=True))
