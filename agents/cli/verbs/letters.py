"""Letters: find the dead letters that a person names."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, TypeVar, get_args

import click

from hustings.bus import connect
from hustings.protocols import NotFound, UsageError
from hustings.protocols.events import FailureKind

from ...client.client import Client
from ...history.dead_letters import DeadLetterEntry
from ..frame.session import (
    NAME,
    Start,
    broker,
    bus_of,
    chosen,
    find,
)
from ..frame.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])


class Selection(NamedTuple):
    """Which dead letters: those with these ids, or all that match the filters."""

    ids: tuple[str, ...] = ()
    cause: str | None = None
    agent: str | None = None
    run: str | None = None
    team: str | None = None
    all: bool = False

    def fits(self, letter: DeadLetterEntry) -> bool:
        """True if a dead letter has this cause, agent and run; those not given match all."""
        pairs = ((self.cause, letter.cause), (self.agent, letter.agent), (self.run, letter.run))
        return all(wanted in (None, has) for wanted, has in pairs)

    def check(self) -> None:
        """Raises UsageError unless either ids or filters are given."""
        filtered = self.all or any((self.cause, self.agent, self.run))
        if bool(self.ids) == filtered:
            why = "ids and filters exclude each other" if filtered else "neither an id nor a filter is given"
            hint = "Name ids, or use --cause, --agent, --run or --all; `hustings dead ls` lists them."
            raise UsageError("it is not clear which dead letters are meant", why, hint)


class Reading(NamedTuple):
    """All dead letters, and a client for each team. `fits` are the wanted ones, whatever their status."""

    clients: dict[str, Client]
    letters: list[DeadLetterEntry]
    fits: list[DeadLetterEntry]


def filters(command: Command) -> Command:
    """Give a verb the options that select dead letters; their values arrive as the fields of Wanted."""
    for option in (
        click.option("--team", help="Only those of this team."),
        click.option("--run", help="Only those of this run: an id, the beginning of one, @last or @prev."),
        click.option("--agent", metavar="NAME", help="Only those of this agent."),
        click.option("--cause", type=click.Choice(get_args(FailureKind)), help="Only those that failed in this way."),
    ):
        command = option(command)
    return command


@asynccontextmanager
async def reading(settings: Settings, wanted: Selection, *, start: Start = "if-stored") -> AsyncIterator[Reading]:
    """The dead letters, over an open connection. Raises as `broker` and `find`."""
    async with broker(settings, start=start) as url:
        if wanted.run:
            team, run = await find(url, wanted.run, wanted.team)
            wanted = wanted._replace(team=team, run=run)
        async with connect(url, name=NAME) as connection:
            clients = {team: Client(bus_of(connection, team), NAME) for team in await chosen(connection, wanted.team)}
            letters = [letter for client in clients.values() for letter in await client.dead()]
            yield Reading(clients, letters, [letter for letter in letters if wanted.fits(letter)])


def named(id: str, letters: Sequence[DeadLetterEntry]) -> DeadLetterEntry:
    """The dead letter with this id, or the only one whose id begins so. Raises NotFound, which lists the last ones."""
    fits = [letter for letter in letters if letter.id.startswith(id)]
    found = [letter for letter in fits if letter.id == id] or fits
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(f"{letter.id} of {letter.team}" for letter in found[:5])
        raise NotFound(f"{id} fits several dead letters", f"they are {ids}", "Type more of the id, or add --team.")
    there = ", ".join(letter.id for letter in letters[-5:]) or "none"
    raise NotFound(
        f"there is no dead letter {id}", f"the last ones are {there}", "`hustings dead ls --all` lists them."
    )


def still_dead(wanted: Selection, there: Reading) -> list[DeadLetterEntry]:
    """The wanted dead letters that are still open. Raises NotFound; UsageError: one of them was dealt with earlier."""
    if not wanted.ids:
        return [letter for letter in there.fits if letter.status == "dead"]
    found = [named(id, there.letters) for id in wanted.ids]
    for letter in found:
        if letter.status != "dead":
            hint = f"`hustings show {letter.redriven_by}` shows the result." if letter.redriven_by else ""
            by = letter.redriven_by or letter.discarded_by
            raise UsageError(f"{letter.id} is already {letter.status}", f"by {by}", hint)
    return list({letter.id: letter for letter in found}.values())
