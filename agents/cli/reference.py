"""`python -m hustings.agents.cli.reference`: write docs/settings.md, a table of all settings, to stdout."""

from collections.abc import Iterable, Iterator
from dataclasses import MISSING

import click

from hustings.protocols import Message, RetryPolicy

from ..models.endpoints import Provider
from ..models.rules import ModelRule
from ..settings import Setting, settings_of
from ..skills.specialist import SkillSettings
from ..team import Team
from .frame.options import common, durability
from .frame.settings import TYPES, Settings

OWNERS: dict[str, type] = {
    "Team": Team,
    "@agent.skill(...)": SkillSettings,
    "RetryPolicy": RetryPolicy,
    "ModelRule": ModelRule,
}


def reference() -> Iterator[str]:
    """The lines of docs/settings.md."""
    yield "# Settings"
    yield ""
    yield "Made from the code by `make docs`. A value that is not of its type, or out of bounds, is refused when the"
    yield "team is made; so is the name of a skill or agent that is not there."
    for title, owner in OWNERS.items():
        yield from _section(title, "setting | default | bounds | unit | meaning", map(_row, settings_of(owner)))
    yield from _section("The command line", "option | variable | key in hustings.toml | meaning", _options())
    yield from _section("[providers.NAME] in hustings.toml", "key | default", _provider())


def _section(title: str, head: str, rows: Iterable[Iterable[str]]) -> Iterator[str]:
    yield from ("", f"## {title}", "", f"| {head} |", f"|{'---|' * (head.count('|') + 1)}")
    yield from (f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)


def _row(setting: Setting) -> tuple[str, ...]:
    return f"`{setting.name}`", _default(setting.default), setting.bounds, setting.unit, setting.meaning


def _default(value: object) -> str:
    if value is MISSING:
        return "must be given"
    if isinstance(value, tuple):
        return ", ".join(map(_default, value)) or "none"
    if isinstance(value, Message):
        return f"`{type(value).__name__}()`"
    if callable(value):
        name = str(getattr(value, "__name__", ""))
        return "none" if name == "<lambda>" else f"`{name}`"
    return "none" if value is None else f"`{value}`"


def _options() -> Iterator[tuple[str, ...]]:
    verb = click.command()(durability(common(_nothing)))
    for option in verb.params:
        if isinstance(option, click.Option):
            variables = [option.envvar] if isinstance(option.envvar, str) else option.envvar or []
            key = f"`{option.name}`" if option.name in TYPES else ""
            names = ", ".join(f"`{name}`" for name in option.opts)
            yield names, ", ".join(f"`{name}`" for name in variables), key, option.help or ""
    meaning = "Log levels, of all processes or by agent: `clerk=debug,warning`. `-v` is info, `-vv` debug."
    yield "`-v`, `--verbose` (run, up, agent, coordinator)", "`HUSTINGS_LOG`", "`log`", meaning


def _nothing(settings: Settings) -> None:
    """A verb with the options of all verbs."""


def _provider() -> Iterator[tuple[str, ...]]:
    for name, field in Provider.model_fields.items():
        yield f"`{name}`", "must be given" if field.is_required() else f"`{field.default!r}`"


if __name__ == "__main__":
    click.echo("\n".join(reference()))
