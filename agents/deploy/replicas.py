"""Replicas: the processes of one part of a team, numbered; restarted and scaled while the team runs."""

import sys
from collections.abc import Mapping
from typing import NamedTuple

from hustings.protocols import COORDINATOR, NotFound, UsageError

from ..team import Team
from .control import Reply, Request
from .supervisor import Child, Supervisor

READY = '"event": "ready"'  # in the log line of a part that takes work from now on


class Parts(NamedTuple):
    """The parts of a team, as processes: what to run, and on which broker."""

    target: str
    team: Team
    url: str
    env: Mapping[str, str] | None = None

    def replica(self, name: str, number: int = 1) -> Child:
        """The process of a part with this number, from 1."""
        program = (sys.executable, "-m", "hustings.agents.cli")
        verb = ("agent", self.target, "--only", name, "--team", self.team.name)
        argv = (*program, "coordinator", self.target) if name == COORDINATOR else (*program, *verb)
        env = {**(self.env or {}), "HUSTINGS_URL": self.url}  # not on the command line, which everybody can see
        return Child(name if number == 1 else f"{name}.{number}", argv, env)


def part_of(child: str) -> str:
    """The part of the team that a child of this name is a replica of."""
    return child.partition(".")[0]


def number_of(child: str) -> int:
    """The number of a replica, from its name."""
    return int(child.partition(".")[2] or 1)


async def control(supervisor: Supervisor, parts: Parts, request: Request) -> Reply:
    """Do what was asked for. Raises NotFound, UsageError."""
    if request.do == "restart":
        return Reply(ready=await restart(supervisor, request.name))
    return await scale(supervisor, parts, request.name, request.replicas or 0)


async def restart(supervisor: Supervisor, name: str) -> dict[str, bool]:
    """Restart a part's processes, or one of them, one after the other; ends with the first that does not get ready.

    Gives those that were tried, and whether the new process took over from the old one. Raises NotFound.
    """
    ready: dict[str, bool] = {}
    for child in _named(supervisor, name):
        ready[child] = await supervisor.restart(child)
        if not ready[child]:
            break
    return ready


async def scale(supervisor: Supervisor, parts: Parts, name: str, replicas: int) -> Reply:
    """Start or stop processes of a part until it has so many. Raises NotFound: no such part; UsageError."""
    if name == COORDINATOR and replicas < 1:
        raise UsageError("a team cannot do without a coordinator", "no run would go on")
    if name != COORDINATOR:
        parts.team.specialist(name)
    there = {status.name for status in supervisor.statuses if part_of(status.name) == name}
    wanted = [parts.replica(name, number) for number in range(1, replicas + 1)]
    surplus = sorted(there - {child.name for child in wanted}, key=number_of, reverse=True)
    for each in surplus:
        await supervisor.remove(each)
    group = 0 if name == COORDINATOR else 1
    ready = {child.name: await supervisor.add(child, group=group) for child in wanted if child.name not in there}
    return Reply(ready=ready, stopped=tuple(surplus))


def _named(supervisor: Supervisor, name: str) -> list[str]:
    names = [status.name for status in supervisor.statuses]
    found = [each for each in names if name in (each, part_of(each))]
    if not found:
        there = f"this team has {', '.join(names) or 'none'}"
        raise NotFound(f"there is no process {name}", there, "`hustings ps` lists the processes.")
    return found
