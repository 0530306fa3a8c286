"""`hustings isolated TARGET...`: a child of `hustings agent` that gets one task at a time. Not for people."""

import signal
from collections.abc import Sequence

import anyio
import click

from hustings.bus import open_bus

from ...deploy.launch import until_told
from ...deploy.watchdog import Watchdog
from ...observe.logs import configure_logging
from ...observe.telemetry import set_up
from ...runtime.isolation import Pipes, serve_isolated
from ...runtime.process import die_with_parent
from ...skills.specialist import Specialist
from ..frame.loading import load
from ..frame.options import common, level
from ..frame.session import broker, go
from ..frame.settings import Settings
from ..frame.streams import stdout
from .agent import chosen, heartbeat_timeout_of


@click.command()
@click.argument("targets", nargs=-1, required=True)
@click.option("--only", multiple=True)
@click.option("--team", required=True)
@click.option("--terminal", type=int, help="The descriptor to read from, for a debugger.")
@common
def isolated(settings: Settings, targets: Sequence[str], only: Sequence[str], team: str, terminal: int | None) -> int:
    """Try tasks that may end their process, in isolation. `hustings agent` starts this by itself."""
    pipes = Pipes(0, stdout().fileno(), terminal)
    die_with_parent(signal.SIGKILL)
    found = [load(target) for target in targets]
    specialists = chosen(found, only)
    configure_logging(specialists[0].name, level=level(settings, specialists[0].name, supervised=True))
    set_up(specialists[0].name)
    watchdog = Watchdog(heartbeat_timeout_of(found) if terminal is None else 0)
    watchdog.code = go(_try, settings, specialists, team, pipes, watchdog)
    return watchdog.code


async def _try(
    settings: Settings, specialists: Sequence[Specialist], team: str, pipes: Pipes, watchdog: Watchdog
) -> int:
    async with (
        watchdog.watching(),
        broker(settings) as url,
        open_bus(url, team, name=specialists[0].name) as bus,
        anyio.create_task_group() as group,
    ):
        group.start_soon(_end_when_told, group.cancel_scope)
        await serve_isolated(pipes, specialists, bus)
        group.cancel_scope.cancel()
    return 0


async def _end_when_told(work: anyio.CancelScope) -> None:
    await until_told()
    work.cancel()
