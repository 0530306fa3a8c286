"""Options: those that every verb has, and --durability, which few have."""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

import click

from .errors import Boundary
from .settings import (
    CHOICES,
    TYPES,
    Settings,
    resolve,
)
from .streams import reserved

P = ParamSpec("P")
R = TypeVar("R")

COMMON = frozenset({"-o", "--output", "--color", "-u", "--url", "--debug"})


def common(verb: Callable[Concatenate[Settings, P], R]) -> Callable[P, R]:
    """Give a verb the options of all verbs; the verb gets them as Settings, its first argument.

    Put it directly above the function; the verb's own options arrive as keywords. Raises UsageError if hustings.toml is
    wrong.
    """
    return _common(verb, ("-o", "--output"), CHOICES["output"])


def common_and(
    *suffixes: str,
) -> Callable[[Callable[Concatenate[Settings, P], R]], Callable[P, R]]:
    """As `common`, for a verb that runs a team: -o, which is --format too here, takes these suffixes as well, and
    prints the file with that suffix which the team makes of a report."""

    def give(verb: Callable[Concatenate[Settings, P], R]) -> Callable[P, R]:
        return _common(verb, ("-o", "--format", "--output"), (*CHOICES["output"], *suffixes))

    return give


def _common(
    verb: Callable[Concatenate[Settings, P], R], output: Sequence[str], formats: Sequence[str]
) -> Callable[P, R]:
    @wraps(verb)
    def command(*args: P.args, **kwargs: P.kwargs) -> R:
        flags = {name: kwargs.pop(name, None) for name in TYPES}
        settings = resolve(flags, os.environ, Path.cwd())
        boundary = click.get_current_context().find_object(Boundary)
        if boundary is not None:
            boundary.debug = settings.debug
        with reserved():
            return verb(settings, *args, **kwargs)

    options: list[Callable[[Any], Any]] = [
        click.option(*output, "output", type=click.Choice(formats), envvar="HUSTINGS_OUTPUT", show_envvar=True,
                     help="What to write to stdout.  [default: text]"),
        click.option("--color", type=click.Choice(CHOICES["color"]), envvar="HUSTINGS_COLOR", show_envvar=True,
                     help="When to use colours; NO_COLOR and FORCE_COLOR are honoured.  [default: auto]"),
        click.option("-u", "--url", envvar=["HUSTINGS_URL", "NATS_URL"], show_envvar=True,
                     help="The broker.  [default: an embedded one]"),
        click.option("--debug", is_flag=True, default=None, envvar="HUSTINGS_DEBUG", show_envvar=True,
                     help="Show the traceback of an error."),
    ]  # fmt: skip
    for option in reversed(options):
        option(command)
    return cast(Callable[P, R], command)


def durability(command: Callable[P, R]) -> Callable[P, R]:
    """Give a verb that may start the broker the option --durability, whose value is in the Settings too."""
    return click.option(
        "--durability", type=click.Choice(CHOICES["durability"]), envvar="HUSTINGS_DURABILITY", show_envvar=True,
        help="What a confirmed write to the embedded broker survives: power loss, or the end of a process (faster).",
    )(command)  # fmt: skip


def verbosity(command: Callable[P, R]) -> Callable[P, R]:
    """Give a verb that starts processes, or is one, the option -v; the value is for `loud`."""
    return click.option(
        "-v", "--verbose", count=True, help="Show the processes' logs; -vv also of level debug. HUSTINGS_LOG, or `log`"
        " in hustings.toml, has levels by agent: clerk=debug,warning.",
    )(command)  # fmt: skip


def loud(settings: Settings, verbose: int) -> Settings:
    """The settings with the log level of -v (info) or -vv (debug)."""
    return replace(settings, log="debug" if verbose > 1 else "info") if verbose else settings


def level(settings: Settings, name: str, supervised: bool) -> str:
    """The log level of the process `name`. A supervised one logs from "info" on: its supervisor follows these events,
    and leaves out what is not to be shown."""
    from ...observe.logs import level_of

    wanted = level_of(name, settings.log)
    return "info" if supervised and wanted != "debug" else wanted
