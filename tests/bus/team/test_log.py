"""Promises of the log."""

from contextlib import suppress
from pathlib import Path
from time import time

import anyio
import pytest

from hustings.bus import Bus, embedded, open_bus
from hustings.protocols import (
    AlreadyThere,
    Assigned,
    BusFull,
    Cancelled,
    Entry,
    Result,
    StaleWriter,
    Subjects,
    Unanswered,
)

from ..said import acquired, assign, assigned, concluded, entries, goal, result
from ..servers import kill_server


def tasks(found: list[Entry]) -> list[str]:
    return [entry.event.task for entry in found if isinstance(entry.event, Assigned)]


async def test_a_run_is_read_as_it_was_written(bus: Bus) -> None:
    began = time()
    first = await bus.log.ask("r", goal(text="x"), client="me")
    then = await bus.log.append("r", [acquired(), assigned()], after=0, source="coordinator")
    assert await bus.log.complete("r", result(), source="clerk")
    found = await entries(bus, "r")
    assert [entry.event for entry in found] == [goal(text="x"), acquired(), assigned(), result()]
    assert [entry.seq for entry in found] == [first, then - 1, then, then + 1]
    assert [(entry.subject.author, entry.subject.kind) for entry in found] == [
        ("me", "goal"), ("coordinator", "event"), ("coordinator", "task"), ("clerk", "result"),
    ]  # fmt: skip
    assert all(abs(entry.time - began) < 5 for entry in found)
    assert [entry.envelope.source for entry in found if entry.envelope] == ["me", "coordinator", "coordinator", "clerk"]


async def test_a_run_nobody_asked_for_is_empty(bus: Bus) -> None:
    assert await entries(bus, "none") == []


async def test_two_clients_cannot_start_one_run(bus: Bus) -> None:
    outcomes: list[str] = []

    async def ask(client: str) -> None:
        try:
            await bus.log.ask("r", goal(), client=client)
            outcomes.append("won")
        except AlreadyThere:
            outcomes.append("lost")

    async with anyio.create_task_group() as tasks:
        for number in range(5):
            tasks.start_soon(ask, f"client{number}")
    assert sorted(outcomes) == ["lost"] * 4 + ["won"]
    assert len(await entries(bus, "r")) == 1


@pytest.mark.parametrize("sizes", [(1, 1), (8, 8), (9, 9), (3, 20)])
async def test_of_two_racing_coordinators_exactly_one_wins_each_round(bus: Bus, sizes: tuple[int, int]) -> None:
    winners: list[tuple[str, int]] = []
    after = 0

    async def write(name: str, count: int) -> None:
        events = [assigned(f"{name}-{number}") for number in range(count)]
        with suppress(StaleWriter):
            winners.append((name, await bus.log.append("r", events, after=after, source=name)))

    for round_ in range(10):
        async with anyio.create_task_group() as both:
            both.start_soon(write, "a", sizes[0])
            both.start_soon(write, "b", sizes[1])
        assert len(winners) == round_ + 1
        after = winners[-1][1]
    written = [name for name, _ in winners for _ in range(sizes[name == "b"])]
    assert [task[0] for task in tasks(await entries(bus, "r"))] == written


@pytest.mark.parametrize("count", [0, 1, 8, 9, 1000, 1001, 2500])
async def test_any_number_of_events_is_appended_in_order(bus: Bus, count: int) -> None:
    events = [assigned(f"t{number}") for number in range(count)]
    last = await bus.log.append("r", events, after=0, source="coordinator")
    found = await entries(bus, "r")
    assert tasks(found) == [event.task for event in events]
    assert last == (found[-1].seq if found else 0)


@pytest.mark.parametrize("count", [1, 5, 50])
async def test_an_append_whose_answer_was_lost_is_stored_once(
    bus: Bus, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    request, lost = bus.connection.request, []

    async def forgetful(subject: str, data: bytes = b"", **options: object) -> object:
        answer = await request(subject, data, **options)  # type: ignore[arg-type]
        if ".coordinator." in subject and subject not in lost:
            lost.append(subject)
            raise Unanswered("lost on purpose")
        return answer

    monkeypatch.setattr(bus.connection, "request", forgetful)
    events = [assigned(f"t{number}", agent=f"a{number}") for number in range(count)]
    last = await bus.log.append("r", events, after=0, source="coordinator")
    found = await entries(bus, "r")
    assert tasks(found) == [event.task for event in events]
    assert last == found[-1].seq
    assert lost


async def test_a_stale_writer_is_told_although_its_own_earlier_events_are_there(bus: Bus) -> None:
    first = await assign(bus, "r", assigned("t1"))
    await assign(bus, "r", assigned("t2"), after=first)
    with pytest.raises(StaleWriter):
        await assign(bus, "r", assigned("t3"), after=first)


async def test_results_and_other_runs_do_not_shut_the_fence(bus: Bus) -> None:
    after = await assign(bus, "r", assigned("t1"))
    await bus.log.complete("r", result("t1"), source="clerk")
    await assign(bus, "other", assigned("t1"))
    await assign(bus, "r", assigned("t2"), after=after)


async def test_the_first_answer_to_an_attempt_stands(bus: Bus) -> None:
    outcomes: list[bool] = []

    async def answer(output: str) -> None:
        outcomes.append(await bus.log.complete("r", result(output=output), source="clerk"))

    async with anyio.create_task_group() as group:
        for output in "abcd":
            group.start_soon(answer, output)
    assert sorted(outcomes) == [False, False, False, True]
    assert len(await entries(bus, "r")) == 1
    assert await bus.log.answered("r", "clerk", "t1", 1)
    assert not await bus.log.answered("r", "clerk", "t1", 2)
    assert await bus.log.complete("r", result(attempt=2), source="clerk")


async def test_a_run_is_withdrawn_once(bus: Bus) -> None:
    seq = await bus.log.cancel("r", Cancelled(by="me"), client="me")
    assert await bus.log.cancel("r", Cancelled(by="me", because="again"), client="me") == seq
    assert [entry.event for entry in await entries(bus, "r")] == [Cancelled(by="me")]


async def test_follow_goes_on_where_it_is_told_and_meets_the_present(bus: Bus) -> None:
    seq = await assign(bus, "r", assigned("t1"), assigned("t2"))
    found = bus.log.follow("r", after=seq - 1)
    assert tasks([await anext(found)]) == ["t2"]
    await assign(bus, "r", assigned("t3"), after=seq)
    with anyio.fail_after(300):
        assert tasks([await anext(found)]) == ["t3"]
    await found.aclose()


@pytest.mark.processes
async def test_follow_has_no_gap_when_the_server_is_killed(tmp_path: Path) -> None:
    found: list[Entry] = []

    async def write(bus: Bus) -> None:
        after = 0
        for number in range(200):
            after = await assign(bus, "r", assigned(f"t{number}"), after=after)
            if number in (60, 120):
                kill_server(tmp_path)

    async with embedded(tmp_path, durability="process") as url, open_bus(url, "team", name="test") as bus:
        with anyio.fail_after(300):
            async with anyio.create_task_group() as group:
                group.start_soon(write, bus)
                async for entry in bus.log.follow("r"):
                    found.append(entry)
                    if len(found) == 200:
                        break
    assert tasks(found) == [f"t{number}" for number in range(200)]


async def test_follow_survives_the_loss_of_its_consumer(bus: Bus, team: str) -> None:
    seq = await assign(bus, "r", assigned("t1"))
    found = bus.log.follow("r")
    assert tasks([await anext(found)]) == ["t1"]
    listed = await bus.connection.request(f"$JS.API.CONSUMER.NAMES.LOG_{team}")
    (name,) = [word for word in listed.data.decode().split('"') if word.startswith("reader-")]
    await bus.connection.request(f"$JS.API.CONSUMER.DELETE.LOG_{team}.{name}")
    await assign(bus, "r", assigned("t2"), after=seq)
    with anyio.fail_after(300):
        assert tasks([await anext(found)]) == ["t2"]
    await found.aclose()


async def test_replay_keeps_the_pace_divided_by_the_speed(bus: Bus) -> None:
    seq = await assign(bus, "r", assigned("t1"))
    await anyio.sleep(0.2)
    await assign(bus, "r", assigned("t2"), after=seq)
    began = time()
    assert len([entry async for entry in bus.log.replay("r", 2.0)]) == 2
    assert 0.08 < time() - began < 0.19


async def test_tail_has_all_runs_old_or_new(bus: Bus) -> None:
    await assign(bus, "r1", assigned("t1"))
    fresh = bus.log.tail()
    every = bus.log.tail(all=True)
    recent = bus.log.tail(since_seconds=60)
    results = bus.log.tail(all=True, subject=Subjects(bus.team).result("*", "*", "*", 1))
    async with anyio.create_task_group() as group:
        seen: list[Entry] = []

        async def first() -> None:
            seen.append(await anext(fresh))

        group.start_soon(first)
        attempt = 0
        while not seen:  # the first that is said after the tail has looked where the end is
            attempt += 1
            await bus.log.complete("r2", result(attempt=attempt), source="clerk")
    assert [entry.subject.run for entry in seen] == ["r2"]
    assert [(await anext(every)).subject.run for _ in range(2)] == ["r1", "r2"]
    assert [(await anext(recent)).subject.run for _ in range(2)] == ["r1", "r2"]
    assert isinstance((await anext(results)).event, Result)
    for stream in (fresh, every, recent, results):
        await stream.aclose()


async def test_runs_are_listed_newest_first_with_their_ends(bus: Bus) -> None:
    await bus.log.ask("r1", goal(n="1"), client="me")
    await bus.log.append("r1", [concluded()], after=0, source="coordinator")
    await bus.log.ask("r2", goal(n="2"), client="me")
    second, first = await bus.log.runs()
    assert (first.run, first.asked.event) == ("r1", goal(n="1"))
    assert first.concluded
    assert first.concluded.event == concluded()
    assert (second.run, second.concluded) == ("r2", None)
    assert [await bus.log.ended(run) for run in ("r1", "r2")] == [True, False]


async def test_a_deleted_run_is_gone_and_its_name_is_free(bus: Bus) -> None:
    await bus.log.ask("r1", goal(), client="me")
    await bus.log.ask("r2", goal(), client="me")
    await bus.log.delete("r1")
    assert [head.run for head in await bus.log.runs()] == ["r2"]
    await bus.log.ask("r1", goal(), client="me")


async def test_what_is_too_large_for_the_bus_travels_unnoticed(bus: Bus) -> None:
    large = assigned("t1", text="x" * 2_000_000)
    await assign(bus, "r", large)
    assert [entry.event for entry in await entries(bus, "r")] == [large]
    async with bus.work_queue("clerk") as work_queue:
        delivery = await anext(work_queue)
        assert delivery.entry.event == large
        await delivery.ack()


async def test_unreadable_bytes_are_an_entry_that_says_why(bus: Bus) -> None:
    subjects = Subjects(bus.team)
    for subject in (subjects.result("r", "clerk", "t1", 1), f"hustings.{bus.team}.run.r.x"):
        await bus.connection.request(subject, b"not json")
    found = await entries(bus, "r")
    assert [(entry.envelope, entry.event) for entry in found] == [(None, None)] * 2
    assert all("JSON" in entry.why for entry in found)
    assert not await bus.log.complete("r", result(), source="clerk")


async def test_a_full_log_is_told_and_goals_are_refused_before(bus: Bus, team: str) -> None:
    config = (await bus.connection.request(f"$JS.API.STREAM.INFO.LOG_{team}")).data.decode()
    settings = config[config.index('"config":') + 9 : config.index(',"created"')]
    await bus.connection.request(
        f"$JS.API.STREAM.UPDATE.LOG_{team}", settings.replace('"max_bytes":1073741824', '"max_bytes":100000').encode()
    )
    large = assigned("t1").model_copy(update={"input": {f"text{n}": "x" * 15_000 for n in range(6)}})
    after = await assign(bus, "r", large)
    with pytest.raises(BusFull, match="nearly full"):
        await bus.log.ask("r2", goal(), client="me")
    after = await assign(bus, "r", assigned("t2"), after=after)
    with pytest.raises(BusFull):
        await assign(bus, "r", assigned("t3", text="x" * 15_000), after=after)
    with pytest.raises(BusFull):
        await assign(bus, "r", *(assigned(f"t{n}", text="x" * 2_000) for n in range(20)), after=after)
    assert tasks(await entries(bus, "r")) == ["t1", "t2"]


async def test_a_stranger_cannot_end_a_run(bus: Bus) -> None:
    """Bytes on the subject of the conclusion that are no conclusion: before the real one, and behind it."""
    subject = f"hustings.{bus.team}.run.r.coordinator.event.concluded"
    assert not await bus.log.ended("r")
    await bus.connection.request(subject, b"over")
    assert not await bus.log.ended("r")
    fence = [entry.seq async for entry in bus.log.read("r")][-1]
    await bus.log.append("r", [concluded()], after=fence, source="coordinator")
    assert await bus.log.ended("r")
    await bus.connection.request(subject, b"not over")
    assert await bus.log.ended("r")
