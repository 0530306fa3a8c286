"""Untrusted: text that somebody else wrote. A model may see it as data; it never becomes an instruction."""

from typing import Any, NoReturn

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from .errors import PromptInjectionError


class Untrusted:
    """Text from a repository, a tool or another agent. A field of a Message can have this type; on the wire it is a
    string.

    Putting it into another text (`str()`, an f-string, `+`, `join`) raises PromptInjectionError. `reveal` is for code
    that works on it as data.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text, for code that treats it as data."""
        return self._text

    def __str__(self) -> NoReturn:
        raise PromptInjectionError(
            "untrusted text cannot become part of another text", "it may contain instructions from an untrusted author"
        )

    def __format__(self, spec: str) -> NoReturn:
        str(self)
        raise AssertionError

    def __add__(self, other: object) -> NoReturn:
        str(self)
        raise AssertionError

    __radd__ = __add__
    __mod__ = __add__
    __rmod__ = __add__

    def __repr__(self) -> str:
        return f"<untrusted, {len(self._text)} characters>"

    def __len__(self) -> int:
        return len(self._text)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Untrusted) and other._text == self._text

    def __hash__(self) -> int:
        return hash(("untrusted", self._text))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        wrapped = core_schema.no_info_after_validator_function(cls, core_schema.str_schema(strict=True))
        return core_schema.json_or_python_schema(
            json_schema=wrapped,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), wrapped]),
            serialization=core_schema.plain_serializer_function_ser_schema(
                cls.reveal, return_schema=core_schema.str_schema()
            ),
        )
