"""Message: the frozen value that everything said on the bus is made of."""

import inspect
import types
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Self, TypeVar, Union, cast, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, JsonValue
from pydantic_core import CoreSchema, to_json

Data = dict[str, JsonValue]
T = TypeVar("T")

# the numbers of the framework's own messages; others may write anything, so each of them has its bounds
MOST = 2**53  # the largest whole number that every reader of JSON takes as it is
DEAREST = 1e12
Count = Annotated[int, Field(ge=0, le=MOST)]
Change = Annotated[int, Field(ge=-MOST, le=MOST)]
Seconds = Annotated[float, Field(ge=0, le=1e9)]
Moment = Annotated[float, Field(ge=0, le=1e11)]  # seconds since the epoch
Money = Annotated[float, Field(ge=-DEAREST, le=DEAREST)]  # US dollars

_CONTAINERS = ("list", "tuple", "dict", "set", "frozenset")
_ELSEWHERE = ("model", "dataclass", "typed-dict")  # with rules of their own
_NO_SCHEMA = ("default", "expected", "metadata", "serialization")  # parts of a core schema that hold values


def later(default: T) -> T:
    """A field that came after the first version of its message; the default means "as before".

    It is said only where it is not the default, so that what was recorded before reads and hashes as it did.
    """
    field: T = Field(default=default, exclude_if=lambda value: value == default)
    return field


def _relax(schema: CoreSchema) -> None:
    """Let the containers of a message's own fields take what Python has in their place; the values stay strict."""
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
        if name in ("of", "plain") or (name.startswith("model_") and hasattr(BaseModel, name)):
            from .errors import BadName  # not above: the errors know models, which are messages

            raise BadName(
                f"{message.__name__} cannot have a field {name}",
                f"every message has a method {name}",
                f'Give it another name; `{name}_: ... = Field(alias="{name}")` reads the old one as well.',
            )


class Message(BaseModel):
    """A frozen, strictly typed value that can cross process and version borders.

    Its *contract* (`__contract__`) is its name and major version on the wire: `Draft.v1` unless the class says
    otherwise with `class Draft(Message, contract="review.Draft.v2")`. Two classes with one contract are the same
    message, in whatever modules they live; inheritance plays no part. Readers ignore fields they do not know.

    Values are read strictly: "1" is never read as 1, and numbers are finite. Containers are not: a list may be given
    where a tuple is declared, a tuple where a list is, any mapping for a dict. On the wire a field has its own name; an
    alias is read as well. Raises BadName when the class is made: a field has the name of a method.
    """

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="ignore",
        allow_inf_nan=False,
        ser_json_inf_nan="constants",  # which no reader takes: null would be another value
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
    """What a parameter takes or a skill says: the name of a message, one or many, needed or not."""

    type: str
    many: bool = False
    optional: bool = False


def shape(annotation: object) -> tuple[type[Message], Contract] | None:
    """The message class and the contract behind `M`, `list[M]`, `M | None`; None if the annotation is no such thing.

    `tuple[M, ...]` and `Sequence[M]` are as good as a list.
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
