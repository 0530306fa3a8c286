"""Message: the frozen value type of which everything on the bus is made."""

import inspect
import types
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Self, TypeVar, Union, cast, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, JsonValue
from pydantic_core import CoreSchema, core_schema, to_json

Data = dict[str, JsonValue]


class _AsItIs:
    """Off the wire the value is checked like any other; from our own code it is taken as it is, without a copy."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.json_or_python_schema(handler(source), core_schema.any_schema())


# what an event passes on, and was checked before: it can be large, and the event is read once more when it is written
Passed = Annotated[JsonValue, _AsItIs]
PassedData = Annotated[Data, _AsItIs]
T = TypeVar("T")

# number types for the framework's own messages; each is bounded, because other writers may send any number
MOST = 2**53  # the largest integer that every JSON reader reads exactly
DEAREST = 1e12
Count = Annotated[int, Field(ge=0, le=MOST)]
Change = Annotated[int, Field(ge=-MOST, le=MOST)]
Seconds = Annotated[float, Field(ge=0, le=1e9)]
Timeout = Annotated[float, Field(gt=0, le=1e9)]  # seconds
Moment = Annotated[float, Field(ge=0, le=1e11)]  # seconds since the epoch
Money = Annotated[float, Field(ge=-DEAREST, le=DEAREST)]  # US dollars

_CONTAINERS = ("list", "tuple", "dict", "set", "frozenset")
_ELSEWHERE = ("model", "dataclass", "typed-dict")  # types with validation rules of their own
_NO_SCHEMA = ("default", "expected", "metadata", "serialization")  # parts of a core schema that hold values


def later(default: T) -> T:
    """A field that was added after the first version of its message; the default means "as before".

    It is written only if it differs from the default, so older recorded messages read and hash as they did.
    """
    field: T = Field(default=default, exclude_if=lambda value: value == default)
    return field


def _relax(schema: CoreSchema) -> None:
    """Make the containers among a message's own fields accept any Python equivalent; the values stay strict."""
    left: list[Any] = [cast("dict[str, Any]", schema).get("schema")]
    while left:
        part = left.pop()
        if isinstance(part, list | tuple):
            left += part
        elif isinstance(part, dict) and part.get("type") not in _ELSEWHERE:
            if part.get("type") in _CONTAINERS:
                part["strict"] = False
            left += [value for name, value in part.items() if name not in _NO_SCHEMA]


def _check_names(message: type[BaseModel]) -> None:
    for name in inspect.get_annotations(message):
        if name in ("of", "plain") or (not name.startswith("_") and hasattr(BaseModel, name)):
            from .errors import BadName  # not at the top: errors.py imports models.py, which imports this module

            raise BadName(
                f"{message.__name__} cannot have a field {name}",
                f"every message has a method {name}",
                f'Rename it; with `{name}_: ... = Field(alias="{name}")` the old name can still be read.',
            )


class Message(BaseModel):
    """A frozen, strictly typed value that can cross process and version borders.

    Its *contract* (`__contract__`) is its name and major version on the wire: `Draft.v1` unless the class says
    otherwise with `class Draft(Message, contract="review.Draft.v2")`. Two classes with the same contract are the same
    message, whatever their modules and base classes. Readers ignore fields that they do not know.

    Values are strict: "1" is never read as 1, and numbers are finite. Containers are not: a tuple field accepts a list,
    a list field a tuple, a dict field any mapping. On the wire a field has its own name; an alias is read as well.
    Creating the class raises BadName if a field has the name of a method.
    """

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="ignore",
        allow_inf_nan=False,
        ser_json_inf_nan="constants",  # no reader accepts these; null would be a different value
        ser_json_bytes="base64",
        val_json_bytes="base64",
        validate_by_name=True,
        validate_by_alias=True,
        protected_namespaces=(),
    )

    __contract__: ClassVar[str] = "Message.v1"

    def __init_subclass__(cls, contract: str | None = None, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.__contract__ = contract or f"{cls.__name__}.v1"
        _check_names(cls)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[BaseModel], handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        _relax(schema)
        return schema

    @classmethod
    def of(cls, data: JsonValue) -> Self:
        """Read plain JSON values as this message, as strictly as from the wire. Raises pydantic.ValidationError."""
        return cls.model_validate_json(to_json(data))

    def plain(self) -> Data:
        """The message as plain JSON values."""
        return self.model_dump(mode="json", by_alias=False, round_trip=True, warnings=False)


class Contract(Message, contract="hustings.Contract.v1"):
    """The type of a parameter or of a skill's return value: which message, one or many, required or not."""

    type: str
    many: bool = False
    optional: bool = False


def spelt(annotation: object) -> str:
    """A type as one writes it in an annotation, without the modules of its classes."""
    if isinstance(annotation, type) and not get_args(annotation):
        return annotation.__name__
    shaped = shape(annotation)
    if shaped is None:
        return str(annotation)
    message, contract = shaped
    return f"list[{message.__name__}]" if contract.many else message.__name__


def shape(annotation: object) -> tuple[type[Message], Contract] | None:
    """The message class and the contract behind `M`, `list[M]`, `M | None`; None for any other annotation.

    `tuple[M, ...]` and `Sequence[M]` count as lists.
    """
    optional = False
    if get_origin(annotation) in (Union, types.UnionType):
        options = [option for option in get_args(annotation) if option is not type(None)]
        if len(options) != 1 or len(options) == len(get_args(annotation)):
            return None
        optional, annotation = True, options[0]
    many = get_origin(annotation) in (list, tuple, Sequence)
    if many:
        inner = get_args(annotation)
        if get_origin(annotation) is tuple and inner[1:] != (Ellipsis,):
            return None
        annotation = inner[0]
    if isinstance(annotation, type) and issubclass(annotation, Message):
        return annotation, Contract(type=annotation.__contract__, many=many, optional=optional)
    return None
