"""`python -m hustings.agents.cli.reference`: write docs/settings.md, a table of all settings, to stdout."""

from collections.abc import Iterable, Iterator
from dataclasses import MISSING

import click

from hustings.protocols import Budget, Message, RetryPolicy

from ..models.endpoints import Provider
from ..models.rules import ModelRule
from ..settings import Setting, settings_of
from ..skills.specialist import SkillSettings, Specialist
from ..team import Team
from .frame.options import common, durability
from .frame.settings import TYPES, Settings

OWNERS: dict[str, type] = {
    "Team(...)": Team,
    "Specialist(...)": Specialist,
    "@agent.skill(...)": SkillSettings,
    "RetryPolicy(...)": RetryPolicy,
    "Budget(...)": Budget,
    "ModelRule(...)": ModelRule,
    "[providers.NAME] in hustings.toml": Provider,
}
ENVIRONMENT = (
    (
        "HUSTINGS_HOME",
        "`.hustings`, beside hustings.toml if there is one",
        "the folder of the embedded broker, of reports and of logs",
    ),
    ("HUSTINGS_TEAM", "the one that runs", "the team that `hustings agent` works for"),
    ("HUSTINGS_MODEL", "`anthropic:claude-sonnet-5-5`", "the model of skills for which the team has no ModelRule"),
    ("HUSTINGS_PRICES", "the shipped ones", "a TOML file with prices of models, whose rows go before the shipped ones"),
    ("HUSTINGS_OTEL", "off", "1: export spans over OTLP; 0: do not, whatever else is set"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "none", "where the spans go; switches telemetry on"),
    (
        "HUSTINGS_WATCHDOG",
        "the team's `heartbeat_timeout`",
        "seconds for which a skill may block its process; 0: for ever",
    ),
    ("ANTHROPIC_API_KEY, ANTHROPIC_API_KEY_FILE", "none", "the key of the provider anthropic, or a file that has it"),
    ("ANTHROPIC_BASE_URL", "the vendor's", "the address of the provider anthropic"),
    ("OPENAI_API_KEY, OPENAI_API_KEY_FILE", "none", "the key of the provider openai, or a file that has it"),
    ("OPENAI_BASE_URL", "the vendor's", "the address of the provider openai"),
)
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
        yield from _section(title, "setting | default | bounds | unit | meaning", map(_row, settings_of(owner)))
    yield from _section("The command line", "option | variable | key in hustings.toml | meaning", _options())
    yield from _section("The environment", "variable | default | meaning", _variables())


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


def _variables() -> Iterator[tuple[str, ...]]:
    for names, default, meaning in ENVIRONMENT:
        yield ", ".join(f"`{name}`" for name in names.split(", ")), default, meaning


if __name__ == "__main__":
    click.echo("\n".join(reference()))
