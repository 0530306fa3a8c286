"""A skill that swallows its cancellation, in every way: it costs its attempt, and neither a hand nor the processor."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from functools import partial

import anyio
import pytest
from anyio import CancelScope
from anyio.lowlevel import checkpoint

from hustings.agents import Specialist
from hustings.agents.skills.leash import Leash
from hustings.agents.testing import serving
from hustings.bus import Bus, open_bus
from hustings.protocols import Assigned, Failure, Message, Result

Way = Callable[[], Awaitable[object]]
gate = threading.Event()


@pytest.fixture(autouse=True)
def _open() -> Iterator[None]:
    """Whoever waits for the gate in a thread may go, afterwards."""
    gate.clear()
    yield
    gate.set()


async def everything() -> None:
    while True:
        with suppress(BaseException):  # as good as the bare except of many a retry loop
            await anyio.sleep(0.05)


async def cancellations() -> None:
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)


async def politely() -> None:
    """As the documentation of asyncio says, only that it goes on."""
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            assert task
            task.uncancel()


async def at_its_end() -> None:
    try:
        await anyio.sleep_forever()
    finally:
        await anyio.sleep_forever()


async def at_every_end() -> None:
    try:
        await at_its_end()
    finally:
        try:
            await at_its_end()
        finally:
            await everything()


async def shielded() -> None:
    with CancelScope(shield=True):
        await anyio.sleep_forever()


async def shielded_by_asyncio() -> None:
    inner = asyncio.ensure_future(asyncio.sleep(3600))
    while not inner.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(inner)


async def busily() -> None:
    while True:
        with suppress(BaseException):
            await asyncio.sleep(0)


async def in_a_task() -> None:
    await asyncio.create_task(everything())


async def in_tasks_of_tasks() -> None:
    await asyncio.gather(in_a_task(), asyncio.wait_for(politely(), 3600), cancellations())


async def in_a_group() -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(everything)
        group.start_soon(busily)
        group.start_soon(in_a_task)


async def in_a_group_of_asyncio() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(everything())
        group.create_task(politely())


async def in_a_shielded_group() -> None:
    with CancelScope(shield=True):
        await in_a_group()


async def in_ever_new_groups() -> None:
    while True:
        with suppress(BaseException):
            await in_a_group()


async def in_a_group_with_an_end() -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(at_its_end)
        await at_its_end()


async def numbers() -> AsyncIterator[int]:
    while True:
        try:
            await anyio.sleep(3600)
        except BaseException:  # noqa: BLE001
            yield 1


async def in_a_generator() -> None:
    async for _ in numbers():
        pass


@asynccontextmanager
async def slow_to_close() -> AsyncIterator[None]:
    try:
        yield
    finally:
        await anyio.sleep(3600)


async def in_a_context() -> None:
    async with slow_to_close():
        await anyio.sleep(3600)


async def in_a_thread() -> None:
    await anyio.to_thread.run_sync(gate.wait)


async def in_a_thread_of_asyncio() -> None:
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.to_thread(gate.wait)


WAYS: list[Way] = [
    everything, cancellations, politely, at_its_end, at_every_end, shielded, shielded_by_asyncio, busily, in_a_task,
    in_tasks_of_tasks, in_a_group, in_a_group_of_asyncio, in_a_shielded_group, in_ever_new_groups,
    in_a_group_with_an_end, in_a_generator, in_a_context, in_a_thread, in_a_thread_of_asyncio,
]  # fmt: skip


def name(way: object) -> str:
    return getattr(way, "__name__", "")


async def burnt(seconds: float) -> float:
    """How much of the processor this process uses in a time in which it has nothing to do."""
    before = time.process_time()
    await anyio.sleep(seconds)
    return time.process_time() - before


@pytest.mark.parametrize("way", WAYS, ids=name)
async def test_whoever_swallows_its_cancellation_is_let_go_and_does_not_go_on(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the grace: nobody waits, no task of it is left, and the event loop is at rest."""
    monkeypatch.setattr("hustings.protocols.timing.SKILL_GRACE", 0.1)
    before, held = asyncio.all_tasks(), Leash()
    with anyio.fail_after(300), anyio.move_on_after(0.1):
        await held.run(way)
        pytest.fail("it ended")
    gate.set()  # or the end of the loop would wait for who is in a thread
    assert [task for task in asyncio.all_tasks() - before if not at_rest(task)] == []
    assert await burnt(0.3) < 0.15


def at_rest(task: "asyncio.Task[object]") -> bool:
    """What was never cancelled, as behind asyncio.shield, may go on."""
    return not task.cancelling()


async def test_one_that_waits_for_a_stranger_that_swallows_is_let_go_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stranger is on no leash, and goes on; the skill is not resumed when it ends."""
    monkeypatch.setattr("hustings.protocols.timing.SKILL_GRACE", 0.1)
    let, after = anyio.Event(), []

    async def stranger() -> None:
        while not let.is_set():
            with suppress(asyncio.CancelledError):
                await let.wait()

    async def wait(other: "asyncio.Task[None]") -> None:
        with suppress(asyncio.CancelledError):
            await other
        await checkpoint()
        after.append("a word")

    async with asyncio.TaskGroup() as group:
        other = group.create_task(stranger())
        with anyio.move_on_after(0.1):
            await Leash().run(partial(wait, other))
        assert await burnt(0.3) < 0.15
        let.set()
    await anyio.wait_all_tasks_blocked()
    assert after == []


async def test_who_ends_in_time_may_clean_up_as_it_likes() -> None:
    """What it awaits on its way out is waited for, shielded or not."""
    cleaned = []

    async def clean() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            with CancelScope(shield=True):
                await anyio.sleep(0.1)
            cleaned.append(True)

    held = Leash()
    with anyio.move_on_after(0.1) as scope:
        await held.run(clean)
    assert (scope.cancelled_caught, held.cut, cleaned) == (True, False, [True])


async def test_the_work_knows_how_long_it_has() -> None:
    """As if it ran where it is called."""

    async def look() -> float:
        return anyio.current_effective_deadline()

    with anyio.fail_after(60) as scope:
        assert await Leash().run(look) == scope.deadline


def test_what_a_skill_left_behind_does_not_hold_up_the_end_of_the_loop(broker: str, team: str) -> None:
    """Behind asyncio.shield nothing was cancelled, until the loop is closed and waits for all."""
    begun = threading.Event()
    nurse = Specialist("nurse")

    async def forever() -> None:
        begun.set()
        await everything()

    @nurse.skill
    async def leave() -> Word:
        task = asyncio.ensure_future(forever())
        kept.append(task)
        return Word(n=1)

    kept: list[object] = []

    async def scenario() -> None:
        async with open_bus(broker, team, name="test") as bus, serving(nurse, broker, team):
            await bus.log.append("r", [task(1, "nurse", "leave", 60)], after=0, source="test")
            assert await answers(bus, "r", 1) == [Result]
            await anyio.to_thread.run_sync(begun.wait)

    ended = threading.Event()

    def run() -> None:
        asyncio.run(scenario())
        ended.set()

    threading.Thread(target=run, daemon=True).start()
    assert ended.wait(300)


class Word(Message, contract="leash.Word.v1"):
    n: int


def task(number: int, agent: str, skill: str, seconds: float) -> Assigned:
    return Assigned(
        task=f"t{number}", step="", agent=agent, attempt=1, skill=skill, input={}, deadline=time.time() + seconds
    )


async def answers(bus: Bus, run: str, count: int) -> list[type]:
    found: list[type] = []
    with anyio.fail_after(300):
        async for entry in bus.log.follow(run):
            if isinstance(entry.event, Failure | Result):
                found.append(type(entry.event))
                if len(found) == count:
                    break
    return found


@pytest.mark.parametrize("max_concurrent_tasks", [1, 3])
async def test_no_slot_is_lost_and_a_worker_with_as_many_as_slots_is_recycled(
    broker: str, bus: Bus, monkeypatch: pytest.MonkeyPatch, max_concurrent_tasks: int
) -> None:
    """Stubborn tasks, more than there are hands; each is answered as abandoned, told of, and the next one is done."""
    monkeypatch.setattr("hustings.protocols.timing.SKILL_GRACE", 0.1)
    mule = Specialist("mule", max_concurrent_tasks=max_concurrent_tasks)
    mule.skill(everything_said)
    mule.skill(speak)
    async with serving(mule, broker, bus.team) as worker, bus.live.heartbeats() as beats:
        tasks = [task(number, "mule", "everything_said", 0.2) for number in range(max_concurrent_tasks)]
        after = await bus.log.append("r", tasks[:-1], after=0, source="test") if tasks[:-1] else 0
        if after:
            assert await answers(bus, "r", max_concurrent_tasks - 1) == [Failure] * (max_concurrent_tasks - 1)
        assert not worker.recycle.is_set()
        after = await bus.log.append("r", tasks[-1:], after=after, source="test")
        with anyio.fail_after(300):
            await worker.recycle.wait()
            while not (await anext(beats)).recycle:
                pass
        await bus.log.append("r", [task(9, "mule", "speak", 60)], after=after, source="test")
        assert await answers(bus, "r", max_concurrent_tasks + 1) == [Failure] * max_concurrent_tasks + [Result]


async def everything_said() -> Word:
    await everything()
    raise AssertionError


async def speak() -> Word:
    return Word(n=1)
