"""The picture of a plan shows what the run waits for: the same barriers, before the same steps."""

import re
from collections.abc import Iterator
from random import Random

import pytest

from hustings.agents import Policy, RunState
from hustings.agents.planning.planner import fixed
from hustings.agents.views.html.plan_graph import BOX, HEIGHT, dag
from hustings.protocols import OUTCOME, FromGoal, FromSteps, FromVerdicts, Plan, Step

from ..simulation import Simulation
from ..stories import Ask, Reviewed

NODE = re.compile(r'<rect x="([^"]*)" y="([^"]*)"[^>]*><title>(?:barrier before )?([^<]*)</title>')
EDGE = re.compile(r'<path d="M(\S+) (\S+)c\S+ \S+ \S+ \S+ (\S+) ([^"h]+)')
Arrow = tuple[str, str]

TWO_BARRIERS = [
    Step(id="ruff", skill="check", inputs={"text": FromGoal(field="text")}, agents=("ruff",), witness=True),
    Step(id="guard", skill="check", inputs={"text": FromGoal(field="text")}, agents=("guard",), witness=True),
    Step(id="draft", skill="draft", inputs={"verdicts": FromVerdicts(steps=("ruff", "guard"))}, agents=("scribe",)),
    Step(id="black", skill="check", inputs={"draft": FromSteps(steps=("draft",))}, agents=("black",), witness=True),
    Step(
        id="finish",
        skill="finish",
        inputs={"draft": FromSteps(steps=("draft",)), "verdicts": FromVerdicts(steps=("ruff", "guard", "black"))},
        agents=("scribe",),
    ),
]


@pytest.mark.parametrize("seed", range(5))
def test_the_arrows_are_what_the_run_waits_for(seed: int) -> None:
    """In whatever order the steps stand in the plan; the outcome's own arrows are those of its fields."""
    plan = Plan(
        steps=tuple(Random(seed).sample(TWO_BARRIERS, len(TWO_BARRIERS))),
        outcome={"patch": FromSteps(steps=("finish",)), "verdicts": FromVerdicts(steps=("ruff", "guard", "black"))},
    )
    drawn = {(start, end) for start, end in arrows(dag(plan, {})) if start != "goal"}
    assert {each for each in drawn if each[1] != OUTCOME} == {*waited_for(planned(plan))}
    assert {start for start, end in drawn if end == OUTCOME} == {"finish", "draft.verdicts", "finish.verdicts"}


def planned(plan: Plan) -> RunState:
    """The state of a run that has just been planned so."""
    run = Simulation(Policy(goal=Ask, outcome=Reviewed, planner=fixed(plan)), [], {})
    run.ask({"text": {"words": "it"}}, Ask.__contract__)
    run.decided()
    assert run.state.plan == plan
    return run.state


def waited_for(state: RunState) -> Iterator[Arrow]:
    for start, ends in state.after.items():
        yield from ((start, end) for end in ends if end != OUTCOME)


def arrows(svg: str) -> Iterator[Arrow]:
    """The nodes that are joined by edges, over bends if one passes a column."""
    corners = [(float(x), float(y) + HEIGHT / 2, name) for x, y, name in NODE.findall(svg)]
    entered = {(x, y): name for x, y, name in corners}
    left = [((x + BOX, y), name) for x, y, name in corners]
    edges = [tuple(map(float, found)) for found in EDGE.findall(svg)]
    while left:
        exit_, name = left.pop()
        for x, y, across, down in edges:
            if (x, y) == exit_:
                end = (x + across, y + down)
                if end in entered:
                    yield name, entered[end]
                else:
                    left.append(((end[0] + BOX, end[1]), name))
