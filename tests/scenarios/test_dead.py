"""Dead letters: one for each task that was given up, whoever coordinates; and each can be redriven, by one client."""

from collections import Counter

import anyio
import pytest

from hustings.agents import Client, DeadLetterEntry
from hustings.bus import Bus
from hustings.protocols import AlreadyThere, Assigned, Cancelled, DeadLetter, Failure, GoalAsked, NotFound, Result

from .mill import Grain, Mill, entries, heard


def states(letters: list[DeadLetterEntry]) -> dict[str, str]:
    return {letter.id: letter.status for letter in letters}


async def test_one_letter_for_each_task_although_the_coordinator_is_replaced_before_it_is_written(
    broker: str, team: str, client: Client
) -> None:
    """The failures are on the log when the coordinator is gone; of the two that come then, one writes the letters."""
    mill = Mill(broker, team, attempts=1)
    mill.grinding = anyio.Event()
    poisoned = [f"grinder-grind-{number}" for number in (1, 4, 6)]
    with anyio.fail_after(300):
        async with mill.serving(*mill.team.specialists):
            async with mill.coordinating("c1"):
                run = await client.ask(Grain(pieces=8, stones=(1, 4, 6)))
                await heard(client, run.id, Assigned, task="grinder-grind-7")
            mill.grinding.set()
            for task in poisoned:
                await heard(client, run.id, Failure, task=task)
            assert not [entry for entry in await entries(client, run.id) if isinstance(entry.event, DeadLetter)]
            async with mill.coordinating("c2"), mill.coordinating("c3"):
                report = await run.wait()
        letters = [entry.event for entry in await entries(client, run.id) if isinstance(entry.event, DeadLetter)]
    assert Counter(letter.task for letter in letters) == dict.fromkeys(poisoned, 1)
    assert {(letter.agent, letter.skill, letter.attempts, letter.kind, letter.version) for letter in letters} == {
        ("grinder", "grind", 1, "raised", "1.0.0")
    }
    assert sorted(report.dead) == [f"{run}.{task}" for task in poisoned]
    assert sorted(letter.id for letter in await client.dead()) == sorted(report.dead)


async def test_a_letter_is_redriven_to_a_newer_version_and_may_die_again(mill: Mill, client: Client) -> None:
    """It stays with its run as redriven; if it fails there, that is a letter of the new run, which can be redriven."""
    with anyio.fail_after(300):
        async with mill.working():
            run = await client.ask(Grain(pieces=3, stones=(1,)))
            await run.wait()
            (letter,) = await client.dead()
            (first,) = await client.redrive([letter])
            again = await client.run(first.run).wait()
            assert (again.status, again.dead) == ("partial", (f"{first.run}.grinder-grind-1",))
            assert await client.redrive([letter]) == []
        assert states(await client.dead()) == {letter.id: "redriven", again.dead[0]: "dead"}
        async with mill.working("1.1.0"):
            (second,) = await client.redrive(await client.dead())
            assert (second.redrives, second.tasks) == (first.run, ("grinder-grind-1",))
            report = await client.run(second.run).wait()
    assert (report.status, report.outcome) == ("decided", {"grinder-grind-1": {"number": 1}})
    assert [(each.status, each.redriven_by) for each in await client.dead()] == [
        ("redriven", first.run), ("redriven", second.run)
    ]  # fmt: skip


async def test_clients_that_redrive_at_once_do_each_task_once(mill: Mill, client: Client) -> None:
    """Whatever letters each of them takes: no task of the old run is in two new runs, and none is in no new run."""
    others = [Client(client.bus, f"bob{number}") for number in range(5)]
    with anyio.fail_after(300):
        async with mill.working():
            run = await client.ask(Grain(pieces=6, stones=(0, 1, 2, 3, 4, 5)))
            await run.wait()
        letters = await client.dead()
        async with anyio.create_task_group() as group:
            for number, other in enumerate(others):
                group.start_soon(other.redrive, letters[number : number + 3])
            group.start_soon(client.redrive, letters)
        goals = [head.asked.event for head in await client.runs() if head.run != run.id]
    again = [(goal.redrives, task.task) for goal in goals if isinstance(goal, GoalAsked) for task in goal.again]
    assert Counter(again) == {(run.id, f"grinder-grind-{number}"): 1 for number in range(6)}


async def test_a_redrive_that_was_withdrawn_leaves_the_letter_dead(mill: Mill, client: Client) -> None:
    """Or else the task would be lost: nobody does it, and nobody would hear of it."""
    with anyio.fail_after(300):
        async with mill.working():
            await (await client.ask(Grain(pieces=2, stones=(1,)))).wait()
            mill.grinding = anyio.Event()
            (letter,) = await client.dead()
            (first,) = await client.redrive([letter])
            assert states(await client.dead()) == {letter.id: "redriven"}
            await client.run(first.run).cancel()
            await client.run(first.run).wait()
        assert states(await client.dead()) == {letter.id: "dead"}
        mill.grinding.set()
        async with mill.working("1.1.0"):
            (second,) = await client.redrive([letter])
            assert second.run != first.run
            assert (await client.run(second.run).wait()).status == "decided"
    assert [(each.status, each.redriven_by) for each in await client.dead()] == [("redriven", second.run)]


async def test_a_discarded_letter_is_not_redriven(mill: Mill, client: Client) -> None:
    """It stays on the log, with who discarded it and why; the run's report and hash are as before."""
    with anyio.fail_after(300):
        async with mill.working():
            run = await client.ask(Grain(pieces=2, stones=(1,)))
            before = await run.wait()
        (letter,) = await client.dead()
        await client.discard(letter, "it was a joke")
        await Client(client.bus, "bob").discard(letter, "too late")
        assert await client.redrive([letter]) == []
    (letter,) = await client.dead()
    assert (letter.status, letter.discarded_by, letter.discarded_because) == ("discarded", "ann", "it was a joke")
    assert await run.report() == before


async def test_what_was_too_large_for_the_bus_is_redriven_as_well(mill: Mill, client: Client) -> None:
    """What the task was given lies in the object store; so does the new goal."""
    with anyio.fail_after(300):
        async with mill.working():
            await (await client.ask(Grain(pieces=1, stones=(0,), husk=600_000))).wait()
        letters = await client.dead()
        found = await client.autopsy(letters[0])
        assert b'"stored":{"piece":"sha256:' in found.original
        assert len(str(found.input["piece"])) > 600_000
        async with mill.working("1.1.0"):
            (again,) = await client.redrive(letters)
            assert (await client.run(again.run).wait()).outcome == {"grinder-grind-0": {"number": 0}}


async def test_an_autopsy_has_each_attempt(mill: Mill, client: Client) -> None:
    """Who tried it in which version, with what result, and the bytes of the last dispatch as they lie on the log."""
    with anyio.fail_after(300):
        async with mill.working():
            run = await client.ask(Grain(pieces=2, stones=(1,)))
            await run.wait()
    (letter,) = await client.dead()
    found = await client.autopsy(letter)
    assert [(each.attempt, each.agent, each.version, each.cause) for each in found.failures] == [
        (1, "grinder", "1.0.0", "raised"), (2, "grinder", "1.0.0", "raised")
    ]  # fmt: skip
    assert all("is a stone" in each.because for each in found.failures)
    assert found.input == {"piece": {"number": 1, "stone": True, "husk": ""}}
    last = next(e for e in await entries(client, run.id) if isinstance(e.event, Assigned) and e.event.attempt == 2)
    assert letter.assigned == last.seq
    assert last.envelope
    assert found.original == last.envelope.encode()


async def test_the_version_of_an_agent_that_was_replaced_during_the_run(mill: Mill, client: Client) -> None:
    """The letter has the version that failed, not the one that was there when the run was planned."""
    splitter = mill.team.specialists[0]
    mill.splitting = anyio.Event()
    with anyio.fail_after(300):
        async with mill.serving(splitter), mill.coordinating():
            async with mill.serving(mill.grinder("0.9.0")):
                run = await client.ask(Grain(pieces=1, stones=(0,)))
                await heard(client, run.id, Assigned, agent="splitter")
            async with mill.serving(mill.grinder("1.0.0")):
                mill.splitting.set()
                await run.wait()
    (letter,) = await client.dead()
    assert letter.version == "1.0.0"


async def test_a_letter_that_a_stranger_wrote_about_nothing_is_refused(mill: Mill, client: Client, bus: Bus) -> None:
    """What is redriven is what the coordinator had dispatched of this very task, or nothing."""
    with anyio.fail_after(300):
        async with mill.working():
            run = await client.ask(Grain(pieces=1))
            await run.wait()
        state = await run.state()
        forged = DeadLetter(
            task="ghost", agent="grinder", skill="grind", attempts=1, kind="raised", because="", assigned=4
        )
        await bus.log.append(run.id, [forged], after=state.fence, source="mallory")
        (letter,) = await client.dead()
        with pytest.raises(NotFound, match="ghost"):
            await client.redrive([letter])
        with pytest.raises(NotFound, match="ghost"):
            await client.autopsy(letter)


async def test_a_run_of_the_next_id_that_is_no_redrive(mill: Mill, client: Client, bus: Bus) -> None:
    """It is told instead of trying for ever."""
    with anyio.fail_after(300):
        async with mill.working():
            await (await client.ask(Grain(pieces=1, stones=(0,)))).wait()
        letters = await client.dead()
        preempted = (await client._letters()).next_run(letters[0].run)
        await bus.log.cancel(preempted, Cancelled(by="mallory"), client="mallory")
        with pytest.raises(AlreadyThere):
            await client.redrive(letters)


# what a run that has ended leaves behind


async def test_cancel_stops_what_is_at_work_and_what_waits_for_it(mill: Mill, client: Client) -> None:
    """The handler is cancelled; what lay behind it in the inbox, however fresh, is never begun."""
    mill.grinding = anyio.Event()
    with anyio.fail_after(300):
        async with (
            mill.serving(mill.team.specialists[0], mill.grinder("1.0.0", max_concurrent_tasks=1)),
            mill.coordinating(),
        ):
            run = await client.ask(Grain(pieces=20))
            await heard(client, run.id, Assigned, task="grinder-grind-19")
            await mill.until(lambda: bool(mill.ground))
            await run.cancel("not wanted any more")
            report = await run.wait()
            assert (report.status, report.because) == ("cancelled", "not wanted any more")
            mill.grinding.set()
            after = await client.ask(Grain(pieces=2))
            assert (await after.wait()).status == "decided"
    assert [number for of, number in mill.ground if of == run.id] == [0]
    assert mill.stopped == [(run.id, 0)]


async def test_an_agent_that_was_away_drops_the_work_of_a_run_that_was_withdrawn(mill: Mill, client: Client) -> None:
    """Its handler is never called for it, although the tasks are in its inbox, and fresh."""
    splitter, grinder = mill.team.specialists
    mill.splitting = anyio.Event()
    with anyio.fail_after(300):
        async with mill.serving(splitter), mill.coordinating():
            async with mill.serving(grinder):
                run = await client.ask(Grain(pieces=5))
                await heard(client, run.id, Assigned, agent="splitter")
            mill.splitting.set()
            await heard(client, run.id, Assigned, task="grinder-grind-4")
            await run.cancel()
            await run.wait()
            async with mill.serving(grinder):
                after = await client.ask(Grain(pieces=2))
                assert (await after.wait()).status == "decided"
    assert sorted(mill.ground) == [(after.id, 0), (after.id, 1)]


async def test_what_is_answered_after_the_end_changes_nothing(mill: Mill, client: Client, bus: Bus) -> None:
    """The report, its hash among it, and what a replay folds are the same with late results on the log."""
    mill.grinding = anyio.Event()
    with anyio.fail_after(300):
        async with mill.working():
            run = await client.ask(Grain(pieces=2))
            await heard(client, run.id, Assigned, task="grinder-grind-1")
            await run.cancel()
            before = await run.wait()
    late = Result(task="grinder-grind-0", attempt=1, agent="grinder", output={"number": 0})
    assert await bus.log.complete(run.id, late, source="grinder")
    state = await run.state()
    assert await run.report() == before
    assert state.concluded
    assert state.hash() != ""
    assert state.tasks["grinder-grind-0"].status == "open"
