"""Serving: which models serve whom stands in the team; the coordinator tells with each task."""

import pytest

from moot.agents import Policy, Serve
from moot.agents.serving import Served
from moot.protocols import Assigned, Budget, Failure, Goal, Message, Outcome, Serving, UsageError

from .simulation import Simulation, card

OPUS, SONNET, HAIKU = (f"anthropic:claude-{name}-5-5" for name in ("opus", "sonnet", "haiku"))


class Ask(Goal): ...


class Word(Message): ...


class Said(Outcome):
    word: Word


def test_the_first_line_that_matches_counts() -> None:
    served = Served([Serve("judge.*", models=(OPUS,)), Serve("*.draft", models=(SONNET,)), Serve("*", models=(HAIKU,))])
    assert served.of("judge", "draft") == Serving(models=(OPUS,))
    assert served.of("clerk", "draft") == Serving(models=(SONNET,))
    assert served.of("clerk", "read") == Serving(models=(HAIKU,))
    assert Served().of("clerk", "read") is None


def test_models_are_put_in_order_by_what_the_price_file_says_of_them() -> None:
    """By price, latency or stated quality; those below the wanted quality are left out."""
    some = (SONNET, OPUS, HAIKU)
    orders = {
        by: Served([Serve("*", models=some, by=by)]).of("a", "b") for by in ("order", "price", "latency", "quality")
    }
    assert orders == {
        "order": Serving(models=some),
        "price": Serving(models=(HAIKU, SONNET, OPUS)),
        "latency": Serving(models=(HAIKU, SONNET, OPUS)),
        "quality": Serving(models=(OPUS, SONNET, HAIKU)),
    }
    assert Served([Serve("*", models=some, quality=0.85)]).of("a", "b") == Serving(models=(OPUS,))
    with pytest.raises(UsageError, match="no model serves"):
        Served([Serve("*", models=(HAIKU,), quality=0.99)])


def run(policy: Policy, answer: Failure | Word) -> Simulation:
    simulation = Simulation(
        policy,
        [card("clerk", "say", "Word.v1", ask="Ask.v1")],
        {"say": lambda _: answer if isinstance(answer, Failure) else answer.plain()},
    )
    return simulation


def test_the_coordinator_says_with_each_task_who_serves_it() -> None:
    policy = Policy(goal=Ask, outcome=Said, served=Served([Serve("clerk.say", models=(HAIKU,))], cheaper=False))
    simulation = run(policy, Word())
    simulation.run({}, "Ask.v1")
    (assigned,) = [entry.event for entry in simulation.log if isinstance(entry.event, Assigned)]
    assert assigned.serving == Serving(models=(HAIKU,), cheaper=False)


@pytest.mark.parametrize(
    ("exhausted", "because"), [("stop", "the budget is exhausted: "), ("partial", "cannot be had")]
)
def test_where_the_budget_is_not_enough_the_team_says_what_becomes_of_the_run(exhausted: str, because: str) -> None:
    """It stops; or the task is lost, and what hangs on it."""
    failure = Failure(task="clerk-say", attempt=1, agent="clerk", kind="refused", because="0 left", exhausted=True)
    policy = Policy(goal=Ask, outcome=Said, budget=Budget(calls=1), exhausted=exhausted)  # type: ignore[arg-type]
    simulation = run(policy, failure)
    simulation.run({}, "Ask.v1")
    assert simulation.state.concluded
    assert simulation.state.concluded.status == "failed"
    assert because in simulation.state.concluded.because
