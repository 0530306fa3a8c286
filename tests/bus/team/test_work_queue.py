"""Promises of the inboxes."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import anyio
import pytest

from hustings.bus import Bus, WorkQueue, embedded, open_bus
from hustings.protocols import Assigned, GoalAsked

from ..said import assign, assigned, concluded, goal, result
from ..servers import away, kill_server, line, process

Within = Callable[[float], AbstractContextManager[None]]
TAKE = """
import sys, anyio
from hustings.bus import open_bus

async def main():
    async with open_bus(sys.argv[1], sys.argv[2], name="doomed") as bus, bus.work_queue("clerk") as work_queue:
        async for delivery in work_queue:
            print(delivery.entry.event.task, flush=True)

anyio.run(main)
"""


async def nothing_comes(work_queue: WorkQueue, seconds: float = 0.3) -> bool:
    with anyio.move_on_after(seconds):
        await anext(work_queue)
        return False
    return True


async def test_what_was_assigned_before_an_agent_ever_started_waits_for_it(bus: Bus) -> None:
    await assign(bus, "r1", assigned("t1"), assigned("x", agent="other"), assigned("t2"))
    async with bus.work_queue("clerk", max_concurrent_tasks=2) as work_queue:
        first, second = await anext(work_queue), await anext(work_queue)
        assert (first.entry.event, second.entry.event) == (assigned("t1"), assigned("t2"))
        assert (first.run, first.count, first.stale) == ("r1", 1, False)
        await first.ack()
        await second.ack()
        assert await nothing_comes(work_queue)
    async with bus.work_queue("clerk") as work_queue:
        assert await nothing_comes(work_queue)


async def test_no_more_is_taken_than_there_are_hands(bus: Bus) -> None:
    await assign(bus, "r", assigned("t1"), assigned("t2"), assigned("t3"))
    async with bus.work_queue("clerk", max_concurrent_tasks=2) as work_queue, bus.work_queue("clerk") as other:
        held = [await anext(work_queue), await anext(work_queue)]
        assert isinstance(third := (await anext(other)).entry.event, Assigned)
        assert third.task == "t3"
        assert await nothing_comes(work_queue)
        await held[0].ack()
        await assign(bus, "r2", assigned("t4"))
        assert (await anext(work_queue)).run == "r2"


@pytest.mark.timing
async def test_what_is_handed_back_comes_again_at_once(bus: Bus, within: Within) -> None:
    await assign(bus, "r", assigned())
    async with bus.work_queue("clerk") as work_queue:
        await (await anext(work_queue)).nak()
        with within(1):
            assert (await anext(work_queue)).count == 2


@pytest.mark.timing
async def test_what_is_held_at_the_end_is_handed_back(bus: Bus, within: Within) -> None:
    await assign(bus, "r", assigned())
    async with bus.work_queue("clerk") as work_queue:
        await anext(work_queue)
    async with bus.work_queue("clerk") as work_queue:
        with within(1):
            assert (await anext(work_queue)).count == 2


async def test_what_is_being_looked_at_when_reading_stops_is_handed_back(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that drains gives it to the next one; it does not wait for the server to miss a confirmation."""
    monkeypatch.setattr("hustings.protocols.timing.ACK_WAIT", 3600.0)
    await assign(bus, "r", assigned())
    async with bus.work_queue("clerk") as work_queue, anyio.create_task_group() as reading:
        looking = anyio.Event()

        async def look(_: object) -> bool:
            looking.set()
            await anyio.sleep_forever()
            return True

        async def read() -> None:
            await anext(work_queue)

        monkeypatch.setattr(work_queue, "_settled", look)
        reading.start_soon(read)
        await looking.wait()
        reading.cancel_scope.cancel()
    async with bus.work_queue("clerk") as work_queue:
        with anyio.fail_after(30):
            assert (await anext(work_queue)).count == 2


async def test_a_second_word_for_a_delivery_says_nothing(bus: Bus) -> None:
    await assign(bus, "r", assigned())
    async with bus.work_queue("clerk") as work_queue:
        delivery = await anext(work_queue)
        await delivery.ack()
        await delivery.nak()
        assert await nothing_comes(work_queue)


@pytest.mark.parametrize("settle", ["answered", "ended", "deleted"])
async def test_what_is_settled_does_not_come_again(bus: Bus, settle: str) -> None:
    seq = await assign(bus, "r", assigned())
    async with bus.work_queue("clerk") as work_queue:
        delivery = await anext(work_queue)
        if settle == "answered":
            await bus.log.complete("r", result(), source="clerk")
        elif settle == "ended":
            await bus.log.append("r", [concluded()], after=seq, source="coordinator")
        else:
            await bus.log.delete("r")
        await delivery.nak()
        assert await nothing_comes(work_queue)


@pytest.mark.processes
async def test_a_killed_agents_task_goes_to_another_replica(broker: str, bus: Bus) -> None:
    await assign(bus, "r", assigned())
    with process(TAKE, broker, bus.team) as doomed, anyio.fail_after(300):
        assert await line(doomed) == "t1"
        doomed.kill()
        async with bus.work_queue("clerk") as work_queue:
            delivery = await anext(work_queue)
            assert (delivery.count, delivery.entry.event) == (2, assigned())


async def test_long_work_is_kept_from_the_other_replicas(bus: Bus) -> None:
    await assign(bus, "r", assigned("t1"), assigned("t2"))
    async with bus.work_queue("clerk") as work_queue, bus.work_queue("clerk") as other:
        long, also_long = await anext(work_queue), await anext(other)
        assert await nothing_comes(other, 6.5)
        assert not long.stale
        assert not also_long.stale


@pytest.mark.processes
async def test_who_could_not_confirm_for_four_seconds_says_nothing_more(tmp_path: Path) -> None:
    async with embedded(tmp_path, durability="process") as url, open_bus(url, "team", name="one") as bus:
        await assign(bus, "r", assigned())
        async with bus.work_queue("clerk") as work_queue:
            delivery = await anext(work_queue)
            delivery.arrived.confirmed -= 5
            assert delivery.stale
            await delivery.nak()
            assert await nothing_comes(work_queue, 1)


@pytest.mark.timing
@pytest.mark.processes
async def test_an_inbox_outlives_the_server(tmp_path: Path, within: Within) -> None:
    async with embedded(tmp_path, durability="process") as url, open_bus(url, "team", name="test") as bus:
        with anyio.fail_after(300):
            async with bus.work_queue("clerk", max_concurrent_tasks=3) as work_queue:
                after = await assign(bus, "r", assigned("t1"))
                await (await anext(work_queue)).ack()
                await anyio.sleep(1.2)  # an acknowledgement of the last second may be lost with the server
                kill_server(tmp_path)
                await away(bus.connection)
                with within(3):
                    await assign(bus, "r", assigned("t2"), after=after)
                    assert (await anext(work_queue)).entry.event == assigned("t2")


@pytest.mark.processes
async def test_what_is_settled_does_not_come_again_when_the_server_has_forgotten(tmp_path: Path) -> None:
    """Killed, it may not know any more that what it gives was given and done; in one of several rounds it does not."""
    async with embedded(tmp_path) as url, open_bus(url, "team", name="test") as bus:
        with anyio.fail_after(300):
            async with bus.work_queue("clerk", max_concurrent_tasks=8) as work_queue:
                for number in range(6):
                    tasks, run = [f"t{task}" for task in range(8)], f"r{number}"
                    await assign(bus, run, *(assigned(task) for task in tasks))
                    held = [await anext(work_queue) for _ in tasks]
                    kill_server(tmp_path)
                    await away(bus.connection)
                    for task, delivery in zip(tasks, held, strict=True):
                        assert delivery.run == run
                        await bus.log.complete(run, result(task), source="clerk")
                        await delivery.ack()
                assert await nothing_comes(work_queue)


async def test_goals_are_held_up_to_a_bound_and_come_to_one_coordinator(bus: Bus) -> None:
    """No goal comes to two; of more than both may hold, the rest waits on the server."""
    runs = [f"r{number}" for number in range(150)]
    async with anyio.create_task_group() as group:
        for run in runs:
            group.start_soon(lambda run=run: bus.log.ask(run, goal(), client="me"))  # type: ignore[misc]
    async with bus.goals(max_concurrent_tasks=100) as goals, bus.goals(max_concurrent_tasks=100) as others:
        with anyio.fail_after(300):
            held = [await anext(goals) for _ in range(len(runs) - 100)]
            assert all(isinstance(delivery.entry.event, GoalAsked) for delivery in held)
            while len({delivery.run for delivery in held}) < len(runs):
                with anyio.move_on_after(0.1):
                    held.append(await anext(goals))
                with anyio.move_on_after(0.1):
                    held.append(await anext(others))
        assert sorted(delivery.run for delivery in held) == sorted(runs)


async def test_an_ended_runs_goal_is_dropped(bus: Bus) -> None:
    await bus.log.ask("r", goal(), client="me")
    async with bus.goals() as goals:
        delivery = await anext(goals)
        await bus.log.append("r", [concluded()], after=0, source="coordinator")
        await delivery.nak()
        assert await nothing_comes(goals)


async def test_unreadable_tasks_are_delivered_as_such(bus: Bus) -> None:
    await bus.connection.request(f"hustings.{bus.team}.run.r.coordinator.task.clerk", b"{}")
    async with bus.work_queue("clerk") as work_queue:
        delivery = await anext(work_queue)
        assert (delivery.entry.envelope, delivery.run) == (None, "r")
        await delivery.term()
        assert await nothing_comes(work_queue)
