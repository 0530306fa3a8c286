"""The teams of the simulation. What a skill does outside is written to a sink that would take it twice."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import anyio

from hustings.agents import Specialist, TaskContext, Team, majority, unopposed
from hustings.agents.planning.planner import fixed
from hustings.protocols import (
    AgentCard,
    Claim,
    FromGoal,
    FromSteps,
    FromVerdicts,
    Goal,
    Message,
    Outcome,
    Plan,
    Ref,
    RetryPolicy,
    Step,
    Testimony,
    Verdict,
)


class Count(Goal, contract="sim.Count.v1"):
    """Square the numbers below `upto`, and sum them up."""

    upto: int


class Number(Message, contract="sim.Number.v1"):
    value: int


class Square(Message, contract="sim.Square.v1"):
    """A square, and which attempt at it this is."""

    number: int
    value: int
    attempt: int


class Total(Message, contract="sim.Total.v1"):
    value: int
    attempt: int


class Sum(Outcome, contract="sim.Sum.v1"):
    total: Total


class Agreed(Outcome, contract="sim.Agreed.v1"):
    verdicts: list[Verdict]
    total: Total


class Hiccup(Exception):
    """The world outside does not answer at this moment."""


@dataclass
class Sink:
    """The world outside: each effect under its key. `pace` is how long a piece of work takes at this moment, `fails`
    whether it fails."""

    pace: Callable[[], float] = lambda: 0.0
    fails: Callable[[], bool] = lambda: False
    effects: list[tuple[str, str, int]] = field(default_factory=list)  # run, skill, which
    keys: set[str] = field(default_factory=set)

    async def work(self, context: TaskContext, skill: str, which: int) -> None:
        """Take a while, have the effect unless it was had under this key, and take a while again. Raises Hiccup."""
        await anyio.sleep(self.pace())
        if self.fails():
            raise Hiccup(which)
        key = context.once()
        if key not in self.keys:
            self.keys.add(key)
            self.effects.append((context.run, skill, which))
        await anyio.sleep(self.pace() / 4)


sink = Sink()


class Member(Specialist):
    """A specialist whose card is made once: to make it costs as much as a fifth of a seed."""

    @cached_property
    def _card(self) -> AgentCard:
        return super().card()

    def card(self) -> AgentCard:
        return self._card


splitter = Member("splitter", "cuts a goal into numbers")
ann = Member("ann", "squares, two at a time", max_concurrent_tasks=2)
bob = Member("bob", "squares as well")
summer = Member("summer", "sums up")


@splitter.skill
async def split(count: Count, context: TaskContext) -> list[Number]:
    await sink.work(context, "split", 0)
    return [Number(value=n) for n in range(count.upto)]


async def square(number: Number, context: TaskContext) -> Square:
    await sink.work(context, "square", number.value)
    return Square(number=number.value, value=number.value**2, attempt=context.attempt)


async def doubt(number: Number, context: TaskContext) -> Testimony:
    """Claim what the square is; of the odd ones bob and ann say different things."""
    await sink.work(context, f"doubt-{context.task.partition('-')[0]}", number.value)
    return Testimony(claims=(Claim(about=f"square {number.value}", value=number.value**2),))


ann.skill(square, timeout=3.0)
bob.skill(square)
ann.skill(doubt)
bob.skill(doubt)


@summer.skill(retry=RetryPolicy(max_attempts=20, initial_interval=1.5, backoff=1.0, jitter=0.0))
async def total(squares: list[Square], context: TaskContext) -> Total:
    await sink.work(context, "total", 0)
    return Total(value=sum(square.value for square in squares), attempt=context.attempt)


@summer.skill
async def weigh(verdicts: list[Verdict], context: TaskContext) -> Total:
    await sink.work(context, "weigh", 0)
    return Total(value=sum(1 for verdict in verdicts if verdict.decided), attempt=context.attempt)


_split = Step(id="split", skill="split", inputs={"count": FromGoal()}, agents=("splitter",), many=True)
_numbers: dict[str, Ref] = {"number": FromSteps(steps=("split",), many=True)}

_sums = Plan(
    steps=(
        _split,
        Step(id="square", skill="square", inputs=_numbers, agents=("ann", "bob"), each="number"),
        Step(
            id="total", skill="total", inputs={"squares": FromSteps(steps=("square",), many=True)}, agents=("summer",)
        ),
    ),
    outcome={"total": FromSteps(steps=("total",))},
)
_heard = FromVerdicts(steps=("ann", "bob"))
_doubts = Plan(
    steps=(
        _split,
        Step(id="ann", skill="doubt", inputs=_numbers, agents=("ann",), each="number", witness=True),
        Step(id="bob", skill="doubt", inputs=_numbers, agents=("bob", "ann"), each="number", witness=True),
        Step(id="weigh", skill="weigh", inputs={"verdicts": _heard}, agents=("summer",)),
    ),
    outcome={"verdicts": _heard, "total": FromSteps(steps=("weigh",))},
)

_members = (splitter, ann, bob, summer)
_base: Team = Team(
    name="sim",
    goal=Count,
    outcome=Sum,
    specialists=_members,
    retry=RetryPolicy(max_attempts=20, initial_interval=0.5, max_interval=4.0, jitter=0.5),
    attempt_timeout=60.0,
    discovery_timeout=60.0,
    heartbeat_timeout=4.0,
)

sums = replace(_base, planner=fixed(_sums))
doubts = replace(_base, outcome=Agreed, planner=fixed(_doubts), arbiters=(unopposed, majority))
