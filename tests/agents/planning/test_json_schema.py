"""Schemas: what does not fit a message's schema is found before anybody is given it; and no schema does any harm."""

from typing import Literal

from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, JsonValue, ValidationError

from hustings.agents.planning.json_schema import unlike
from hustings.protocols import Data, Message


class Part(Message):
    name: str = Field(min_length=1, max_length=3)
    inner: "Part | None" = None


class Whole(Message):
    parts: list[Part] = Field(max_length=2)
    size: int = Field(ge=0, le=9)
    kind: Literal["a", "b"] = "a"
    share: float | None = None


SCHEMA: Data = Whole.model_json_schema()
KEYS = st.sampled_from(["parts", "size", "kind", "share", "name", "inner"])
JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 11) | st.floats(0, 1) | st.sampled_from(["", "a", "b", "long"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
PARTS: st.SearchStrategy[JsonValue] = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from(["", "a", "long"])}, optional={"inner": JSON}), max_size=3
)
VALUES = JSON | st.fixed_dictionaries(
    {"parts": PARTS, "size": st.integers(-1, 10)},
    optional={"kind": st.sampled_from(["a", "b", "c"]), "share": st.none() | st.floats(0, 1) | st.text(max_size=1)},
)


@given(VALUES)
def test_what_fits_is_what_the_message_takes(value: JsonValue) -> None:
    """Both say the same of each value, but for fields that the message does not know: a reader passes over them, and
    whoever writes one down has meant something that is not there."""
    try:
        Whole.of(value)
        read = True
    except ValidationError:
        read = False
    reasons = list(unlike(value, SCHEMA))
    assert read == all(reason.startswith("there is no field") for reason in reasons), reasons


def test_a_reason_names_the_place() -> None:
    value: JsonValue = {"parts": [{"name": "a"}, {"name": "b", "inner": {"name": 1}}], "size": 10, "colour": "red"}
    assert list(unlike(value, SCHEMA)) == [
        "there is no field colour",
        "parts[1].inner.name must be of the type string",
        "size must be at most 9",
    ]


WORDS = st.sampled_from(["$ref", "anyOf", "type", "enum", "const", "items", "properties", "required", "minimum", "a"])
SCHEMAS: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.integers() | st.sampled_from(["#/$defs/A", "string", "object", "a", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


@given(JSON, st.dictionaries(WORDS, SCHEMAS), SCHEMAS)
def test_no_schema_does_any_harm(value: JsonValue, schema: Data, named: JsonValue) -> None:
    """It comes from whoever offers a skill. Nonsense is nothing to complain of; it raises nothing."""
    assert all(isinstance(reason, str) for reason in unlike(value, {**schema, "$defs": {"A": named}}))


def test_a_schema_that_branches_into_itself_comes_to_an_end() -> None:
    """Two to the power of fifty ways are not all gone."""
    itself: Data = {"anyOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/A"}]}
    assert list(unlike({"a": 1}, {**itself, "$defs": {"A": itself}})) == []
