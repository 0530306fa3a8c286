"""Joining: which team an agent that a person starts works for, on which broker, and why."""

from dataclasses import replace
from typing import NamedTuple

from hustings.bus import find_embedded, open_bus
from hustings.protocols import COORDINATOR, UsageError

from ...deploy.neighbours import homes
from ...deploy.records import supervised
from ..frame.session import teams
from ..frame.settings import Settings

NAME_IT = "Name it with --team."
START_IT = "Start one with `hustings up`, give the address of its broker with --url, or name it with --team."


class Wanted(NamedTuple):
    """The team that was named, if one was; `because`: where it is named, or why it was chosen."""

    team: str | None
    because: str


class Place(NamedTuple):
    """Where the broker is to be found, and which team is wanted there."""

    settings: Settings
    wanted: Wanted


def nearest(settings: Settings, wanted: Wanted) -> Place:
    """The broker of the settings, else that of this folder. If this folder has never had one: that of the only other
    folder in which this user has the wanted team up.

    Raises UsageError: it is up in several folders; or no team is named, and no broker ever ran here.
    """
    if settings.url or find_embedded(settings.home) or (settings.home / "store").is_dir():
        return Place(settings, wanted)
    ups = sorted({(home, one.team) for home in homes() for one in supervised(home)})
    listed = ", ".join(f"{team} in {home.parent}" for home, team in ups) or "none"
    if wanted.team is None:
        why = f"no broker runs in {settings.home}; teams that you have up in other folders: {listed}"
        raise UsageError("the team is not clear", why, NAME_IT if ups else START_IT)
    fits = [home for home, team in ups if team == wanted.team]
    if len(fits) > 1:
        hint = "Start the agent in one of these folders, or set HUSTINGS_HOME to its .hustings."
        raise UsageError(f"several teams are named {wanted.team}", f"up in other folders: {listed}", hint)
    if not fits:
        return Place(settings, Wanted(wanted.team, f"{wanted.because}; it is up in no other folder"))
    because = f"{wanted.because}, and you have it up in {fits[0].parent}"
    return Place(replace(settings, home=fits[0]), Wanted(wanted.team, because))


async def chosen_team(url: str, wanted: Wanted) -> Wanted:
    """The wanted team, or the only one on this broker, or of several the only one that is up. Raises UsageError."""
    known = await teams(url)
    if wanted.team:
        others = f", there is {', '.join(known)}" if known else ""
        return wanted if wanted.team in known else Wanted(wanted.team, f"{wanted.because}; it is new here{others}")
    if len(known) == 1:
        return Wanted(known[0], "it is the only team on this broker")
    up = [name for name in known if await _has_coordinator(url, name)]
    if len(up) == 1:
        return Wanted(up[0], f"of {', '.join(known)} it is the only one that is up")
    if not known:
        raise UsageError("there is no team to join", "this broker has none yet", START_IT)
    state = f"{', '.join(up)} are up" if up else "none of them is up"
    raise UsageError("the team is not clear", f"this broker has {', '.join(known)}; {state}", NAME_IT)


async def _has_coordinator(url: str, team: str) -> bool:
    async with open_bus(url, team, name="look") as bus:
        return any(present.name == COORDINATOR for present in await bus.live.roll_call())
