"""Message: the frozen value that everything said on the bus is made of."""

import types
from collections.abc import Sequence
from typing import Any, ClassVar, Self, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from pydantic_core import to_json

Data = dict[str, JsonValue]
T = TypeVar("T")


def later(default: T) -> T:
    """A field that came after the first version of its message; the default means "as before".

    It is said only where it is not the default, so that what was recorded before reads and hashes as it did.
    """
    field: T = Field(default=default, exclude_if=lambda value: value == default)
    return field


class Message(BaseModel):
    """A frozen, strictly typed value that can cross process and version borders.

    Its *contract* is its name and major version on the wire: `Draft.v1` unless the class says otherwise with
    `class Draft(Message, contract="review.Draft.v2")`. Two classes with one contract are the same message, in whatever
    modules they live; inheritance plays no part. Readers ignore fields they do not know, and "1" is never read as 1.
    """

    model_config = ConfigDict(
        frozen=True, strict=True, extra="ignore", ser_json_inf_nan="null", protected_namespaces=()
    )

    contract: ClassVar[str] = "Message.v1"

    def __init_subclass__(cls, contract: str | None = None, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.contract = contract or f"{cls.__name__}.v1"

    @classmethod
    def of(cls, data: JsonValue) -> Self:
        """Read plain JSON values as this message, as strictly as from the wire. Raises pydantic.ValidationError."""
        return cls.model_validate_json(to_json(data))

    def plain(self) -> Data:
        """The message as plain JSON values."""
        return self.model_dump(mode="json")


class Contract(Message, contract="moot.Contract.v1"):
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
        return annotation, Contract(type=annotation.contract, many=many, optional=optional)
    return None
