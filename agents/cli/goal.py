"""A goal's fields as flags: each field of the team's goal type is an option of `moot run TARGET`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args, get_origin

import click
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import from_json

from moot.protocols import Blob, Goal, Message, UsageError

from ..client import Client
from ..team import Team

_PLAIN: Mapping[object, click.ParamType[Any]] = {
    int: click.INT,
    float: click.FLOAT,
    bool: click.BOOL,
    str: click.STRING,
}

HELP = ["-h", "--help"]


class Asked(NamedTuple):
    """What the flags say: plain values, and the paths of what is still to be uploaded."""

    values: dict[str, Any]
    paths: dict[str, tuple[Path, type[Blob]]]


def parse(team: Team, target: str, arguments: Sequence[str]) -> Asked:
    """Read the flags of the team's goal. Raises click.UsageError, UsageError: a path that does not exist, say."""
    fields = team.goal.model_fields
    params: list[click.Parameter] = [_option(name, field) for name, field in fields.items()]
    command = click.Command(
        f"moot run {target}",
        params=params,
        help=_about(team),
        epilog="`moot run --help` lists the options that every run has: -o, --url, --patience and more.",
        context_settings={"help_option_names": HELP},
    )
    with command.make_context(command.name, list(arguments)) as context:
        given = {name: value for name, value in context.params.items() if value is not None and value != ()}
    paths = {name: (Path(given.pop(name)), kind) for name in list(given) if (kind := _blob(fields[name]))}
    for name, (path, _) in paths.items():
        if not path.exists():
            raise UsageError(
                f"--{_flag(name)}: there is no {path}",
                f"looked in {Path.cwd()}",
                "Give the path of a file or folder that exists.",
            )
    return Asked(given, paths)


async def build(client: Client, team: Team, asked: Asked) -> Goal:
    """The goal, its files uploaded. Raises UsageError where a value does not fit."""
    blobs = {name: (await client.upload(path, kind)).plain() for name, (path, kind) in asked.paths.items()}
    try:
        return team.goal.of({**asked.values, **blobs})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"--{_flag(name)} does not fit", first["msg"]) from None


def _option(name: str, field: FieldInfo) -> click.Option:
    kind = _bare(field.annotation)
    many = get_origin(kind) in (list, tuple)
    if many:
        kind = get_args(kind)[0]
    return click.Option(
        [f"--{_flag(name)}", name],
        type=_type(kind),
        required=field.is_required() and not many,
        multiple=many,
        help=field.description or ("A path; it is packed and uploaded." if _blob(field) else None),
    )


def _type(kind: object) -> click.ParamType[Any]:
    if get_origin(kind) is Literal:
        return click.Choice([str(choice) for choice in get_args(kind)])
    if isinstance(kind, type) and issubclass(kind, Message) and not issubclass(kind, Blob):
        return _Json()
    return _PLAIN.get(kind, click.STRING)


class _Json(click.ParamType[Any]):
    """A message, written as JSON."""

    name = "json"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return from_json(value)
        except ValueError as error:
            self.fail(f"{value!r} is no JSON: {error}", param, ctx)


def _bare(annotation: object) -> object:
    """The annotation without its `| None`."""
    options = [option for option in get_args(annotation) if option is not type(None)]
    return options[0] if len(options) == 1 and type(None) in get_args(annotation) else annotation


def _blob(field: FieldInfo) -> type[Blob] | None:
    kind = _bare(field.annotation)
    return kind if isinstance(kind, type) and issubclass(kind, Blob) else None


def _flag(name: str) -> str:
    return name.replace("_", "-")


def _about(team: Team) -> str:
    names = ", ".join(team.members)
    return f"Ask team {team.name} ({names}) for a {team.outcome.__name__}. {team.goal.__doc__ or ''}"
