"""The envelope: CloudEvents on the wire, one validation from bytes, and words for what cannot be read."""

import json
from typing import Any, get_args
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue, TypeAdapter

from hustings.protocols import (
    Amount,
    BudgetShare,
    Claim,
    Concluded,
    Data,
    Edit,
    Event,
    Evidence,
    Failure,
    FromGoal,
    FromSteps,
    FromVerdicts,
    GoalAsked,
    Matter,
    Message,
    Plan,
    Proposal,
    Result,
    Ruling,
    Step,
    Unreadable,
    Value,
    open_envelope,
)
from hustings.protocols.envelope import seal, uuid7

WORDS = st.text(max_size=8)
SECONDS = st.floats(min_value=0, max_value=1e9)
WHOLE = st.integers(-(2**53), 2**53)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | NUMBERS | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
DATA: st.SearchStrategy[Data] = st.dictionaries(WORDS, JSON, max_size=3)
SURE = st.floats(0, 1)
DATA = st.dictionaries(WORDS, st.one_of(st.integers(-9, 9), st.lists(WORDS, max_size=2)), max_size=2)
EVIDENCE = st.lists(st.builds(Evidence, kind=WORDS, says=WORDS, source=WORDS, data=DATA), max_size=2).map(tuple)
CLAIMS = st.builds(Claim, id=WORDS, by=WORDS, about=WORDS, value=JSON, confidence=SURE, evidence=EVIDENCE)
LINE = st.integers(0, 99)
EDITS = st.builds(Edit, resource=WORDS, base=WORDS, start=LINE, end=LINE, was=WORDS, text=WORDS)
PROPOSALS = st.builds(Proposal, id=WORDS, edits=st.lists(EDITS, max_size=2).map(tuple), confidence=SURE)
ITEMS = st.lists(CLAIMS | PROPOSALS, max_size=2).map(tuple)
STEPS = st.lists(WORDS, max_size=2).map(tuple)
REFS = (
    st.builds(FromGoal, field=st.none() | WORDS)
    | st.builds(FromSteps, steps=STEPS, many=st.booleans())
    | st.builds(FromVerdicts, steps=STEPS)
    | st.builds(Value, value=JSON)
)
INPUTS = st.dictionaries(WORDS, REFS, max_size=2)
STEP = st.builds(Step, id=WORDS, skill=WORDS, inputs=INPUTS, agents=STEPS, each=st.none() | WORDS)
SPECIAL: dict[str, st.SearchStrategy[Any]] = {
    "goal": DATA,
    "input": DATA,
    "output": JSON,
    "plan": st.builds(Plan, steps=st.lists(STEP, max_size=2).map(tuple), outcome=INPUTS),
    "matters": st.lists(
        st.builds(
            Matter,
            id=WORDS,
            items=STEPS,
            kind=st.sampled_from(["claim", "stale"]),
            contested=st.booleans(),
            about=WORDS,
        ),
        max_size=2,
    ).map(tuple),
    "rulings": st.lists(
        st.builds(
            Ruling,
            matter=WORDS,
            decided=st.booleans(),
            rule=WORDS,
            because=WORDS,
            stands=STEPS,
            falls=STEPS,
            value=JSON,
            weights=st.dictionaries(WORDS, NUMBERS, max_size=2),
        ),
        max_size=2,
    ).map(tuple),
    "typical": st.dictionaries(WORDS, SECONDS, max_size=2),
    "deadline": SECONDS,
    "seconds": SECONDS,
    "patience": st.none() | SECONDS.filter(bool),
    "amount": st.builds(Amount, calls=WHOLE, tokens=WHOLE, money=SECONDS),
    "budget": st.none(),
    "again": st.just(()),
    "share": st.none() | st.builds(BudgetShare, calls=st.none() | WHOLE),
}


def events(kind: type[Message]) -> st.SearchStrategy[Message]:
    """Any event of a kind."""
    return st.builds(kind, **{name: SPECIAL[name] for name in kind.model_fields if name in SPECIAL})


@pytest.mark.parametrize("kind", get_args(Event), ids=lambda kind: kind.__contract__)
def test_every_event_comes_back_as_it_went(kind: type[Message]) -> None:
    """Sealed, encoded, opened: the same event and the same extensions, whatever is in it."""

    @settings(derandomize=True, max_examples=25, deadline=None)
    @given(events(kind))
    def comes_back(event: Any) -> None:
        sealed = seal(event, source="ann", run="r1", cause="c1")
        opened = open_envelope(sealed.encode())
        assert type(opened.data) is kind
        assert opened == sealed

    comes_back()


CANCEL = {"by": "ann", "because": "so"}


def wire(**changed: Any) -> bytes:
    """A well-formed message, as another implementation would write it, with something changed."""
    fields = {
        "specversion": "1.0",
        "id": "1",
        "source": "ann",
        "type": "hustings.run.cancelled.v1",
        "subject": "s",
        "time": "2026-01-02T03:04:05Z",
        "runid": "r1",
        "data": CANCEL,
    } | changed
    return json.dumps({name: value for name, value in fields.items() if value is not None}).encode()


def test_the_envelope_is_a_cloud_event() -> None:
    """The required attributes of CloudEvents 1.0 and our extensions, all in lower case, and data: no more."""
    sealed = seal(Result(task="t", attempt=1, agent="ann", output=1), source="ann", run="r1", cause="c")
    fields = json.loads(sealed.encode())
    assert set(fields) == {"specversion", "id", "source", "type", "runid", "causationid", "data"}
    assert fields["specversion"] == "1.0"
    assert fields["type"] == "hustings.task.result.v1"
    assert (fields["runid"], fields["causationid"]) == ("r1", "c")


def test_what_another_implementation_wrote_is_read() -> None:
    """Optional attributes may be missing, and there may be more than we know, in the envelope and in data."""
    opened = open_envelope(wire(dataschema="https://x", colour="red", data={**CANCEL, "mood": "bad"}))
    assert opened.data.plain() == CANCEL


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "EOF"),
        (b"hello", "the message is not JSON: "),
        (b"[]", "object"),
        (b"\xff\xfe", "is not JSON"),
        (wire(type=None), "type"),
        (wire(type="hustings.run.danced.v1"), "unknown 'type': hustings.run.danced.v1"),
        (wire(type="hustings.run.cancelled.v2"), "hustings.run.cancelled.v2"),
        (wire(specversion="0.3"), "specversion must be '1.0'"),
        (wire(time="yesterday"), "time must "),
        (wire(time="2026-01-02T03:04:05"), "time must "),
        (wire(runid=None), "runid is missing"),
        (wire(data={"because": "so"}), "data.by is missing"),
        (wire(data={"by": 7}), "data.by must be text"),
        (wire(data=None), "data is missing"),
    ],
)
def test_what_cannot_be_read_is_told_in_words(raw: bytes, words: str) -> None:
    """Not JSON, an unknown type, a newer major version, a field that does not fit: Unreadable says which and where."""
    with pytest.raises(Unreadable) as caught:
        open_envelope(raw)
    assert words in str(caught.value)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.binary(max_size=40) | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_bytes_raise_anything_but_unreadable(raw: bytes) -> None:
    """Strangers write what they like."""
    with pytest.raises(Unreadable):
        open_envelope(raw)


def test_the_contract_of_every_event_is_one_of_a_kind() -> None:
    """Name and major version, lower case, and no two alike: the type on the wire says which event it is."""
    contracts = [kind.__contract__ for kind in get_args(Event)]
    assert len(set(contracts)) == len(contracts)
    assert all(name.startswith("hustings.") and name.endswith(".v1") and name == name.lower() for name in contracts)


def test_ids_are_ordered_by_time() -> None:
    """RFC 9562, version 7, and no two alike."""
    found = [uuid7() for _ in range(1000)]
    assert len(set(found)) == 1000
    assert {(each.version, each.variant) for each in found} == {(7, "specified in RFC 4122")}
    stamps = [each.int >> 80 for each in found]
    assert stamps == sorted(stamps)
    assert UUID(seal(GoalAsked(type="x", goal={}, by="y"), source="a", run="r").id).version == 7


def test_a_failure_kind_and_a_status_are_closed_sets() -> None:
    """A word that is not of this version is Unreadable, not a surprise further in."""
    for kind, field in ((Failure, "kind"), (Concluded, "status")):
        schema = TypeAdapter(kind).json_schema()["properties"][field]
        assert "enum" in schema
