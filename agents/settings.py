"""Settings: the fields of a dataclass, each annotated with its bounds, its unit and its meaning; and how to check them.

attempt_timeout: Annotated[Seconds, Field(description="how long one attempt may take")] = 300.0
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import MISSING, fields, is_dataclass
from difflib import get_close_matches
from functools import cache
from inspect import signature
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

from annotated_types import Unit
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from hustings.protocols import Message, UsageError
from hustings.protocols.message import spelt
from hustings.protocols.validation import first_error

_SECONDS = Field(gt=0, le=1e9, allow_inf_nan=False)
Seconds = Annotated[float, _SECONDS, Unit("seconds")]
MaybeSeconds = Annotated[float | None, _SECONDS, Unit("seconds")]

SIGNS = {"gt": ">", "ge": "≥", "le": "≤", "lt": "<"}
SHOWN = 80  # characters of a wrong value in an error


F = TypeVar("F", bound=Callable[..., object])


class Setting(NamedTuple):
    """One setting of a class. `default` is dataclasses.MISSING if it must be given."""

    name: str
    type: object
    default: object
    bounds: str
    unit: str
    meaning: str


@cache
def settings_of(owner: type) -> tuple[Setting, ...]:
    """The settings of a dataclass or a pydantic model, in the order of its fields; else of a class's `__init__`."""
    annotations = _annotations(owner)
    return tuple(_setting(name, annotations[name], default) for name, default in _defaults(owner).items())


def _setting(name: str, annotation: object, default: object) -> Setting:
    info = FieldInfo.from_annotation(annotation)  # type: ignore[arg-type]  # any annotation is one
    meaning = next((each for each in info.metadata if isinstance(each, str)), "")
    return Setting(name, info.annotation, default, _bounds(info), _unit(info), meaning)


def _unit(info: FieldInfo) -> str:
    return next((each.unit for each in info.metadata if isinstance(each, Unit)), "")


def _bounds(info: FieldInfo) -> str:
    if get_origin(info.annotation) is Literal:
        return " or ".join(map(str, get_args(info.annotation)))
    return ", ".join(
        f"{sign} {getattr(each, word):g}"
        for each in info.metadata
        for word, sign in SIGNS.items()
        if hasattr(each, word)
    )


def check(settings: object) -> None:
    """Read each value as its setting's type, of a frozen instance too.

    Raises UsageError: a value is not of its setting's type, or out of bounds.
    """
    owner: type = type(settings)
    for setting in settings_of(owner):
        value = getattr(settings, setting.name)
        try:
            object.__setattr__(settings, setting.name, _reader(owner, setting.name).validate_python(value, strict=True))
        except ValidationError as error:
            what, hint = f"{setting.name} cannot be {_shown(value)}", _hint(setting, value)
            raise UsageError(what, first_error(error, given=False), hint) from None


def did_you_mean(word: object, known: Iterable[object]) -> str:
    """A sentence with the known word that looks most like this one; empty if none does."""
    near = get_close_matches(str(word), [str(each) for each in known], 1)
    return f"Did you mean {near[0]}? " if near else ""


class Asks(NamedTuple):
    """How a planner or an arbiter, made by the function `by`, asks a skill: the type of its parameter, and of its
    answer."""

    by: str
    skill: str
    parameter: str
    annotation: object
    returns: type[Message]

    def __str__(self) -> str:
        return f"{self.skill}({self.parameter}: {spelt(self.annotation)}) -> {spelt(self.returns)}"


def mentions(*names: str, asks: Sequence[Asks] = ()) -> Callable[[F], F]:
    """Note on a planner, arbiter or rule whom it names, as AGENT.SKILL (`*`: any), and how it asks a skill; a Team
    checks that both are there."""

    def noted(function: F) -> F:
        vars(function).update(mentions=names, asks=tuple(asks))
        return function

    return noted


def asked(*functions: Callable[..., object]) -> tuple[Asks, ...]:
    """The skills that `mentions` noted as asked by these functions."""
    return tuple(each for function in functions for each in getattr(function, "asks", ()))


def mentioned(*functions: Callable[..., object]) -> tuple[str, ...]:
    """What `mentions` noted on these functions."""
    return tuple(name for function in functions for name in getattr(function, "mentions", ()))


def _hint(setting: Setting, value: object) -> str:
    unit = f", in {setting.unit}" if setting.unit else ""
    default = f" (default {setting.default!r})" if isinstance(setting.default, str | int | float) else ""
    return f"{did_you_mean(value, get_args(setting.type))}{setting.name}: {setting.meaning}{unit}{default}."


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


@cache
def _reader(owner: type, name: str) -> TypeAdapter[Any]:
    annotation = _annotations(owner)[name]
    kind = FieldInfo.from_annotation(annotation).annotation
    if isinstance(kind, type) and issubclass(kind, BaseModel):  # has its own config, and takes no other
        return TypeAdapter(annotation)
    return TypeAdapter(annotation, config=ConfigDict(arbitrary_types_allowed=True))


@cache
def _annotations(owner: type) -> dict[str, Any]:
    hints = get_type_hints(owner if _has_fields(owner) else vars(owner)["__init__"], include_extras=True)
    return {name: hints[name] for name in _defaults(owner)}


def _has_fields(owner: type) -> bool:
    return is_dataclass(owner) or issubclass(owner, BaseModel)


def _defaults(owner: type) -> dict[str, object]:
    if is_dataclass(owner):
        return {each.name: each.default for each in fields(owner)}
    if issubclass(owner, BaseModel):
        return {name: MISSING if each.is_required() else each.default for name, each in owner.model_fields.items()}
    parameters = signature(owner).parameters
    return {name: MISSING if each.default is each.empty else each.default for name, each in parameters.items()}
