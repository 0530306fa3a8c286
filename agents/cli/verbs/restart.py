"""`hustings restart` and `hustings scale`: change what a running `hustings up` of this folder runs."""

from collections.abc import Mapping

import click

from hustings.protocols import COORDINATOR, HustingsError, NotFound, UsageError

from ...deploy.control import Reply, Request, ask
from ...deploy.records import records
from ...deploy.replicas import part_of
from ..frame.options import common
from ..frame.output import emit
from ..frame.session import go
from ..frame.settings import Settings

team_option = click.option("--team", help="The team, if several of this folder have a part of this name.")


@click.command()
@click.argument("name")
@team_option
@common
def restart(settings: Settings, name: str, team: str | None) -> None:
    """Restart the processes of a part of a running team: a specialist, the coordinator, or one process, like NAME.2.

    Rolling: each new process is ready before the old one is told to stop, so nothing is lost. If a new one does not get
    ready, the old one goes on.
    """
    reply = go(_ask, settings, team, Request(do="restart", name=name))
    _tell(settings, dict.fromkeys(_ready(reply, "the old process goes on"), "restarted"))


@click.command()
@click.argument("wanted", metavar="NAME=N")
@team_option
@common
def scale(settings: Settings, wanted: str, team: str | None) -> None:
    """Have N processes of a part of a running team. With 0, a specialist's tasks wait until one is there again."""
    name, _, number = wanted.partition("=")
    if not number.isdigit():
        raise UsageError(f"{wanted!r} is not a number of replicas", "the form is NAME=N")
    reply = go(_ask, settings, team, Request(do="scale", name=name, replicas=int(number)))
    started = dict.fromkeys(_ready(reply, "its supervisor starts it again"), "started")
    _tell(settings, started | dict.fromkeys(reply.stopped, "stopped"), otherwise=f"{wanted} already")


def _ready(reply: Reply, then: str) -> list[str]:
    """Those that became ready. Raises HustingsError if one did not."""
    for child, ready in reply.ready.items():
        if not ready:
            raise HustingsError(
                f"the new process of {child} did not get ready", then, f"See `hustings logs {part_of(child)}`."
            )
    return list(reply.ready)


def _tell(settings: Settings, processes: Mapping[str, str], otherwise: str = "") -> None:
    """Print what was done with each process."""
    text = "\n".join(f"{status} {process}" for process, status in processes.items())
    emit(settings, rows_of(processes), lambda _: text or otherwise)


def rows_of(processes: Mapping[str, str]) -> list[dict[str, str]]:
    """What was done with each process, for JSON."""
    return [{"process": process, "status": status} for process, status in processes.items()]


async def _ask(settings: Settings, team: str | None, request: Request) -> Reply:
    """The reply of the one supervisor of this folder that runs this part. Raises NotFound, UsageError."""
    known = [(path.with_suffix(".sock"), one) for path, one in records(settings.home)]
    ups = [(socket, one) for socket, one in known if socket.is_socket() and team in (None, one.team)]
    if not ups:
        raise NotFound(f"no `hustings up` runs from {settings.home.parent}", "only what it started can be changed")
    part = part_of(request.name)
    fit = [up for up in ups if part in {part_of(child.name) for child in up[1].children}] or ups
    if len(fit) > 1:
        teams = ", ".join(f"{one.team}, pid {one.pid}" for _, one in fit)
        hint = "Name it with --team." if part != COORDINATOR or len({one.team for _, one in fit}) > 1 else ""
        raise UsageError(f"it is not clear which {request.name} is meant", f"these run here: {teams}", hint)
    return await ask(fit[0][0], request)
