"""Budgets: what is shared out is never more than there is, and an attempt never passes its share, whatever dies."""

from random import Random

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hustings.agents import Brief, Policy, Specialist, TaskContext, Team
from hustings.agents.planning.planner import fixed
from hustings.agents.testing import running
from hustings.bus import Bus
from hustings.protocols import (
    Amount,
    Assigned,
    AttemptAbandoned,
    Budget,
    BudgetExceeded,
    BudgetShare,
    FromGoal,
    FromSteps,
    Goal,
    Inquiry,
    Message,
    Outcome,
    Plan,
    Result,
    RetryPolicy,
    Spent,
    Step,
)

from ..simulation import AT_ONCE, Simulation, card, raised


class Ask(Goal):
    words: int = 1


class Sum(Message):
    total: int


class Summed(Outcome):
    total: Sum


def plan(count: int) -> Plan:
    steps = [Step(id=f"s{n}", skill="sum", inputs={"x": FromGoal()}, agents=("ann", "bob")) for n in range(count)]
    end = Step(
        id="end", skill="sum", inputs={"x": FromSteps(steps=tuple(s.id for s in steps), many=True)}, agents=("ann",)
    )
    return Plan(steps=(*steps, end), outcome={"total": FromSteps(steps=("end",))})


def simulation(budget: Budget, count: int, seed: int = 0, attempts: int = 3) -> Simulation:
    cards = [card(agent, "sum", "Sum.v1", x="Ask.v1") for agent in ("ann", "bob")]
    retry = RetryPolicy(max_attempts=attempts, initial_interval=0.0)
    policy = Policy(goal=Ask, outcome=Summed, planner=fixed(plan(count)), budget=budget, retry=retry)
    run = Simulation(policy, cards, {"sum": lambda _: {"total": 1}}, seed=seed, crash=bool(seed % 2))
    run.ask({"words": 1}, Ask.__contract__)
    return run


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.integers(0, 12), st.integers(0, 3000), st.integers(1, 8), st.integers(0, 1000))
def test_the_sum_of_what_may_be_spent_never_passes_the_budget(calls: int, tokens: int, count: int, seed: int) -> None:
    """Agents spend all of their shares, fail, fall silent and are replaced; coordinators crash between two events."""
    run, chance = simulation(Budget(calls=calls, tokens=tokens), count, seed), Random(seed)
    spent = Amount()
    while not run.state.concluded:
        if run.decided():
            continue
        if not (tasks := run.open_tasks()):
            run.sleep()
            continue
        task = chance.choice(tasks)
        assert task.share
        amount = Amount(
            calls=chance.randint(0, task.share.calls or 0), tokens=chance.randint(0, task.share.tokens or 0)
        )
        spent = spent.plus(amount)
        place = (task.task, str(task.attempt))
        run.append(
            Spent(task=task.task, attempt=task.attempt, agent=task.agent, amount=amount), task.agent, "spend", *place
        )
        match chance.choice(["answer", "answer", "raise", "abandon"]):
            case "answer":
                run.answer(task)
            case "raise":
                run.say(task, raised())
            case "abandon":  # whoever had it may spend the rest of its share at any time
                spent = spent.plus(Amount(calls=(task.share.calls or 0), tokens=(task.share.tokens or 0)).minus(amount))
                run.append(
                    AttemptAbandoned(task=task.task, attempt=task.attempt, because="silent"), "coordinator", "event"
                )
    assert spent.calls <= calls
    assert spent.tokens <= tokens


def test_what_is_not_spent_is_shared_out_again() -> None:
    """Ten calls for four tasks one after the other: the last may spend what the others left."""
    run = simulation(Budget(calls=10), 3)
    while not run.state.concluded:
        if not run.decided():
            run.answer(run.open_tasks()[0])
    shares = [task.share.calls for task in run.assigned() if task.share]
    assert shares == [2, 2, 3, 10]


def mixed(*thrifty: str, count: int = 2, budget: Budget) -> Simulation:
    """Steps side by side, of which some spend nothing."""
    steps = [
        Step(id=f"s{n}", skill="sum", inputs={"x": FromGoal()}, agents=("ann",), spends=f"s{n}" not in thrifty)
        for n in range(count)
    ]
    ends = {"total": FromSteps(steps=(steps[-1].id,))}
    policy = Policy(
        goal=Ask,
        outcome=Summed,
        planner=fixed(Plan(steps=tuple(steps), outcome={**ends})),
        budget=budget,
        retry=AT_ONCE,
    )
    run = Simulation(policy, [card("ann", "sum", "Sum.v1", x="Ask.v1")], {"sum": lambda _: {"total": 1}})
    run.ask({"words": 1}, Ask.__contract__)
    return run


def test_what_cannot_spend_has_no_part_of_the_budget() -> None:
    """One of four spends, and has all of it; the others may spend nothing of what is bounded."""
    run = mixed("s0", "s1", "s3", count=4, budget=Budget(calls=10, money=2.0))
    run.decide()
    shares = {task.step: task.share for task in run.assigned()}
    assert shares.pop("s2") == BudgetShare(calls=10, money=2.0)
    assert shares == dict.fromkeys(("s0", "s1", "s3"), BudgetShare(calls=0, money=0.0))


def test_a_further_attempt_of_what_cannot_spend_has_none_either() -> None:
    """So that it takes nothing from who does: the last has the three calls that the first left."""
    run = mixed("s0", count=2, budget=Budget(calls=3))
    run.decide()
    first, other = run.assigned()
    run.say(first, raised())
    run.say(other, raised())
    run.decide()
    assert {task.step: task.share for task in run.assigned()[2:]} == {
        "s0": BudgetShare(calls=0),
        "s1": BudgetShare(calls=3),
    }


def test_who_spends_nothing_does_not_wait_for_a_budget() -> None:
    """One call, for three that want it: the first has it, the next waits for what it gives back, the last goes on."""
    run = mixed("s2", count=3, budget=Budget(calls=1))
    run.decide()
    assert [task.step for task in run.assigned()] == ["s0", "s2"]
    run.answer(run.assigned()[0])
    run.decide()
    assert [(task.step, task.share) for task in run.assigned()[2:]] == [("s1", BudgetShare(calls=1))]


def test_half_of_the_budget_is_kept_for_the_plan() -> None:
    """A planner that dies with its share has not spent the run's."""

    def planner(brief: Brief) -> Plan | Inquiry:
        inquiry = Inquiry(skill="sum", given={"x": {}}, key="plan")
        return inquiry if brief.answer(inquiry) is None else plan(1)

    cards = [card("ann", "sum", "Sum.v1", x="Ask.v1")]
    run = Simulation(
        Policy(goal=Ask, outcome=Summed, planner=planner, budget=Budget(calls=8)),
        cards,
        {"sum": lambda _: {"total": 1}},
    )
    run.ask({"words": 1}, Ask.__contract__)
    for _ in range(2):
        run.decide()
        task = run.assigned()[-1]
        run.append(AttemptAbandoned(task=task.task, attempt=task.attempt, because="silent"), "coordinator", "event")
    run.decide()
    assert [task.share for task in run.assigned()] == [BudgetShare(calls=4), BudgetShare(calls=2), BudgetShare(calls=1)]


def test_without_a_budget_nothing_is_shared_out() -> None:
    run = simulation(Budget(), 1)
    run.decide()
    assert [task.share for task in run.assigned()] == [BudgetShare()]


@pytest.mark.parametrize(
    ("budget", "because"),
    [
        (Budget(depth=1), "2 steps in a row"),
        (Budget(seconds=30), "longer than 30 s"),
    ],
)
def test_the_shape_of_a_run_is_bounded(budget: Budget, because: str) -> None:
    """Steps in a row, and wall time: the run fails and says which bound it was."""
    run = simulation(budget, 2)
    run.decide()
    while not run.state.concluded:
        run.sleep()
        run.decide()
    assert (run.state.concluded.status, because in run.state.concluded.because) == ("failed", True)


class Crowd(Goal):
    people: list[Sum]


def test_a_step_that_fans_out_too_far_is_not_begun() -> None:
    each = Step(id="all", skill="sum", inputs={"x": FromGoal(field="people")}, agents=("ann",), each="x")
    wide = Plan(steps=(each,), outcome={"total": FromSteps(steps=("all",))})
    policy = Policy(goal=Crowd, outcome=Summed, planner=fixed(wide), budget=Budget(fan_out=3))
    run = Simulation(policy, [card("ann", "sum", "Sum.v1", x="Sum.v1")], {"sum": lambda _: {}})
    run.ask({"people": [{"total": 1}] * 4}, Crowd.__contract__)
    run.decide()
    assert run.state.concluded
    assert "fans out to 4 tasks" in run.state.concluded.because
    assert run.assigned() == []


def test_no_deadline_lies_behind_the_end_of_the_run() -> None:
    run = simulation(Budget(seconds=7), 1)
    run.decide()
    assert {task.deadline for task in run.assigned()} == {run.state.asked_at + 7}


# over a real broker


def context(bus: Bus, share: BudgetShare, attempt: int = 1) -> TaskContext:
    assigned = Assigned(
        task="t", step="t", agent="ann", attempt=attempt, skill="work", input={}, deadline=2**36, share=share
    )
    return TaskContext("r", assigned, bus)


async def test_two_processes_on_one_attempt_share_its_share(bus: Bus) -> None:
    """64 reservations at once by two that believe to be the only one: ten calls are reserved, and not one more."""
    ours, theirs = context(bus, BudgetShare(calls=10)), context(bus, BudgetShare(calls=10))
    done: list[bool] = []

    async def spend(one: TaskContext) -> None:
        try:
            await one.spend(calls=1)
        except BudgetExceeded:
            return
        done.append(True)

    async with anyio.create_task_group() as group:
        for number in range(64):
            group.start_soon(spend, ours if number % 2 else theirs)
    assert len(done) == 10
    said = await bus.log.work("r", "ann", "t")
    assert [entry.event.amount.calls for entry in said if isinstance(entry.event, Spent)] == [1] * 10


async def test_who_comes_after_a_crash_has_only_the_rest(bus: Bus) -> None:
    await context(bus, BudgetShare(calls=3, tokens=100)).spend(calls=2, tokens=70)
    again = context(bus, BudgetShare(calls=3, tokens=100))
    assert await again.left() == BudgetShare(calls=1, tokens=30)
    with pytest.raises(BudgetExceeded, match="may spend 100 tokens"):
        await again.spend(tokens=31)
    await again.spend(tokens=-20)
    assert await again.left() == BudgetShare(calls=1, tokens=50)


async def test_nothing_is_spent_for_an_attempt_that_has_its_answer(bus: Bus) -> None:
    """A process that slept while another answered: what was left of its share may be with somebody else."""
    sleeper = context(bus, BudgetShare(calls=5))
    await sleeper.spend(calls=1)
    await bus.log.complete("r", Result(task="t", attempt=1, agent="ann", output={}), source="ann-2")
    with pytest.raises(BudgetExceeded, match="has been answered"):
        await sleeper.spend(calls=1)


spender = Specialist("spender", "spends what it gets", max_concurrent_tasks=64)


class Coin(Message):
    number: int


class Purchase(Goal):
    coins: int


class Bought(Outcome):
    coins: list[Sum]


@spender.skill
def mint(purchase: Purchase) -> list[Coin]:
    return [Coin(number=number) for number in range(purchase.coins)]


@spender.skill
async def buy(coin: Coin, context: TaskContext) -> Sum:
    await context.spend(calls=1)
    return Sum(total=1)


async def test_sixty_four_tasks_at_once_never_pass_a_budget_of_ten(broker: str) -> None:
    """Those that had nothing to spend fail with the reason; the report says what was spent."""
    team = Team("spenders", goal=Purchase, outcome=Bought, specialists=[spender], budget=Budget(calls=10))
    async with running(team, broker) as client:
        with anyio.fail_after(300):
            report = await (await client.ask(Purchase(coins=64))).wait()
        state = await client.run(report.run).state()
    assert report.spent["calls"] == 10
    assert len(report.outcome["coins"]) == 10  # type: ignore[arg-type]
    assert report.status == "partial"
    assert "may spend 0 calls" in report.because
    assert state.committed.calls == 10
