"""`hustings coordinator TARGET`: a team's coordinator in a process of its own. A team may have any number of them."""

import click

from hustings.bus import background, open_bus
from hustings.protocols import COORDINATOR

from ...client.client import new_run
from ...deploy.launch import until_told
from ...observe.logs import configure_logging
from ...observe.telemetry import set_up
from ...runtime.coordinator import coordinate
from ...runtime.process import die_with_parent
from ..frame.loading import load_team
from ..frame.options import common, level, loud, verbosity
from ..frame.session import broker, go
from ..frame.settings import Settings


@click.command()
@click.argument("target")
@verbosity
@common
def coordinator(settings: Settings, target: str, verbose: int) -> int:
    """Run the coordinator of the team TARGET (MODULE:TEAM) until it is told to stop."""
    supervised = die_with_parent()
    settings = loud(settings, verbose)
    configure_logging(COORDINATOR, level=level(settings, COORDINATOR, supervised))
    return go(_coordinate, settings, target)


async def _coordinate(settings: Settings, target: str) -> int:
    team = load_team(target)
    set_up(COORDINATOR)
    async with broker(settings, start="always") as url, open_bus(url, team.name, name=COORDINATOR) as bus:

        async def work() -> None:
            await coordinate(bus, team.policy(), instance=f"{COORDINATOR}-{new_run()}")

        async with background(work):
            return await until_told()
