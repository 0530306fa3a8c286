"""`hustings plan TARGET`: show the plan for a goal, and why each parameter is bound as it is. Runs no skill."""

from collections.abc import Mapping, Sequence

import click

from hustings.protocols import COORDINATOR, Data, Directory, Inquiry, Plan

from ...client.client import connect
from ...observe.sanitize import inert
from ...team import Team, brief_of, members_of, planner_of
from ...views.retries import limits
from ..frame.loading import load_team
from ..frame.options import common
from ..frame.output import emit, say
from ..frame.session import broker, go
from ..frame.settings import Settings
from .goal import Asked, Asking, changes, drafted

Limits = Mapping[tuple[str, str], Sequence[str]]  # what a skill lays down for itself, in words, by agent and skill


@click.command(cls=Asking, optional=True)
@click.argument("target", metavar="MODULE:TEAM")
@click.argument("fields", nargs=-1, type=click.UNPROCESSED, metavar="[GOAL FLAGS]...")
@click.option("--live", is_flag=True, help="Plan with the agents that are running now, instead of the team's members.")
@common
def plan(settings: Settings, target: str, fields: Asked | None, live: bool) -> int:
    """Show the plan for a goal, step by step, without running it; and which agents are skipped, and why. With the
    goal's flags, also what the team fills in of the goal."""
    return go(_plan, settings, load_team(target), fields, live)


async def _plan(settings: Settings, team: Team, asked: Asked | None, live: bool) -> int:
    if asked:
        say("\n".join(changes(team, await drafted(team, asked), asked)))
    directory = await _alive(settings, team) if live else members_of(team)
    planned = planner_of(team)(brief_of(team, directory))
    lines = {(card.agent, card.name): [*limits(card, team.retry)] for card in directory.cards}
    emit(settings, _data(planned, directory, lines), lambda _: words(planned, limits=lines))
    return 0


def _data(planned: Plan | Inquiry, directory: Directory, limits: Limits) -> Data:
    """The plan, and beside it what its skills lay down for themselves."""
    steps = planned.steps if isinstance(planned, Plan) else ()
    used = {(agent, step.skill) for step in steps for agent in step.agents if limits.get((agent, step.skill))}
    own = [card for card in directory.cards if (card.agent, card.name) in used]
    skills = {f"{card.agent}.{card.name}": card.model_dump(mode="json", include={"retry", "timeout"}) for card in own}
    return planned.model_dump(mode="json") | ({"skills": skills} if skills else {})


async def _alive(settings: Settings, team: Team) -> Directory:
    async with broker(settings, start="never") as url, connect(team, url, name="plan") as client:
        there = {present.name for present in await client.bus.live.roll_call()} - {COORDINATOR}
        cards = [card for name in sorted(there) if (card := await client.bus.live.card(name))]
        return Directory(cards=tuple(skill for card in cards for skill in card.skills), alive=frozenset(there))


def words(planned: Plan | Inquiry, *, limits: Limits) -> str:
    """A plan for people: the steps in order, each binding with its reason, how the skill is retried if not as the team
    says, who is asked, who is skipped or absent."""
    if isinstance(planned, Inquiry):
        return inert(f"the planner calls the skill {planned.skill} first; there is no plan before it has answered")
    lines = []
    for number, step in enumerate(planned.steps, 1):
        fan = f", one task for each of {step.each}" if step.each else ""
        heard = ", a witness" if step.witness else ""
        lines.append(f"{number}. {step.id}: {step.skill} by {' or '.join(step.agents)}{fan}{heard}")
        lines += [f"     {name}: {planned.because.get(f'{step.id}.{name}', '')}" for name in step.inputs]
        for agent in step.agents:
            whose = f"{agent}: " if len(step.agents) > 1 else ""
            lines += [f"     {whose}{line}" for line in limits.get((agent, step.skill), ())]
    lines.append("outcome")
    lines += [f"     {name}: {planned.because.get(f'outcome.{name}', '')}" for name in planned.outcome]
    lines += [f"{who}: asked by the arbiter {arbiter}" for who, arbiter in planned.asked.items()]
    lines += [f"skipped {who}: {why}" for who, why in planned.skipped.items()]
    if planned.absent:
        lines.append(f"absent: {', '.join(planned.absent)}")
    return inert("\n".join(lines))
