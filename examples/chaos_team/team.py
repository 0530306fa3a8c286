"""The chaos team: a cloud of small tasks that two agents can do equally, each with an effect outside, and a tally."""

import time

from hustings import Goal, Message, Outcome, RetryPolicy, Specialist, TaskContext, Team
from hustings.agents import Brief
from hustings.bus import failpoint
from hustings.protocols import Data, FromGoal, FromSteps, Plan, Step

from .effects import effect

WORK = (0.05, 0.10, 0.20, 0.45)  # seconds a task takes, by its number


class Storm(Goal, contract="chaos.Storm.v1"):
    """So many tasks."""

    tasks: int


class Drop(Message, contract="chaos.Drop.v1"):
    number: int


class Splash(Message, contract="chaos.Splash.v1"):
    number: int


class Puddle(Message, contract="chaos.Puddle.v1"):
    """How many drops fell, each counted once."""

    drops: int


class Weather(Outcome, contract="chaos.Weather.v1"):
    puddle: Puddle


cloud = Specialist("cloud", "makes drops")
north = Specialist("north", "lets drops fall", max_concurrent_tasks=4)
south = Specialist("south", "lets drops fall", max_concurrent_tasks=4)
gauge = Specialist("gauge", "counts what fell")


@cloud.skill
def rain(storm: Storm) -> list[Drop]:
    return [Drop(number=number) for number in range(storm.tasks)]


def fall(drop: Drop, context: TaskContext) -> Splash:
    """Take a while, and leave a mark that can be counted."""
    about: Data = {"run": context.run, "task": context.task, "attempt": context.attempt}
    failpoint("work.before", **about)
    time.sleep(WORK[drop.number % len(WORK)])
    effect(context)
    failpoint("work.after", **about)
    return Splash(number=drop.number)


north.skill(fall)
south.skill(fall)


@gauge.skill
def measure(splashes: list[Splash]) -> Puddle:
    return Puddle(drops=len({splash.number for splash in splashes}))


def plan(brief: Brief) -> Plan:
    """Either of the two can do any of the drops."""
    drops = {"drop": FromSteps(steps=("rain",), many=True)}
    splashes = {"splashes": FromSteps(steps=("fall",), many=True)}
    return Plan(
        steps=(
            Step(id="rain", skill="rain", inputs={"storm": FromGoal()}, agents=("cloud",), many=True),
            Step(id="fall", skill="fall", inputs={**drops}, agents=("north", "south"), each="drop"),
            Step(id="measure", skill="measure", inputs={**splashes}, agents=("gauge",)),
        ),
        outcome={"puddle": FromSteps(steps=("measure",))},
        absent=brief.absent(),
    )


team = Team(
    "chaos",
    goal=Storm,
    outcome=Weather,
    specialists=[cloud, north, south, gauge],
    planner=plan,
    retry=RetryPolicy(max_attempts=50),  # kills and suspensions cost attempts, but no drop may be lost by them
)
