"""Validation: what does not fit is told in one way, in plain words: where, what is wanted, what was given."""

import ast
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator
from pydantic_core import to_json

from hustings.agents.observe.sanitize import without_secrets
from hustings.protocols import Message, Unreadable, open_envelope
from hustings.protocols.validation import errors_in_words, first_error

ROOT = Path(__file__).parents[2]


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Point(Message):
    x: int
    y: int = 0


class Cat(Message):
    kind: Literal["cat"]


class Dog(Message):
    kind: Literal["dog"]


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(min_length=2, max_length=5, pattern="^[a-z]+$")] = "ann"
    count: Annotated[int, Field(ge=1, lt=9)] = 1
    share: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 1.0
    sure: bool = True
    many: Annotated[list[Point], Field(max_length=2)] = []
    pair: tuple[int, str] = (1, "a")
    table: dict[str, int] = {}
    colour: Colour = Colour.RED
    size: Literal["s", "m"] = "s"
    day: date = date(2026, 1, 1)
    pet: Annotated[Cat | Dog, Field(discriminator="kind")] | None = None
    odd: int = 1
    api_key: int = 1

    @field_validator("odd")
    @classmethod
    def _is_odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("an even number is no use")
        return value


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"count": "7"}, "count must be a whole number, not '7'"),
        ({"count": 1.5}, "count must be a whole number, not 1.5"),
        ({"count": 0}, "count must be at least 1, not 0"),
        ({"count": 9}, "count must be less than 9, not 9"),
        ({"count": None}, "count must be a whole number, not null"),
        ({"share": "x"}, "share must be a number, not 'x'"),
        ({"share": 0}, "share must be more than 0.0, not 0"),
        ({"share": 2}, "share must be at most 1.0, not 2"),
        ({"sure": 1}, "sure must be true or false, not 1"),
        ({"name": True}, "name must be text, not true"),
        ({"name": "a"}, "name must have at least 2 characters"),
        ({"name": "abcdef"}, "name must have at most 5 characters"),
        ({"name": "A1"}, "name must match ^[a-z]+$, not 'A1'"),
        ({"many": {"x": 1}}, "many must be a list, not an object"),
        ({"many": [{"x": 1}, {"y": 2}]}, "many.1.x is missing"),
        ({"many": [3]}, "many.0 must be an object, not 3"),
        ({"many": [{"x": 1}] * 3}, "many must have at most 2 items"),
        ({"pair": 1}, "pair must be a list, not 1"),
        ({"table": []}, "table must be an object, not a list"),
        ({"table": {"a": "b"}}, "table.a must be a whole number, not 'b'"),
        ({"colour": "green"}, "colour must be 'red' or 'blue', not 'green'"),
        ({"size": "xl"}, "size must be 's' or 'm', not 'xl'"),
        ({"pet": {"kind": "cow"}}, "pet has an unknown 'kind': cow"),
        ({"pet": {}}, "pet must have the field 'kind'"),
        ({"odd": 2}, "odd: an even number is no use"),
        ({"sise": 1}, "there is no field sise"),
        ({"size": "x" * 200}, "size must be 's' or 'm', not '" + "x" * 79 + "…"),
        ({"size": "\x1b[31m"}, r"size must be 's' or 'm', not '\x1b[31m'"),
        ({"api_key": "s3cret"}, "api_key must be a whole number"),
        ({"count": "nats://me:s3cret@host"}, "count must be a whole number"),
        ([], "it must be an object, not a list"),
    ],
)
def test_an_error_says_where_what_is_wanted_and_what_was_given(given: object, words: str) -> None:
    """One line, no URL, nothing of pydantic's own manner of speaking."""
    with pytest.raises(ValidationError) as caught:
        Form.model_validate_json(to_json(given))
    assert first_error(caught.value) == words


def test_what_is_not_json_is_told_so() -> None:
    with pytest.raises(ValidationError) as caught:
        Form.model_validate_json(b"{")
    assert first_error(caught.value, whole="the answer").startswith("the answer is not JSON: ")


def test_an_error_without_words_of_ours_still_reads_as_a_sentence() -> None:
    with pytest.raises(ValidationError) as caught:
        Form.model_validate_json('{"day": "soon"}')
    assert first_error(caught.value).startswith("day must be a valid date")


def test_several_are_told_up_to_a_number() -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(list[int]).validate_python(["a"] * 20, strict=True)
    told = errors_in_words(caught.value, most=3)
    assert told == tuple(f"{at} must be a whole number, not 'a'" for at in range(3))


@pytest.mark.parametrize(
    "name", ["token", "tokens", "password", "dbPasswd", "secret", "api-key", "apiKey", "authorization"]
)
def test_what_the_logs_hide_is_hidden_here(name: str) -> None:
    assert without_secrets({name: "s3cret"}) == {name: "***"}
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(dict[str, int]).validate_python({name: "s3cret"}, strict=True)
    assert "s3cret" not in first_error(caught.value)


def test_a_message_of_others_is_told_without_its_content() -> None:
    """What came off the wire may be large, and is another's."""
    with pytest.raises(Unreadable, match=r"^the message has an unknown 'type': nope$"):
        open_envelope(b'{"type": "nope", "data": "s3cret"}')
    with pytest.raises(Unreadable) as caught:
        open_envelope(b'{"type": "hustings.goal.asked.v1", "id": 12345}')
    assert str(caught.value) == "id must be text"


def test_nobody_else_puts_errors_into_words() -> None:
    """Only validation.py, and who needs the place of an error and not its words, calls `errors()`."""
    found = {
        str(path.relative_to(ROOT))
        for folder in ("protocols", "bus", "agents", "examples")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "errors"
    }
    assert found == {"protocols/validation.py", "protocols/wire.py", "agents/cli/verbs/goal.py"}
