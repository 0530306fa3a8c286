"""What is sent arrives as it was, or is refused at its author; whatever events are composed of it can be read."""

import collections
import datetime
import math
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, JsonValue, SecretStr, computed_field, field_serializer
from pydantic_core import from_json

from hustings.protocols import (
    Answered,
    Asked,
    Assigned,
    BadName,
    Claim,
    Concluded,
    Data,
    Event,
    FromSteps,
    Goal,
    GoalAsked,
    Inquiry,
    Matter,
    Message,
    Opened,
    Outcome,
    Plan,
    Planned,
    Proposal,
    Result,
    Ruling,
    Settled,
    Step,
    Testimony,
    Unreadable,
    Unsendable,
    Value,
    Verdict,
    open_envelope,
    wire,
)
from hustings.protocols.envelope import seal
from hustings.protocols.wire import DEEPEST, check_legible, plain, sent


class Colour(Enum):
    RED = "red"


class Happened(Message):
    at: int


class ToolCalled(Happened):
    tool: str


class Marked(Happened): ...


class Tree(Message):
    value: JsonValue = None
    under: "list[Tree]" = []


class Everything(Message):
    """One field of each kind that people write."""

    word: str = ""
    number: int = 0
    part: float = 0.0
    maybe: float | None = None
    either: int | str | None = None
    data: bytes = b""
    price: Decimal = Decimal(0)
    when: datetime.datetime | None = None
    day: datetime.date | datetime.datetime | None = None
    colour: Colour = Colour.RED
    tree: JsonValue = None
    pair: tuple[int, str] = (0, "")
    several: tuple[str, ...] = ()
    listed: list[list[int]] = []
    named: dict[str, list[float]] = {}
    by_number: dict[int, str] = {}
    unique: frozenset[int] = frozenset()
    aliased: str = Field(default="", alias="from")
    read_as: str = Field(default="", validation_alias="class")
    written_as: str = Field(default="", serialization_alias="def")
    happened: list[Happened] = []
    one_of: Annotated[Tree | Happened, Field(union_mode="left_to_right")] | None = None


TEXT = st.text(st.characters(codec=None), max_size=5)  # lone surrogates too
FLOATS = st.floats() | st.sampled_from([1e308, 5e-324, -0.0])
NUMBERS = st.integers() | st.sampled_from([19, 63, 4299, 5000]).map(lambda digits: -(10**digits))
JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | NUMBERS | FLOATS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
ZONES = st.sampled_from([None, datetime.UTC, datetime.timezone(datetime.timedelta(hours=5, minutes=30))])
HAPPENED = (
    st.builds(Happened, at=NUMBERS) | st.builds(ToolCalled, at=NUMBERS, tool=TEXT) | st.builds(Marked, at=NUMBERS)
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "word": TEXT | st.just("x" * 100_000),
    "number": NUMBERS,
    "part": FLOATS,
    "maybe": st.none() | FLOATS,
    "either": st.none() | NUMBERS | TEXT | st.just("1"),
    "data": st.binary(max_size=9),
    "price": st.decimals(),
    "when": st.datetimes(timezones=ZONES),
    "day": st.dates() | st.datetimes(),
    "tree": JSON,
    "pair": st.tuples(NUMBERS, TEXT),
    "several": st.lists(TEXT, max_size=3) | st.lists(TEXT, max_size=3).map(tuple),
    "listed": st.lists(st.lists(st.integers(), max_size=2).map(tuple), max_size=2).map(tuple),
    "named": st.dictionaries(TEXT, st.lists(FLOATS, max_size=2), max_size=2),
    "by_number": st.dictionaries(NUMBERS, TEXT, max_size=2),
    "unique": st.frozensets(st.integers(), max_size=3),
    "aliased": TEXT,
    "read_as": TEXT,
    "written_as": TEXT,
    "happened": st.lists(HAPPENED, max_size=2),
    "one_of": st.none() | HAPPENED | st.builds(Tree.model_construct, value=JSON),
}


def nested(levels: int, inner: JsonValue = 1, *, objects: bool = False) -> JsonValue:
    for _ in range(levels):
        inner = {"child": inner} if objects else [inner]
    return inner


def arrives(message: Message, known_as: type[Message]) -> bool:
    """True if it went through as it was, False if it was refused at its author. Whatever else happens is a failure."""
    try:
        data = sent(message, known_as)
    except Unsendable:
        return False
    result = Result(task="t", attempt=1, agent="a", output=data)
    opened = open_envelope(seal(result, source="a", run="r").encode()).data
    assert isinstance(opened, Result)
    assert known_as.of(opened.output) == message
    return True


def test_a_thousand_messages_arrive_as_they_were_or_are_refused_at_their_author() -> None:
    """Whatever is in them: depth, digits, infinity, surrogates, aliases, unions, subclasses."""
    seen = collections.Counter[bool]()

    @settings(derandomize=True, max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.fixed_dictionaries({}, optional=FIELDS))
    def arrives_or_not(fields: dict[str, Any]) -> None:
        try:
            message = Everything(**fields)
        except ValueError:  # refused even earlier: at the line that makes it
            seen[False] += 1
            return
        seen[arrives(message, Everything)] += 1

    arrives_or_not()
    assert min(seen[True], seen[False]) > 100  # both do happen


def test_what_is_nested_in_whatever_way_arrives_or_is_refused() -> None:
    """There is one bound, and beyond it the author is told so."""
    for levels in (1, DEEPEST - 1):
        for objects in (True, False):
            assert arrives(Tree(value=nested(levels, objects=objects)), Tree)
    for levels in (DEEPEST, 197, 250, 1000):
        for objects in (True, False):
            with pytest.raises(Unsendable, match="nested"):
                sent(Tree.model_construct(value=nested(levels, objects=objects)))
    tree = Tree()
    for _ in range(300):
        tree = Tree.model_construct(under=[tree])
    with pytest.raises(Unsendable):
        sent(tree)


class Private(Message):
    password: SecretStr


class Hidden(Message):
    kept: int = 1
    hidden: int = Field(default=1, exclude=True)


class Rounded(Message):
    value: float

    @field_serializer("value")
    def shorter(self, value: float) -> float:
        return round(value, 1)


class Swapped(Message):
    a: int = Field(alias="b")
    b: int = Field(alias="a")


class Other(BaseModel):
    x: int = 1


class More(Other):
    y: int = 2


class Holder(Message):
    other: Other = Other()


LOST: dict[str, tuple[Message, str]] = {
    "secret": (Private(password=SecretStr("hush")), "password"),
    "excluded": (Hidden(hidden=2), "hidden"),
    "serializer": (Rounded(value=0.123), "value"),
    "swapped aliases": (Swapped.model_validate({"a": 1, "b": 2}, by_name=False), "a would have another value"),
    "subclass": (Everything(happened=[ToolCalled(at=1, tool="rm")]), "happened.0 is ToolCalled"),
    "marker subclass": (Everything(happened=[Marked(at=1)]), "happened.0 is Marked"),
    "subclass of a plain model": (Holder(other=More()), "other is More"),
    "union": (Everything(one_of=Happened(at=1)), "one_of is Happened"),
    "not a number": (Tree.model_construct(value=math.nan), "not finite"),
    "infinite": (Tree.model_construct(value=[{"a": math.inf}]), "not finite"),
    "digits": (Tree(value=10**5000), "digits"),
    "surrogate": (Tree(value="\ud800"), "surrogates"),
    "surrogate in a name": (Tree(value={"\ud800": 1}), "surrogates not allowed"),
    "unchecked": (Happened.model_construct(at="1"), "at must be a whole number, not '1'"),
    "large": (Tree(value="x" * (64 * 2**20)), "67108"),
}


@pytest.mark.parametrize("case", LOST)
def test_what_would_be_lost_on_the_way_is_refused_with_its_place(case: str) -> None:
    """Not one of these may arrive as something else: the author learns which field it is."""
    message, why = LOST[case]
    with pytest.raises(Unsendable, match="cannot be sent") as refused:
        sent(message)
    assert why in refused.value.why
    assert "hush" not in str(refused.value)


class Counted(Message):
    values: list[int]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def total(self) -> int:
        return sum(self.values)


class Open(Message, extra="allow"):
    x: int = 1


class Closed(Message, extra="forbid"):
    x: int = 1

    @computed_field  # type: ignore[prop-decorator]
    @property
    def double(self) -> int:
        return 2 * self.x


class Findings(Testimony): ...


def test_what_is_natural_in_python_arrives() -> None:
    """Bytes, aliases, computed fields, fields of one's own, a subclass without fields where its base is promised."""
    for message in (
        Everything.model_validate({"from": "ann", "class": "b", "data": b"\xff\x00", "part": 1}),
        Counted(values=[1, 2]),
        Open.model_validate({"x": 2, "y": [1]}),
        Closed(x=3),
        Everything(when=datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC), price=Decimal("0.10")),
    ):
        assert arrives(message, type(message))
    assert sent(Findings(claims=(Claim(about="a", value=1),)), Testimony)["claims"]


def test_containers_may_be_given_as_python_has_them() -> None:
    """A list where a tuple is declared, a tuple where a list is, any mapping for a dict; "1" is still no 1."""
    made = Findings(claims=[Claim(about="a", value=1, evidence=[])], proposals=[])  # type: ignore[arg-type]
    assert isinstance(made.claims, tuple)
    held = Everything(listed=((1,), (2, 3)), named=collections.ChainMap({"a": (1.0,)}), unique=[1, 2], pair=[1, "x"])  # type: ignore[arg-type]
    assert (held.listed, held.named, held.pair) == ([[1], [2, 3]], {"a": [1.0]}, (1, "x"))
    wrong: list[dict[str, Any]] = [
        {"listed": [["1"]]},
        {"several": "abc"},
        {"pair": [1, 2]},
        {"number": True},
        {"word": 1},
        {"named": [("a", [1.0])]},
    ]
    for fields in wrong:
        with pytest.raises(ValueError, match="validation error"):
            Everything(**fields)


def test_values_of_a_default_are_not_touched() -> None:
    """A default that looks like a schema stays as it was written."""

    class Schema(Message):
        shape: dict[str, JsonValue] = {"type": "list"}

    assert Schema().shape == {"type": "list"}


def test_no_name_of_a_field_changes_what_a_message_is() -> None:
    """What a message is called on the wire does not depend on its fields; names that cannot be are refused at once."""

    class Lease(Message):
        contract: str

    class Sale(Message):
        contract: str

    assert (Lease.__contract__, Sale(contract="x").__contract__) == ("Lease.v1", "Sale.v1")
    assert plain(Lease(contract="x")) == {"contract": "x"}
    for name in ("of", "plain", "copy", "json", "schema", "model_dump", "model_config", "model_validate_json"):
        for base in (Message, Goal, Outcome):
            with pytest.raises(BadName, match=name):
                type("Odd", (base,), {"__module__": __name__, "__annotations__": {name: str}})


def test_every_composed_event_can_be_read() -> None:
    """What is nested as deeply as may be said is still readable in each event that is made of it."""
    deepest = DEEPEST - 3  # of a testimony, a list and a claim
    claim = Claim(about="a", value=nested(deepest, objects=True), id="s.0", by="s")
    said = sent(Testimony(claims=(claim,)))
    verdict = Verdict(
        matter="m", kind="claim", about="a", decided=True, rule="r", because="b", stands=(claim,), value=claim.value
    )
    verdicts: list[JsonValue] = [verdict.plain()]
    given: Data = {"verdicts": verdicts, "case": {"sides": [{"items": [claim.plain()]}]}}
    task = Assigned(task="t", step="s", agent="a", attempt=1, skill="k", input=given, deadline=1.0)
    again = Step(id="t", skill="k", inputs={n: Value(value=v) for n, v in given.items()}, agents=("a",))
    events: list[Event] = [
        GoalAsked(type="G.v1", goal=sent(Tree(value=nested(DEEPEST - 1))), by="c"),
        Result(task="t", attempt=1, agent="a", output=said),
        Result(task="t", attempt=1, agent="a", output=[said, said]),
        task,
        GoalAsked(type="G.v1", goal={}, by="c", again=(task,), redrives="r"),
        Planned(plan=Plan(steps=(again,), outcome={"t": FromSteps(steps=("t",))})),
        Opened(barrier="b", matters=(Matter(id="m", items=("s.0",), kind="claim", contested=False),)),
        Settled(barrier="b", rulings=(Ruling.on(verdict),)),
        Asked(task="t", attempt=1, agent="a", ask="x-1", skill="k", input={"of": [said]}),
        Answered(child="ask-1", output=[said]),
        Concluded(status="decided", because="", filled=("v", "t"), state_hash="", at=1),
    ]
    for event in events:
        assert open_envelope(seal(event, source="x", run="r").encode()).data == event
    assert Inquiry(skill="k", given=given).task
    assert {type(event) for event in events} <= {*get_args(events.__class__), *map(type, events)}


def test_what_others_write_is_read_only_as_far_as_it_can_be_passed_on() -> None:
    """Bytes with infinity, with too many digits or levels are unreadable, wherever in them it is."""

    def result(output: str, seconds: str = "0.1") -> bytes:
        event = Result(task="t", attempt=1, agent="a", output="OUTPUT", seconds=0.125)
        raw = seal(event, source="a", run="r").encode().decode()
        return raw.replace('"OUTPUT"', output).replace("0.125", seconds).encode()

    assert open_envelope(result("{}"))
    for output in ("1e400", '{"a": [-1e999]}', "NaN", "Infinity", "1" * 4400, '"\\ud800"', "[" * 180 + "]" * 180):
        with pytest.raises(Unreadable):
            open_envelope(result(output))
    for seconds in ("1e400", "-1", "1e300", "NaN", '"1"', "null"):
        with pytest.raises(Unreadable):
            open_envelope(result("{}", seconds))


def test_an_event_that_its_writer_could_not_read_is_not_written() -> None:
    """Made without being checked, as `model_copy` and `model_construct` can: it is refused before it is sent."""
    ruling = Ruling(matter="m", decided=True, rule="r", because="b")
    deep = ruling.model_copy(update={"value": nested(200)})
    wrong: list[Message] = [ruling.model_copy(update={"margin": math.inf}), deep, Proposal.model_construct(edits=[1])]
    for each in wrong:
        with pytest.raises(Unsendable, match="Settled cannot be written"):
            seal(Settled.model_construct(barrier="b", rulings=(each,)), source="x", run="r").encode()


def test_there_is_room_for_what_events_add() -> None:
    """The bound is the one that is told, give or take the innermost bracket."""
    check_legible(b"[" * DEEPEST + b"]" * DEEPEST)
    with pytest.raises(Unreadable, match="nested more than 150 levels deep"):
        check_legible(b"[" * (DEEPEST + 2) + b"]" * (DEEPEST + 2))


@pytest.mark.parametrize("number", ["1e400", "-1E400", "1e+0400", "9e999999", "1" * 310 + ".0", "NaN", "-Infinity"])
@pytest.mark.parametrize("around", ["{}", "[{}]", '{{"a":{}}}', "[1, {} , 2]", "[{}\n]", '{{"a":[{}],"b":1}}', " {} "])
def test_an_infinite_number_is_found_wherever_it_stands(number: str, around: str) -> None:
    """Whatever precedes or follows it: the scan must not be cleverer than JSON."""
    with pytest.raises(Unreadable):
        check_legible(around.format(number).encode())


def test_text_that_looks_like_a_large_number_costs_no_second_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """Digests in hex are full of 3e123. What is no number is not looked at again; what may be one is, and passes."""
    read: list[bytes] = []

    def noted(raw: bytes, **options: Any) -> Any:
        read.append(raw)
        return from_json(raw, **options)

    monkeypatch.setattr(wire, "from_json", noted)
    check_legible(b'{"base": "ab3e1234cd", "text": "NaNs and Infinity-like 1e400x", "n": 1e9}')
    assert not read
    check_legible(b'["see 1e400, or NaN"]')
    assert len(read) == 1


@pytest.mark.parametrize("output", [object(), math.nan, "\ud800", nested(200)])
def test_what_an_event_passes_on_is_read_before_it_is_written(output: Any) -> None:
    """It is not looked at when the event is made, because it was checked before; so the writer looks."""
    with pytest.raises(Unsendable):
        seal(Result(task="t", attempt=1, agent="a", output=output), source="x", run="r").encode()
