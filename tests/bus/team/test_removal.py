"""What goes when runs are removed, and what stays: on a real broker, with the moments at which others write chosen."""

import random
from collections.abc import Iterable

import pytest

from hustings.bus import Bus, Connection, Removal, remove, survey
from hustings.bus.client import jetstream
from hustings.bus.team import object_store
from hustings.protocols import NotFound, UsageError

from ..said import acquired, assigned, concluded, entries, goal, result

BIG = 20_000  # bytes: a value of this size lies in the object store
HUGE = 600_000  # bytes: not even a goal of this size lies on the log


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A blob has to be named at once."""
    monkeypatch.setattr("hustings.protocols.timing.BLOB_UNNAMED", 0.0)


async def ended(bus: Bus, run: str, *texts: str) -> None:
    """A run that has ended, with a task for each text."""
    await bus.log.ask(run, goal(), client="me")
    tasks = [assigned(f"t{number}", text=text) for number, text in enumerate(texts)]
    await bus.log.append(run, [acquired(), *tasks, concluded()], after=0, source="one")


async def without(bus: Bus, *runs: str) -> Removal:
    """Remove them."""
    removal = await (await survey(bus)).removal(runs)
    await remove(bus, removal)
    return removal


async def blobs(bus: Bus) -> set[str]:
    """The digests of all that is in the store."""
    return {blob.digest for blob in await bus.blobs.stored()}


async def there(bus: Bus) -> int:
    """How many messages the object store has."""
    answer = await bus.connection.request(f"$JS.API.STREAM.INFO.OBJ_BLOBS_{bus.team}")
    return int(answer.data.partition(b'"messages":')[2].partition(b",")[0])


@pytest.mark.usefixtures("hasty")
async def test_a_run_goes_whole_and_leaves_the_others_as_they_are(bus: Bus) -> None:
    """Its events, the values and messages that lie in the object store, its dead letters; nothing of another run."""
    await ended(bus, "r1", "a" * BIG, "b" * BIG)
    await bus.log.ask("r2", goal(text="c" * HUGE), client="me")
    await bus.log.append("r2", [acquired(), concluded()], after=0, source="one")
    await ended(bus, "r3", "d" * BIG)
    kept, before = await entries(bus, "r3"), await blobs(bus)
    assert len(before) == 4
    removal = await without(bus, "r1", "r2")
    assert {run: of.messages for run, of in removal.runs.items()} == {"r1": 5, "r2": 3}
    assert removal.runs["r1"].bytes > 500
    assert len(removal.blobs) == 3
    assert await entries(bus, "r1") == await entries(bus, "r2") == []
    assert await entries(bus, "r3") == kept
    assert len(await blobs(bus)) == 1
    await without(bus, "r3")
    assert await bus.log.runs() == []
    assert await there(bus) == 0


@pytest.mark.usefixtures("hasty")
async def test_a_blob_that_two_runs_share_goes_with_the_second(bus: Bus) -> None:
    await ended(bus, "r1", "a" * BIG)
    await ended(bus, "r2", "a" * BIG)
    assert len(await blobs(bus)) == 1
    await without(bus, "r1")
    assert len(await blobs(bus)) == 1
    await without(bus, "r2")
    assert await blobs(bus) == set()


@pytest.mark.usefixtures("hasty")
async def test_what_a_blob_names_stays_as_long_as_the_blob(bus: Bus) -> None:
    """Also if its digest begins in one chunk of the naming blob and ends in the next."""
    deep = await bus.blobs.put(b"deep")
    middle = await bus.blobs.put(b"x" * (256 * 1024 - 30) + deep.digest.encode() + b"y" * 100)
    text = f"{middle.digest} {'z' * BIG}"
    await ended(bus, "r1", text)
    assert len(await blobs(bus)) == 3
    await without(bus)
    assert len(await blobs(bus)) == 3
    await without(bus, "r1")
    assert await blobs(bus) == set()


async def test_a_run_under_way_is_not_removed(bus: Bus) -> None:
    """It is told what to do, and nothing goes, not even what was named beside it."""
    await ended(bus, "r1")
    await bus.log.ask("r2", goal(), client="me")
    await bus.log.append("r2", [acquired()], after=0, source="one")
    with pytest.raises(UsageError, match="run r2 is under way") as refused:
        await without(bus, "r1", "r2")
    assert "hustings cancel r2" in refused.value.hint
    with pytest.raises(NotFound, match="there is no run r3"):
        await without(bus, "r1", "r3")
    assert [head.run for head in await bus.log.runs()] == ["r2", "r1"]


async def test_what_was_just_stored_is_left_to_be_named(bus: Bus) -> None:
    """A client uploads a file, and then asks for the run that names it."""
    blob = await bus.blobs.put(b"for a goal to come")
    removal = await without(bus)
    assert ([each.digest for each in removal.young], removal.blobs) == ([blob.digest], [])
    assert await bus.blobs.get(blob) == b"for a goal to come"


@pytest.mark.usefixtures("hasty")
async def test_what_a_run_under_way_has_stored_is_left_to_be_named(bus: Bus) -> None:
    """Its task may store something at its beginning, and name it at its end."""
    await bus.blobs.put(b"before")
    await bus.log.ask("r1", goal(), client="me")
    during = await bus.blobs.put(b"during")
    removal = await without(bus)
    assert [blob.digest for blob in removal.young] == [during.digest]
    assert await blobs(bus) == {during.digest}
    await bus.log.append("r1", [acquired(), concluded()], after=0, source="one")
    await without(bus)
    assert await blobs(bus) == set()


@pytest.mark.usefixtures("hasty")
async def test_an_old_blob_that_is_put_again_stays(bus: Bus) -> None:
    """Between the look at the log and the removal another run stores the same bytes, and names them."""
    await ended(bus, "r1", "a" * BIG)
    removal = await (await survey(bus)).removal(["r1"])
    assert len(removal.blobs) == 1
    await ended(bus, "r2", "a" * BIG)
    await remove(bus, removal)
    assert await entries(bus, "r1") == []
    assert await blobs(bus) == {removal.blobs[0].digest}
    assert await bus.blobs.get(removal.blobs[0].digest) == b'"' + b"a" * BIG + b'"'


async def test_a_run_that_is_asked_for_anew_meanwhile_stays(bus: Bus) -> None:
    """Somebody else has removed the run of that id, and a client has begun another one."""
    await ended(bus, "r1")
    removal = await (await survey(bus)).removal(["r1"])
    await bus.log.delete("r1")
    await bus.log.ask("r1", goal(text="anew"), client="me")
    await remove(bus, removal)
    assert len(await entries(bus, "r1")) == 1


@pytest.mark.usefixtures("hasty")
async def test_a_blob_that_goes_while_it_is_put_again_is_stored_anew(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer has seen the old entry; before it writes it again, the entry is removed."""
    blob = await bus.blobs.put(b"a")
    (stored,) = await bus.blobs.stored()

    async def last(connection: Connection, stream: str, subject: str) -> object:
        kept = await found(connection, stream, subject)
        if not gone:
            gone.append(await bus.blobs.delete(stored))
        return kept

    found, gone = jetstream.last, list[bool]()
    monkeypatch.setattr(object_store, "last", last)
    assert await bus.blobs.put(b"a") == blob
    assert gone == [True]
    assert await bus.blobs.get(blob) == b"a"
    assert await there(bus) == 2


@pytest.mark.usefixtures("hasty")
async def test_what_an_interrupted_writer_or_removal_left_goes_with_the_next(bus: Bus) -> None:
    """Chunks without an entry; blobs of a run that is gone; an answer that came after its run was removed."""
    await ended(bus, "r1", "a" * BIG)
    await bus.connection.request(f"$O.BLOBS_{bus.team}.C.lost", b"half a blob")
    await bus.log.delete("r1")
    await bus.log.complete("r1", result(), source="clerk-1")
    removal = await without(bus)
    assert [*removal.late] == ["r1"]
    assert await there(bus) == 0
    assert await entries(bus, "r1") == []


async def test_what_came_late_a_moment_ago_stays(bus: Bus) -> None:
    """A test bench writes tasks without a goal; they are no remains."""
    await bus.log.append("r1", [assigned()], after=0, source="bench")
    assert not (await without(bus)).late
    assert len(await entries(bus, "r1")) == 1


async def test_what_other_programs_keep_in_the_store_stays(bus: Bus) -> None:
    """Under a name that is no digest."""
    name = f"$O.BLOBS_{bus.team}.M.cmVwb3J0"
    await bus.connection.request(name, b'{"nuid": "n", "name": "report"}')
    assert await bus.blobs.stored() == []


@pytest.mark.usefixtures("hasty")
async def test_whatever_runs_name_exactly_what_no_other_names_goes(bus: Bus) -> None:
    """Runs and blobs that name each other as chance will have it; the runs go one by one, in any order."""
    chance = random.Random(20)
    names: dict[str, set[str]] = {}
    for number in range(12):
        inner = set(chance.sample(sorted(names), min(len(names), chance.choice([0, 0, 1, 2]))))
        blob = await bus.blobs.put(f"{number} {' '.join(sorted(inner))}".encode())
        names[blob.digest] = inner
    runs = {f"r{number}": set(chance.sample(sorted(names), 3)) for number in range(6)}
    for run, named in runs.items():
        await ended(bus, run, " ".join(sorted(named)))
    left = [*runs]
    chance.shuffle(left)
    while left:
        await without(bus, left.pop())
        assert await blobs(bus) == reached((digest for run in left for digest in runs[run]), names)


def reached(digests: Iterable[str], names: dict[str, set[str]]) -> set[str]:
    found = set[str]()
    for digest in digests:
        found |= {digest} | reached(names[digest], names)
    return found
