"""`hustings dev TARGET`: a team that is up, of which each part is reloaded when its files are saved."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing
from difflib import unified_diff
from functools import partial
from importlib.util import cache_from_source, find_spec
from pathlib import Path

import anyio
import click

from hustings.bus import background
from hustings.protocols import UsageError

from ...client.client import Client, new_run
from ...deploy.forking import ForkServer, fork_server
from ...deploy.launch import until_told
from ...deploy.replicas import part_of
from ...deploy.sources import Sources
from ...deploy.supervisor import Supervisor
from ...history.run_report import RunReport
from ...observe.sanitize import inert, masked
from ...team import Team
from ..frame.loading import load_team
from ..frame.options import common, durability, loud, verbosity
from ..frame.output import echo, say
from ..frame.session import go
from ..frame.settings import Settings
from .up import parts_of, team_up

QUIET = 100  # milliseconds without a save, after which the saved files are reloaded together


@click.command()
@click.argument("target", metavar="MODULE:TEAM")
@click.option("--again", is_flag=True, help="After each reload ask the last goal again, and show what changed.")
@click.option("--skip", multiple=True, metavar="NAME,...", help="Leave these parts out: somebody else starts them.")
@verbosity
@durability
@common
def dev(settings: Settings, target: str, again: bool, skip: Sequence[str], verbose: int) -> int:
    """Start a team as `hustings up` does, and restart each agent when a file that it imports is saved.

    The new process is ready before the old one stops; after an error in the file the old one goes on. Needs the extra
    hustings[dev].
    """
    if find_spec("watchfiles") is None:
        raise UsageError("watchfiles is not installed", "hustings dev needs it", "pip install 'hustings[dev]'")
    team = load_team(target)
    return go(_dev, loud(settings, verbose), target, team, parts_of(team, (), skip), again)


async def _dev(settings: Settings, target: str, team: Team, parts: Sequence[str], again: bool) -> int:
    sources = Sources(Path.cwd(), target, team)
    async with (
        fork_server() as forks,
        team_up(settings, target, team, parts, {}, forks.spawn) as (client, supervisor),
        background(partial(_reload, supervisor, forks, sources, client if again else None)),
    ):
        return await until_told()


async def _reload(supervisor: Supervisor, forks: ForkServer, sources: Sources, client: Client | None) -> None:
    """Restart what belongs to the files that are saved, and with a client ask again; never returns."""
    from watchfiles import PythonFilter, awatch

    while True:
        parts = {part_of(each.name) for each in supervisor.statuses}
        files = {part: sources.of(part) for part in parts}
        folders = _folders(files)
        async with aclosing(awatch(*folders, watch_filter=PythonFilter(), step=QUIET, recursive=False)) as batches:
            async for changes in batches:  # what is saved while a batch is reloaded comes with the next one
                saved = {Path(path).resolve() for _, path in changes}  # noqa: ASYNC240 - a few system calls
                now = {part: sources.of(part) for part in parts}
                changed = {part for part in parts if saved & (files[part] | now[part])}
                files = now
                forks.saved(saved)
                names = [each.name for each in supervisor.statuses if part_of(each.name) in changed]
                if names and await _restarted(supervisor, names, saved) and client:
                    await _ask_again(client)
                if not _folders(files) <= folders:
                    break


def _folders(files: Mapping[str, frozenset[Path]]) -> set[Path]:
    return {file.parent for each in files.values() for file in each}


async def _restarted(supervisor: Supervisor, names: Sequence[str], saved: set[Path]) -> bool:
    """Restart these processes together; True if all new ones have taken over."""
    for file in saved:  # a file saved twice in a second, with one size, would be taken for the compiled one
        Path(cache_from_source(str(file))).unlink(missing_ok=True)  # noqa: ASYNC240 - a system call
    say(f"saved {', '.join(sorted(file.name for file in saved))}: restarting {', '.join(names)}")
    begun, ready = anyio.current_time(), dict[str, bool]()

    async def restart(name: str) -> None:
        ready[name] = await supervisor.restart(name)
        say(f"{name} did not get ready: its old process goes on") if not ready[name] else None

    async with anyio.create_task_group() as restarts:
        for name in names:
            restarts.start_soon(restart, name)
    if all(ready.values()):
        say(f"reloaded {', '.join(names)} in {anyio.current_time() - begun:.1f} s")
    return all(ready.values())


async def _ask_again(client: Client) -> None:
    """Ask the goal of the newest run once more, and show how the outcome differs."""
    if not (heads := await client.runs()):
        return say("no goal to ask again: there is no run yet")
    last = client.run(heads[0].run)
    before, goal = await last.report(), (await last.state()).goal
    if goal is None or goal.again:
        return say(f"run {last.id} has no goal to ask again")
    run = client.run(new_run())
    asked = goal.model_copy(update={"by": client.name})
    await client.bus.log.ask(run.id, asked, client=client.name)
    after = await run.wait()
    changes = list(_changes(before, after))
    how = "compared with" if changes else "the same as"
    say(f"run {after.run} {after.status} after {after.seconds:.2f} s; {how} {before.run}")
    for row in changes:
        echo(masked(inert(row)))


def _changes(before: RunReport, after: RunReport) -> Iterator[str]:
    old, new = (_rows(each) for each in (before, after))
    return unified_diff(old, new, before.run, after.run, n=1, lineterm="")


def _rows(came: RunReport) -> list[str]:
    shown = {"status": came.status, "because": came.because, "outcome": came.outcome}
    return json.dumps(shown, indent=2, ensure_ascii=False).splitlines()
