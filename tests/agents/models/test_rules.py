"""Serving: which models serve whom stands in the team; the coordinator tells with each task."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial

import anyio
import pytest

from hustings.agents import AgentRegistry, ModelRule, Policy, Specialist, View
from hustings.agents.models.rules import ModelRouter
from hustings.agents.runtime.heartbeat import present
from hustings.bus import Bus
from hustings.protocols import Assigned, Budget, Failure, Goal, Message, ModelChain, Outcome, UsageError

from ..simulation import Simulation, card

OPUS, SONNET, HAIKU = (f"anthropic:claude-{name}-5-5" for name in ("opus", "sonnet", "haiku"))


class Ask(Goal): ...


class Word(Message): ...


class Said(Outcome):
    word: Word


def test_the_first_line_that_matches_counts() -> None:
    served = ModelRouter(
        [ModelRule("judge.*", models=(OPUS,)), ModelRule("*.draft", models=(SONNET,)), ModelRule("*", models=(HAIKU,))]
    )
    assert served.of("judge", "draft") == ModelChain(models=(OPUS,))
    assert served.of("clerk", "draft") == ModelChain(models=(SONNET,))
    assert served.of("clerk", "read") == ModelChain(models=(HAIKU,))
    assert ModelRouter().of("clerk", "read") is None


def test_models_are_put_in_order_by_what_the_price_file_says_of_them() -> None:
    """By price, latency or stated quality; those below the wanted quality are left out."""
    some = (SONNET, OPUS, HAIKU)
    orders = {
        by: ModelRouter([ModelRule("*", models=some, by=by)]).of("a", "b")
        for by in ("order", "price", "latency", "quality")
    }
    assert orders == {
        "order": ModelChain(models=some),
        "price": ModelChain(models=(HAIKU, SONNET, OPUS)),
        "latency": ModelChain(models=(HAIKU, SONNET, OPUS)),
        "quality": ModelChain(models=(OPUS, SONNET, HAIKU)),
    }
    assert ModelRouter([ModelRule("*", models=some, quality=0.85)]).of("a", "b") == ModelChain(models=(OPUS,))
    with pytest.raises(UsageError, match="no model serves"):
        ModelRouter([ModelRule("*", models=(HAIKU,), quality=0.99)])


@pytest.mark.parametrize("models", [OPUS, (HAIKU, "gpt-5"), (":x",)], ids=["one word", "no provider", "nothing before"])
def test_a_line_whose_models_are_no_names_is_refused_at_once(models: Sequence[str]) -> None:
    """A single text is a sequence too, of letters."""
    with pytest.raises(UsageError) as refused:
        ModelRule("*", models=models)
    assert "PROVIDER:NAME" in f"{refused.value} {refused.value.hint}"


class Sick(Simulation):
    """With agents that say they are unwell."""

    unwell: frozenset[str] = frozenset()

    def view(self) -> View:
        now, directory = super().view()
        return View(now, directory.model_copy(update={"unwell": self.unwell}))


@pytest.mark.parametrize(("unwell", "chosen"), [((), "ann"), (("ann",), "bob"), (("ann", "bob"), "ann")])
def test_work_goes_to_who_is_well(unwell: tuple[str, ...], chosen: str) -> None:
    """Who cannot reach its models gets none as long as another could do it; nobody well is no reason to stop."""
    cards = [card(agent, "say", "Word.v1", ask="Ask.v1") for agent in ("ann", "bob")]
    simulation = Sick(Policy(goal=Ask, outcome=Said), cards, {"say": lambda _: {}})
    simulation.unwell = frozenset(unwell)
    assert simulation.run({}, "Ask.v1").status == "decided"
    assert [task.agent for task in simulation.assigned()] == [chosen]


async def until(registry: AgentRegistry, unwell: set[str]) -> None:
    """Returns once the roster says so."""
    while registry.directory().unwell != unwell:
        changed = anyio.Event()
        registry.changed.add(changed.set)
        await changed.wait()
        registry.changed.remove(changed.set)


async def test_an_agent_is_unwell_if_all_its_processes_are(bus: Bus) -> None:
    """One that can still reach its models takes the work of all; the heartbeats say so, and when it is over."""
    sick = {"ann-1": True, "ann-2": False, "bob-1": True}
    registry = AgentRegistry(bus, "ann-1")
    async with anyio.create_task_group() as group, AsyncExitStack() as there:
        for instance in sick:
            agent = Specialist(instance.partition("-")[0]).card()
            said = partial(sick.__getitem__, instance)
            await there.enter_async_context(present(bus, agent, instance=instance, unwell=said))
        await group.start(registry.keep)
        with anyio.fail_after(300):
            await until(registry, {"bob"})
            sick["ann-2"] = True
            await until(registry, {"ann", "bob"})
            sick["bob-1"] = False
            await until(registry, {"ann"})
        group.cancel_scope.cancel()


def run(policy: Policy, answer: Failure | Word) -> Simulation:
    simulation = Simulation(
        policy,
        [card("clerk", "say", "Word.v1", ask="Ask.v1")],
        {"say": lambda _: answer if isinstance(answer, Failure) else answer.plain()},
    )
    return simulation


def test_the_coordinator_says_with_each_task_who_serves_it() -> None:
    policy = Policy(
        goal=Ask, outcome=Said, served=ModelRouter([ModelRule("clerk.say", models=(HAIKU,))], cheaper=False).of
    )
    simulation = run(policy, Word())
    simulation.run({}, "Ask.v1")
    (assigned,) = [entry.event for entry in simulation.log if isinstance(entry.event, Assigned)]
    assert assigned.serving == ModelChain(models=(HAIKU,), cheaper=False)


@pytest.mark.parametrize(
    ("exhausted", "because"), [("stop", "the budget is exhausted: "), ("partial", "cannot be filled")]
)
def test_where_the_budget_is_not_enough_the_team_says_what_becomes_of_the_run(exhausted: str, because: str) -> None:
    """It stops; or the task is lost, and what hangs on it."""
    failure = Failure(task="clerk-say", attempt=1, agent="a", kind="non_retryable", because="0 left", exhausted=True)
    policy = Policy(goal=Ask, outcome=Said, budget=Budget(calls=1), exhausted=exhausted)  # type: ignore[arg-type]
    simulation = run(policy, failure)
    simulation.run({}, "Ask.v1")
    assert simulation.state.concluded
    assert simulation.state.concluded.status == "failed"
    assert because in simulation.state.concluded.because
