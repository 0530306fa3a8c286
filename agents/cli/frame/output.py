"""Output: data to stdout in the requested format, progress to stderr, without terminal control characters."""

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import PurePath
from typing import Any, TypeVar

import click

from ...observe.sanitize import inert, masked
from .settings import Settings
from .streams import stdout
from .width import folded, width_of

T = TypeVar("T")


def emit(settings: Settings, data: T, text: Callable[[T], str]) -> None:
    """Write the data to stdout: json is one document, jsonl one line for each element of a list, text is `text(data)`.

    The data may hold messages, paths and whatever JSON knows; TypeError for anything else. JSON is plain ASCII. `text`
    has to pass what agents wrote through `inert`, and may add colours of its own; it is wrapped in a terminal.
    """
    if settings.output == "text":
        echo(folded(text(data), width_of(stdout())), color=settings.colored(stdout()))
    elif settings.output == "json":
        echo(json.dumps(data, indent=2, default=_plain))
    else:
        for row in data if isinstance(data, list | tuple) else (data,):
            echo(json.dumps(row, default=_plain))


def echo(text: str | bytes, *, nl: bool = True, color: bool | None = None) -> None:
    """Write to stdout as it is."""
    click.echo(text, file=stdout(), nl=nl, color=color)


def say(text: str) -> None:
    """Write a line of progress to stderr, without control characters and secrets; wrapped in a terminal."""
    _to_stderr(masked(inert(text)))


def on_stderr(settings: Settings) -> tuple[Callable[[str], None], bool]:
    """A function that writes a line to stderr as it is, wrapped in a terminal; and whether to use colours."""
    color = settings.colored(sys.stderr)
    return partial(_to_stderr, color=color), color


def _to_stderr(text: str, color: bool | None = None) -> None:
    text = folded(text, width_of(sys.stderr))
    if hasattr(sys.stderr, "rich_proxied_file"):  # a live panel is drawn there; click would write below it, into it
        sys.stderr.write(f"{text}\n")
    else:
        click.echo(text, err=True, color=color)


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):  # a pydantic model; pydantic is not imported just for this check
        return value.model_dump(mode="json")
    if isinstance(value, PurePath):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


__all__ = ["echo", "emit", "on_stderr", "say"]
