"""`hustings demo`: the bundled review board reviews a real package, offline."""

import tempfile
from functools import partial
from importlib import import_module
from pathlib import Path

import click

from ..frame.loading import load_team
from ..frame.options import common, durability, loud, verbosity
from ..frame.output import say
from ..frame.session import go
from ..frame.settings import Settings
from .goal import parse
from .run import RunOptions, pursue

EXAMPLE = "hustings.examples.review_board.demo"  # imported by name: nothing in this package may depend on an example


@click.command()
@verbosity
@durability
@common
def demo(settings: Settings, verbose: int) -> int:
    """Let real code tools, each its own process, review a copy of the installed simplejson, and settle their
    disagreements. Needs no network, no key and no account."""
    example = import_module(EXAMPLE)
    team = load_team(example.TARGET)
    with tempfile.TemporaryDirectory(prefix="hustings-demo-") as folder:
        path = example.target(Path(folder))
        say(f"reviewing a copy of {path.name}, offline, with {len(team.specialists)} specialists")
        return go(
            pursue,
            loud(settings, verbose),
            example.TARGET,
            team,
            parse(team, example.TARGET, [*example.FLAGS, "--repository", str(path)]),
            RunOptions(),
            partial(example.epilogue, path),
        )
