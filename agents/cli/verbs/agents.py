"""`hustings agents`: the live agents and their skills."""

import json
from collections import Counter
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

import anyio
import click

from hustings.bus import Bus, Connection, connect
from hustings.protocols import AgentCard, Contract, NotFound, SkillCard

from ...observe.sanitize import inert
from ...views.retries import limits
from ...views.text import plain, some
from ..frame.options import common
from ..frame.output import emit
from ..frame.session import (
    NAME,
    broker,
    bus_of,
    chosen,
    go,
)
from ..frame.settings import Settings
from ..frame.table import table


class Seen(NamedTuple):
    """An agent that answered: all versions of its instances, how many they are, and the card that one of them sent; no
    card if the broker passed on none in time."""

    team: str
    name: str
    version: str
    instances: int
    card: AgentCard | None

    @property
    def id(self) -> str:
        return f"{self.team}/{self.name}"

    @property
    def skills(self) -> tuple[SkillCard, ...]:
        return self.card.skills if self.card else ()


@click.command()
@click.argument("name", required=False)
@click.option("--team", help="Only agents of this team.")
@common
def agents(settings: Settings, name: str | None, team: str | None) -> None:
    """List the live specialists and their skills; with NAME, show everything that one of them declares.

    What a witness returns is testimony.
    """
    seen = go(_agents, settings, team)
    if name is None:
        emit(settings, [_row(one) for one in seen], lambda _: _text(seen))
    else:
        one, card = _card(name, seen)
        emit(settings, {**_row(one), "schemas": card.schemas}, lambda _: _card_text(card))


async def _agents(settings: Settings, team: str | None) -> list[Seen]:
    async with broker(settings, start="never") as url, connect(url, name=NAME) as connection:
        return await present(connection, team)


async def present(connection: Connection, team: str | None = None) -> list[Seen]:
    """The agents that answer now, of one team or of all, sorted by id. Raises NotFound: there is no such team."""
    seen: list[Seen] = []

    async def look(bus: Bus) -> None:
        everybody = await bus.live.roll_call()
        instances = Counter(one.name for one in everybody)
        versions: dict[str, set[str]] = {}
        for one in everybody:
            versions.setdefault(one.name, set()).add(one.metadata.get("version", one.version))
        async with anyio.create_task_group() as asking:
            for name in instances:
                asking.start_soon(ask, bus, name, ", ".join(sorted(versions[name])), instances[name])

    async def ask(bus: Bus, name: str, version: str, instances: int) -> None:
        seen.append(Seen(bus.team, name, version, instances, await bus.live.card(name)))

    async with anyio.create_task_group() as looking:
        for known in await chosen(connection, team):
            looking.start_soon(look, bus_of(connection, known))
    return sorted(seen, key=lambda one: one.id)


def _row(one: Seen) -> dict[str, Any]:
    return {
        "team": one.team,
        "agent": one.name,
        "version": one.version,
        "instances": one.instances,
        "description": one.card.description if one.card else "",
        "skills": [
            {
                "skill": skill.name,
                "description": skill.description,
                "inputs": {name: contract.plain() for name, contract in skill.inputs.items()},
                "output": skill.output.plain(),
                "witness": skill.witness,
            }
            for skill in one.skills
        ],
    }


def _text(seen: list[Seen]) -> str:
    rows: list[tuple[object, ...]] = []
    for one in seen:
        skills = [_skill(skill) for skill in one.skills] or ["-" if one.card else "sent no card"]
        rows.append((one.id, one.version, one.instances, skills[0]))
        rows += [("", "", "", skill) for skill in skills[1:]]
    return table(("agent", "version", "instances", "skills"), rows) or "no agent is running"


def _skill(skill: SkillCard) -> str:
    mark = " (witness)" if skill.witness else ""
    return f"{skill.name}({_inputs(skill.inputs)}) -> {_contract(skill.output)}{mark}"


def _inputs(inputs: Mapping[str, Contract]) -> str:
    return ", ".join(f"{name}: {_contract(contract)}" for name, contract in inputs.items())


def _contract(contract: Contract) -> str:
    many = f"list[{contract.type}]" if contract.many else contract.type
    return f"{many}?" if contract.optional else many


def _card(name: str, seen: list[Seen]) -> tuple[Seen, AgentCard]:
    found = [one for one in seen if name in (one.name, one.id)]
    if len(found) == 1 and found[0].card:
        return found[0], found[0].card
    if found:
        why = (
            f"it fits {' and '.join(one.id for one in found)}" if len(found) > 1 else "the agent did not answer in time"
        )
        raise NotFound(
            f"cannot show one card for {name}", why, "Write it as TEAM/NAME." if len(found) > 1 else "Try again."
        )
    names = [one.name for one in seen]
    near = get_close_matches(name, names, 1)
    there = ", ".join(names) or "none"
    raise NotFound(f"no agent {name} is running", f"running: {there}", f"Did you mean {near[0]}?" if near else "")


def _skill_text(skill: SkillCard) -> list[str]:
    more = [f"    {plain(line)}" for line in (skill.description, *limits(skill)) if line]
    return [plain(_skill(skill)), *more]


def _card_text(card: AgentCard) -> str:
    skills = [f"  {line}" for skill in card.skills for line in _skill_text(skill)]
    schemas = json.dumps(card.schemas, indent=2, ensure_ascii=False)
    lines = [
        plain(f"{card.name} {card.version}: {card.description}"),
        some(len(card.skills), "skill"),
        *skills,
        "schemas",
        *(f"  {inert(line)}" for line in schemas.splitlines()),
    ]
    return "\n".join(lines)
