"""Model calls: the log has what a model was asked, each word once, and gives it back as it was sent."""

from itertools import pairwise

from hustings.agents.history.model_calls import ModelCall, filled, model_calls
from hustings.agents.models import tool
from hustings.bus import Bus
from hustings.bus.client.jetstream import stream_info
from hustings.protocols import Called, Entry, Message, ModelFailure, Record

from ..models.speakers import Speaker, context, wants

LONG = "All that is known about it. " * 100


class Word(Message):
    word: str


def look(at: str) -> str:
    """Look at something."""
    return f"{at} is green, and " + "so on " * 50


async def loop(bus: Bus, turns: int, task: str, record: Record = "full") -> Speaker:
    """A conversation in which a model calls a tool, and once more until there are so many turns."""
    lines = [wants("look", id=f"c{n}", at=f"{n}") for n in range(turns - 1)]
    speaker = Speaker(*lines, "done")
    ours = context(bus, speaker, task=task, record=record)
    await ours.model(str, instructions="Look.", material=LONG, tools=[tool(look)], max_turns=turns)
    assert len(speaker.requests) == turns
    return speaker


async def calls(bus: Bus) -> tuple[ModelCall, ...]:
    return model_calls(await filled(bus, [entry async for entry in bus.log.read("r")]))


async def size(bus: Bus) -> int:
    """The bytes of the log and of the object store."""
    infos = [await stream_info(bus.connection, name) for name in (f"LOG_{bus.team}", f"OBJ_BLOBS_{bus.team}")]
    return sum(info.state.bytes for info in infos if info)


async def test_the_log_gives_back_what_each_model_was_asked(bus: Bus) -> None:
    """The whole request of each call, from the pieces that each adds: instructions, material, tools and turns."""
    speaker = await loop(bus, 4, "t")
    said = await calls(bus)
    assert [call.request for call in said] == speaker.requests
    assert [call.known for call in said] == [0, 2, 4, 6]
    assert LONG in str(said[0].request)


async def test_an_answer_that_did_not_fit_and_the_request_to_correct_it_are_on_record(bus: Bus) -> None:
    speaker = Speaker("no word", '{"word": "yes"}')
    await context(bus, speaker).model(Word, instructions="Say a word.")
    assert [call.request for call in await calls(bus)] == speaker.requests


async def test_a_call_that_failed_shows_what_it_was_asked(bus: Bus) -> None:
    speaker = Speaker(ModelFailure("busy", kind="overloaded"), "here I am")
    await context(bus, speaker, models=("anthropic:a", "openai:b")).model(str, instructions="Go.")
    failed, came = await calls(bus)
    assert [failed.request, came.request] == speaker.requests
    assert failed.cause.startswith("overloaded")
    assert came.answer


async def test_what_is_delivered_again_goes_on_with_the_record(bus: Bus) -> None:
    """A process that has only the log adds to it what is new, as the first would have."""
    await loop(bus, 3, "t")
    goes_on = Speaker(wants("look", id="c9", at="9"), "done")
    ours = context(bus, goes_on)
    lines = Speaker("never asked")
    again = context(bus, lines)
    await again.model(str, instructions="Look.", material=LONG, tools=[tool(look)], max_turns=3)
    assert not lines.requests
    await ours.model(str, instructions="Look.", material="other", tools=[tool(look)])
    said = await calls(bus)
    assert [call.request for call in said[3:]] == goes_on.requests
    assert [call.known for call in said] == [0, 2, 4, 0, 2]


async def test_the_record_of_a_conversation_grows_with_its_turns_not_with_their_square(bus: Bus) -> None:
    """The second ten turns of a loop with a tool cost no more bytes than the first ten, in log and object store."""
    await loop(bus, 1, "first")  # the material, which all share
    sizes = [await size(bus)]
    for turns in (10, 20, 30):
        await loop(bus, turns, f"t{turns}")
        sizes.append(await size(bus))
    ten, twenty, thirty = (after - before for before, after in pairwise(sizes))
    assert thirty - twenty < 1.05 * (twenty - ten)


async def test_equal_pieces_lie_in_the_object_store_once(bus: Bus) -> None:
    """The material of a second task is that of the first: only its digest is written."""
    await loop(bus, 1, "one")
    before = await stream_info(bus.connection, f"OBJ_BLOBS_{bus.team}")
    await loop(bus, 1, "two")
    after = await stream_info(bus.connection, f"OBJ_BLOBS_{bus.team}")
    assert before
    assert after
    assert before.state.bytes == after.state.bytes > len(LONG)


async def test_with_the_hash_alone_nothing_that_was_asked_is_stored(bus: Bus) -> None:
    await loop(bus, 2, "t", record="hash")
    entries = [entry async for entry in bus.log.read("r")]
    assert not any(LONG[:20] in entry.envelope.encode().decode() for entry in entries if entry.envelope)
    store = await stream_info(bus.connection, f"OBJ_BLOBS_{bus.team}")
    assert store
    assert store.state.bytes == 0
    said = model_calls(entries)
    assert [call.request for call in said] == [None, None]
    assert said[0].because == "only the hash of the request is on record"
    assert said[0].answer


async def test_a_changed_record_of_a_request_is_found_out(bus: Bus) -> None:
    """What is shown is what was sent: its digest is the one that the call was found by."""
    await loop(bus, 1, "t")
    (entry,) = [entry async for entry in bus.log.read("r")]
    forged = await filled(bus, [entry])
    (call,) = model_calls([_with(forged[0], "Look away.")])
    assert call.request is None
    assert "not the one that was sent" in call.because


async def test_a_piece_that_is_gone_is_named(bus: Bus) -> None:
    await loop(bus, 1, "t")
    (call,) = model_calls([entry async for entry in bus.log.read("r")])
    assert call.request is None
    assert "a piece of the request is gone: user sha256:" in call.because


def _with(entry: Entry, instructions: str) -> Entry:
    call = entry.event
    assert isinstance(call, Called)
    assert call.asked
    assert entry.envelope
    pieces = [
        piece.model_copy(update={"value": instructions}) if piece.kind == "instructions" else piece
        for piece in call.asked.pieces
    ]
    asked = call.asked.model_copy(update={"pieces": tuple(pieces)})
    envelope = entry.envelope.model_copy(update={"data": call.model_copy(update={"asked": asked})})
    return entry._replace(envelope=envelope)
