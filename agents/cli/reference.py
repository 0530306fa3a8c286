"""`python -m hustings.agents.cli.reference`: write docs/settings.md, a table of all settings, to stdout."""

from collections.abc import Iterable, Iterator
from dataclasses import MISSING

import click

from hustings.protocols import Budget, Message, RetryPolicy

from ..deploy import neighbours, watchdog
from ..models import endpoints
from ..models.prices import PRICES
from ..models.rules import ModelRule
from ..observe import telemetry
from ..settings import Setting, settings_of
from ..skills import model_calls
from ..skills.specialist import SkillSettings, Specialist
from ..team import Team
from ..variables import Variable
from .app import VERBS, hustings
from .frame import settings
from .frame.options import COMMON

SETTING = "setting | default | bounds | unit | meaning"

OWNERS: dict[str, type] = {
    "Team(...)": Team,
    "Specialist(...)": Specialist,
    "@agent.skill(...)": SkillSettings,
    "RetryPolicy(...)": RetryPolicy,
    "Budget(...)": Budget,
    "ModelRule(...)": ModelRule,
    "[providers.NAME] in hustings.toml": endpoints.Provider,
}
INTRODUCTION = """\
# Settings

Made from the code by `make docs`. Each heading says where its settings stand; what looks like a call stands in the
module of the team. A value that is not of its type, or out of bounds, is refused when the team is made, and so is the
name of a skill or agent that is not there. On the command line a flag goes before the variable, that before
hustings.toml, and that before the default; `hustings VERB --help` lists the options of one verb. Intervals that nobody
has to set: [How long who waits](reliability.md#how-long-who-waits)."""


def reference() -> Iterator[str]:
    """The lines of docs/settings.md."""
    yield INTRODUCTION
    for title, owner in OWNERS.items():
        yield from _section(title, SETTING, map(_row, settings_of(owner)))
    yield from _section("The command line", "option | variable | key in hustings.toml | meaning", _options())
    yield from _section("The environment", "variable | default | unit | meaning", map(_variable, variables()))


def variables() -> tuple[Variable, ...]:
    """What is read from the environment besides the options."""
    return (
        settings.HOME,
        settings.NO_COLOR,
        settings.FORCE_COLOR,
        model_calls.MODEL,
        PRICES,
        *endpoints.variables(),
        telemetry.OTEL,
        telemetry.ENDPOINT,
        watchdog.SECONDS,
        neighbours.RUNTIME,
    )


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
    return "none" if value in (None, "") else f"`{value}`"


def _variable(each: Variable) -> tuple[str, ...]:
    return f"`{each.name}`", each.default, each.unit, each.meaning


def _options() -> Iterator[tuple[str, ...]]:
    """The options that a variable or hustings.toml can give; those that only some verbs have with these."""
    verbs: dict[str, list[str]] = {}
    found: dict[str, click.Option] = {}
    for verb in VERBS:
        for option in _of(verb):
            found.setdefault(option.opts[-1], option)
            verbs.setdefault(option.opts[-1], []).append(verb)
    for name, option in sorted(found.items(), key=lambda pair: pair[0] not in COMMON):
        only = "" if name in COMMON else f" ({', '.join(verbs[name])})"
        key = KEYS.get(str(option.name), str(option.name))
        names = ", ".join(f"`{each}`" for each in option.opts)
        file = f"`{key}`" if key in settings.TYPES else ""
        yield f"{names}{only}", ", ".join(f"`{each}`" for each in _variables_of(option)), file, option.help or ""


KEYS = {"verbose": "log"}  # options that are named otherwise in hustings.toml and the environment


def _of(verb: str) -> list[click.Option]:
    command = hustings.get_command(click.Context(hustings), verb)
    options = [option for option in command.params if isinstance(option, click.Option)] if command else []
    return [option for option in options if _variables_of(option)]


def _variables_of(option: click.Option) -> list[str]:
    if option.name in KEYS:
        return [f"HUSTINGS_{KEYS[option.name].upper()}"]
    return [option.envvar] if isinstance(option.envvar, str) else [*(option.envvar or [])]


if __name__ == "__main__":
    click.echo("\n".join(reference()))
