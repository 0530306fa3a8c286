"""A goal's fields as flags: each field of the team's goal type is an option after the name of the team."""

import copy
import math
import re
import sys
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from datetime import date, datetime, time, timedelta
from enum import Enum
from os.path import isfile
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias, Union, get_args, get_origin

import click
from anyio.to_thread import run_sync
from click.core import ParameterSource
from pydantic import JsonValue, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, from_json, to_json

from hustings.protocols import Blob, Goal, UsageError
from hustings.protocols.validation import error_in_words

from ...client.client import Client
from ...team import Team
from ..frame.loading import load_team
from ..frame.output import echo
from ..frame.streams import reserved

Params: TypeAlias = dict[str, Any]

_WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_METAVARS: Mapping[object, str] = {
    int: "INTEGER", float: "NUMBER", bool: "true|false", str: "TEXT", Path: "PATH",
    datetime: "2026-01-31T12:00:00Z", date: "2026-01-31", time: "12:00:00", timedelta: "SECONDS|PT5M",
}  # fmt: skip
_HINTS = {
    "datetime": "Write a date and a time, for example 2026-01-31T12:00:00Z.",
    "date": "Write a date, for example 2026-01-31.",
    "time_delta": "Write a duration as seconds or as in ISO 8601: 300 or PT5M is five minutes.",
}
_JSON = ("[", "{")  # what JSON of several parts begins with
_MANY = (list, tuple, set, frozenset, deque, Sequence, Set, Collection, Iterable)
_HELP = (
    "Repeat a list's flag for each element, or give the whole list as JSON; nested values are JSON. @FILE is read"
    " from a file and - from stdin; for a value that begins with @, write @@."
)


class Asked(NamedTuple):
    """What the flags say: plain values, the paths of files to upload, and the flags that give the same values again."""

    values: dict[str, Any]
    paths: dict[str, tuple[Path, type[Blob]]]
    flags: tuple[str, ...] = ()


class Asking(click.Command):
    """A verb that takes a team's goal. It has the arguments `target` and `fields`, and gets `fields` as an Asked.

    Options before the team's name belong to the verb. After it one reader reads the goal's flags and the verb's options
    together, so that no value is taken for an option; a name that both have is refused there. `sets` has the fields
    that the verb sets itself, each with the reason: they have no flag, and a goal without them is refused. `optional`:
    the verb works without a goal too; where no flag of the goal is given, it gets None as `fields`.
    """

    allow_interspersed_args = False

    def __init__(
        self, *args: Any, sets: Mapping[str, str] | None = None, optional: bool = False, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self._sets, self._optional = sets or {}, optional

    def invoke(self, ctx: click.Context) -> Any:
        with reserved():  # the team's module may print
            target = ctx.params["target"]
            team = load_team(target)
            for name in self._sets.keys() - team.goal.model_fields:
                hint = f"Add the field, or use a team that has it; see `hustings {self.name} --help`."
                raise UsageError(f"the goal of team {team.name} has no field `{name}`", self._sets[name], hint)
            reader = _FlagReader(team, target, self, self._sets, self._optional)
            params = reader.read(ctx.params["fields"])
            for option in reader.own:
                if option.name in params:
                    before = ctx.params[option.name] if option.multiple else ()
                    ctx.params[option.name] = (
                        (*before, *params[option.name]) if option.multiple else params[option.name]
                    )
            ctx.params["fields"] = reader.asked(params) if not self._optional or reader.asks(params) else None
            return super().invoke(ctx)


def parse(team: Team, target: str, arguments: Sequence[str]) -> Asked:
    """Read the flags of the team's goal. Raises click.UsageError, and UsageError, for example for a missing path."""
    reader = _FlagReader(team, target)
    return reader.asked(reader.read(arguments))


async def build(client: Client, team: Team, asked: Asked) -> Goal:
    """The goal, complete, after its files are uploaded. Raises UsageError: a value does not fit."""
    blobs = {name: (await client.upload(path, kind)).plain() for name, (path, kind) in asked.paths.items()}
    return await prepared(team, goal_of(team, {**asked.values, **blobs}), asked)


async def drafted(team: Team, asked: Asked) -> Goal:
    """The goal as `build` makes it, but nothing is uploaded: its blobs are empty. Raises UsageError."""
    blobs = {name: kind(digest="", size=0, name=path.name).plain() for name, (path, kind) in asked.paths.items()}
    return await prepared(team, goal_of(team, {**asked.values, **blobs}), asked)


async def prepared(team: Team, goal: Goal, asked: Asked) -> Goal:
    """The goal as the team completes it from the paths. Raises UsageError."""
    if team.prepare is None:
        return goal
    return await run_sync(team.prepare, goal, {name: path for name, (path, _) in asked.paths.items()})


def changes(team: Team, goal: Goal, asked: Asked) -> list[str]:
    """What the team has filled in, a line for each field."""
    given = goal_of(team, {**asked.values, **{name: getattr(goal, name).plain() for name in asked.paths}})
    return [
        f"{name}: {getattr(goal, name)}"
        for name in type(goal).model_fields
        if getattr(goal, name) != getattr(given, name)
    ]


def goal_of(team: Team, values: Mapping[str, Any]) -> Goal:
    """The goal with these plain values, by field name. Raises UsageError."""
    try:
        return team.goal.model_validate_json(to_json(values), by_alias=True, by_name=True)
    except ValidationError as error:
        raise _unfit(team, error.errors(include_url=False)[0]) from None


class _FlagReader:
    """Reads what follows the name of a team: the flags of its goal, and the options of the verb."""

    def __init__(
        self,
        team: Team,
        target: str,
        verb: click.Command | None = None,
        sets: Collection[str] = (),
        optional: bool = False,
    ) -> None:
        self._team, self._target, self._sets = team, target, sets
        self._fields = {name: field for name, field in team.goal.model_fields.items() if name not in sets}
        self._stdin = False
        self._verb = f"hustings {verb.name if verb else 'run'}"
        options = [param for param in (verb.params if verb else ()) if isinstance(param, click.Option)]
        taken = {"--help", *(flag for option in options for flag in (*option.opts, *option.secondary_opts))}
        flags = {f"--{_flag(name)}" for name in self._fields}
        self._both = sorted(flags & taken)
        self.own = [own for option in options if (own := _without(option, flags)).opts]
        self._command = click.Command(
            f"{self._verb} {target}",
            params=[
                *(
                    param
                    for name, field in self._fields.items()
                    for param in _options(name, field, taken, flags, required=field.is_required() and not optional)
                ),
                *self.own,
                *(_refusing(flag, self._refuse(flag, options)) for flag in self._both if flag != "--help"),
                click.Option(["-h", "--help"], is_flag=True, is_eager=True, expose_value=False, callback=_show_help),
            ],
            help=_about(team),
            epilog=self._epilog(),
            add_help_option=False,
        )

    def read(self, arguments: Sequence[str]) -> Params:
        """The given values, by parameter name."""
        with self._command.make_context(self._command.name, list(arguments)) as context:
            typed = [
                name for name in context.params if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
            ]
            return {name: context.params[name] for name in typed}

    def asks(self, params: Params) -> bool:
        """True if a field of the goal is among the parameters."""
        return any(name in params for field in self._fields for name in (_to(field), _to(field, "not")))

    def asked(self, params: Params) -> Asked:
        """The goal's part of the parameters, checked as far as possible before its files are uploaded."""
        raw = {name: value for name in self._fields if (value := self._raw(name, params)) is not None}
        blobs = {name: kind for name in raw if (kind := _blob(self._fields[name]))}
        values = {name: self._value(name, value) for name, value in raw.items() if name not in blobs}
        paths = {name: (self._path(name, raw[name]), kind) for name, kind in blobs.items()}
        for error in _errors(self._team.goal, values):
            name = self._name(error)
            if name not in {*paths, *self._sets, ""}:
                raise _unfit(self._team, error, raw.get(name, ()))
        said = [(name, each) for name, value in raw.items() for each in ([value] if isinstance(value, str) else value)]
        return Asked(values, paths, tuple(f"--goal.{_flag(name)}={each}" for name, each in said))

    def _raw(self, name: str, params: Params) -> Any:
        yes, no = params.get(_to(name)), params.get(_to(name, "not"))
        if yes is not None and no is not None:
            raise UsageError(f"--{_flag(name)} and --no-{_flag(name)}", "they exclude each other", "Leave one out.")
        return no if yes is None else yes

    def _path(self, name: str, text: str) -> Path:
        path = Path(text)
        if not path.exists():
            why, hint = f"looked in {Path.cwd()}", "Give the path of a file or folder that exists."
            raise UsageError(f"--{_flag(name)}: there is no {path}", why, hint)
        return path

    def _value(self, name: str, raw: str | tuple[str, ...]) -> JsonValue:
        """The plain value that fits the field. A value that does not fit stays as it is, and the goal reports why."""
        field = self._fields[name]
        texts = [self._text(name, each) for each in ([raw] if isinstance(raw, str) else raw)]
        choices = [_readings(text, field.annotation) for text in texts]
        candidates = choices[0] if isinstance(raw, str) else [self._elements(name, choices)]
        if len(texts) == 1 and not isinstance(raw, str):
            candidates = [*(value for value in choices[0] if isinstance(value, list)), *candidates]
        for value in candidates:
            if self._fits(name, value):
                return value
        meant = [self._meant(name, text) for text in texts if text.lstrip()[:1] in _JSON]
        if meant and len(texts) == 1:
            return [meant[0]] if isinstance(meant[0], dict) and not isinstance(raw, str) else meant[0]
        return candidates[-1]

    def _meant(self, name: str, text: str) -> JsonValue:
        """Read a text that begins like JSON. Raises UsageError if it is not JSON."""
        try:
            parsed: JsonValue = from_json(text, allow_inf_nan=False)
        except ValueError as error:
            why = re.sub(r"^EOF while parsing .* at (line \d+).*", r"it ends at \1", str(error))
            raise UsageError(f"--{_flag(name)} does not fit", f"not JSON: {why}", "Correct it.") from None
        return parsed

    def _elements(self, name: str, choices: list[list[JsonValue]]) -> JsonValue:
        """For each element the first reading that fits; all elements are tried at once."""
        picked = [0] * len(choices)
        while True:
            values = [choice[at] for choice, at in zip(choices, picked, strict=True)]
            errors = [error for error in _errors(self._team.goal, {name: values}) if self._name(error) == name]
            wrong = {error["loc"][1] for error in errors if len(error["loc"]) > 1}
            again = [at for at in range(len(choices)) if at in wrong and picked[at] + 1 < len(choices[at])]
            if not again:
                return list[JsonValue](values)
            for at in again:
                picked[at] += 1

    def _fits(self, name: str, value: JsonValue) -> bool:
        return all(self._name(error) != name for error in _errors(self._team.goal, {name: value}))

    def _name(self, error: ErrorDetails) -> str:
        return _name(self._team.goal, error)

    def _text(self, name: str, text: str) -> str:
        """The value as typed, or the content of the file or of stdin that it names."""
        try:
            if text == "-":
                return self._from_stdin(name)
            if text.startswith("@") and not text.startswith("@@"):
                return Path(text[1:]).read_bytes().decode()
            text.encode()
        except OSError as error:
            hint = "A value that begins with @ names a file; write @@ for a plain @."
            raise UsageError(
                f"--{_flag(name)}: {text[1:]} cannot be read", error.strerror or str(error), hint
            ) from None
        except ValueError:  # UnicodeError, and a null byte in a path
            raise UsageError(f"--{_flag(name)} is not text", "it is not UTF-8", "Convert it to UTF-8.") from None
        return text[1:] if text.startswith("@@") else text

    def _from_stdin(self, name: str) -> str:
        if self._stdin:
            raise UsageError(
                f"--{_flag(name)}: stdin has been read", "another field has read it", "Use @FILE for one of them."
            )
        self._stdin = True
        return sys.stdin.buffer.read().decode()

    def _refuse(self, flag: str, options: Sequence[click.Option]) -> UsageError:
        option = next(each for each in options if flag in (*each.opts, *each.secondary_opts))
        short = next((f" (or {each} anywhere)" for each in option.opts if each != flag and len(each) == 2), "")
        return UsageError(
            f"{flag} is ambiguous",
            f"the goal of team {self._team.name} has a field of that name, and {self._verb} has an option",
            f"Write --goal.{flag[2:]} for the field; the option{short} goes before the team: "
            f"{self._verb} {flag} ... {self._target}",
        )

    def _epilog(self) -> str:
        said = [_HELP, f"The options of `{self._verb}` may be given here too: `{self._verb} --help` lists them."]
        if self._both:
            said.append(
                f"Give these options of `{self._verb}` before {self._target}, because the goal has fields of"
                f" the same name: {', '.join(self._both)}."
            )
        return " ".join(said)


def _options(name: str, field: FieldInfo, taken: set[str], flags: set[str], required: bool) -> list[click.Parameter]:
    """The option of a field, as --NAME and --goal.NAME; a field that may be false has --no-NAME too."""
    flag, kind = _flag(name), _bare(field.annotation)
    common: dict[str, Any] = {"multiple": _many(kind), "type": click.STRING, "metavar": _metavar(kind)}
    if kind is bool:
        common |= {"is_flag": False, "flag_value": "true"}
    names = [f"--goal.{flag}"] if f"--{flag}" in taken else [f"--{flag}", f"--goal.{flag}"]
    text = field.description or ("A path; its content is packed and uploaded." if _blob(field) else None)
    params = [click.Option([names[0], _to(name)], required=required, help=text, **common)]
    params += [click.Option([alias, _to(name)], hidden=True, **common) for alias in names[1:]]
    if kind is bool and (no := f"--no-{flag}") not in taken | flags:
        params.append(click.Option([no, _to(name, "not")], is_flag=True, flag_value="false", default=None, hidden=True))
    return [*params]


def _without(option: click.Option, flags: set[str]) -> click.Option:
    """The verb's option for use after the team's name: without the goal's flags, set only if it is typed there."""
    own = copy.copy(option)
    own.opts = [flag for flag in option.opts if flag not in flags]
    own.secondary_opts = [flag for flag in option.secondary_opts if flag not in flags]
    own.hidden, own.envvar, own.required, own.default = True, None, False, None
    return own


def _refusing(flag: str, error: UsageError) -> click.Option:
    def refuse(ctx: click.Context, param: click.Parameter, value: object) -> None:
        if value is not None:
            raise error

    return click.Option(
        [flag, _to(_plain(flag), "both")], is_flag=False, flag_value="", is_eager=True, expose_value=False, hidden=True,
        callback=refuse,
    )  # fmt: skip


def _show_help(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        echo(ctx.get_help())
        ctx.exit()


def _readings(text: str, annotation: object) -> list[JsonValue]:
    """What the text may mean, the likeliest first: itself, then a word or a number, then JSON.

    If a field takes text or something else, JSON comes first; else the other could not be written.
    """
    others: list[JsonValue] = []
    if text.lower() in _WORDS:
        others.append(_WORDS[text.lower()])
    if _NUMBER.fullmatch(text):
        number = float(text)
        others += [int(text)] if text.lstrip("+-").isdigit() and len(text) < 4000 else [number] * math.isfinite(number)
    try:
        parsed = from_json(text, allow_inf_nan=False)
        others += [parsed] if not isinstance(parsed, float) or math.isfinite(parsed) else []
    except ValueError:
        pass
    if _mixed(annotation):
        return [*reversed(others), text] if others else [text]
    return [text, *others]


def _mixed(annotation: object) -> bool:
    """True if such a value, or an element of it, may be text or something else."""
    kind = _bare(annotation)
    if get_origin(kind) is Literal:
        return len({isinstance(choice, str) for choice in get_args(kind)}) > 1
    if _many(kind):
        return any(map(_mixed, get_args(kind)))
    return get_origin(kind) in (Union, UnionType) or kind in (Any, object)


def _bare(annotation: object) -> object:
    """The annotation without its `| None`, its metadata and its alias."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if hasattr(annotation, "__value__"):
        return _bare(annotation.__value__)
    options = [option for option in get_args(annotation) if option is not type(None)]
    return _bare(options[0]) if len(options) == 1 and type(None) in get_args(annotation) else annotation


def _many(kind: object) -> bool:
    origin = get_origin(kind) or kind
    return isinstance(origin, type) and (origin in _MANY or issubclass(origin, (list, set, frozenset, deque)))


def _metavar(kind: object) -> str:
    if _many(kind):
        return _metavar(_bare(next(iter(get_args(kind)), str)))
    if get_origin(kind) is Literal:
        return "|".join(map(str, get_args(kind)))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "|".join(str(each.value) for each in kind)
    if isinstance(kind, type) and issubclass(kind, Blob):
        return "TEXT"
    if hasattr(kind, "model_fields") or (get_origin(kind) is not None and get_origin(kind) not in (Union, UnionType)):
        return "JSON"
    return _METAVARS.get(kind, "VALUE")


def _blob(field: FieldInfo) -> type[Blob] | None:
    kind = _bare(field.annotation)
    return kind if isinstance(kind, type) and issubclass(kind, Blob) else None


def _errors(goal: type[Goal], values: Mapping[str, JsonValue]) -> list[ErrorDetails]:
    """The goal's errors for these values, those for missing fields among them."""
    try:
        goal.model_validate_json(to_json(values), by_alias=True, by_name=True)
    except ValidationError as error:
        return error.errors(include_url=False)
    return []


def _unfit(team: Team, error: ErrorDetails, typed: str | Sequence[str] = ()) -> UsageError:
    """The error in words; `typed` is what stood after the flag."""
    name = _name(team.goal, error)
    hint = "`--help` after the team's name lists the fields."
    if error["type"].endswith(("dict_type", "mapping_type", "model_type", "list_type", "tuple_type", "set_type")):
        hint = "Write it as JSON, or as @FILE with a file of JSON."
    hint = next((said for kind, said in _HINTS.items() if error["type"].startswith(f"{kind}_")), hint)
    for text in [typed] if isinstance(typed, str) else typed:
        if isfile(text):
            hint = f"Did you mean @{text}?"
    what = f"--{_flag(name)} does not fit" if name else "the goal does not fit"
    return UsageError(what, error_in_words(error, skip=bool(name and len(error["loc"]) == 1)), hint)


def _name(goal: type[Goal], error: ErrorDetails) -> str:
    """The field that an error is about, or "" for the goal as a whole."""
    first = str(error["loc"][0]) if error["loc"] else ""
    return next((name for name, field in goal.model_fields.items() if first in (name, field.alias)), first)


def _to(name: str, what: str = "is") -> str:
    """The parameter name of a field's value, different from all the verb's own."""
    return f"goal_{what}__{name}"


def _flag(name: str) -> str:
    return name.replace("_", "-")


def _plain(flag: str) -> str:
    return flag.lstrip("-").replace("-", "_")


def _about(team: Team) -> str:
    names = ", ".join(team.members)
    return f"Ask team {team.name} ({names}) for its outcome, {team.outcome.__name__}. {team.goal.__doc__ or ''}"
