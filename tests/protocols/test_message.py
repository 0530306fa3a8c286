"""Messages: frozen, strict, forward-compatible, and named by contract."""

from collections.abc import Sequence

import pytest
from pydantic import JsonValue, ValidationError

from hustings import protocols
from hustings.protocols import Claim, Contract, Edit, Item, Message, Proposal
from hustings.protocols.message import shape


class Note(Message):
    words: int
    author: str | None = None


class Later(Message, contract="desk.Note.v2"):
    words: int


class Child(Note): ...


def test_a_message_is_frozen() -> None:
    """What was said cannot be edited afterwards."""
    with pytest.raises(ValidationError, match="frozen"):
        Note(words=1).words = 2


@pytest.mark.parametrize("words", ["1", 1.5, True, None, [1]])
def test_a_message_is_strict(words: JsonValue) -> None:
    """Nothing is turned into something else: "1" is not 1."""
    with pytest.raises(ValidationError):
        Note.of({"words": words})


def test_a_reader_ignores_what_it_does_not_know() -> None:
    """A newer writer may say more."""
    assert Note.of({"words": 1, "colour": "red", "author": "ann"}) == Note(words=1, author="ann")


def test_a_message_survives_plain_json() -> None:
    """of() reads what plain() gives, tuples and nested messages included."""
    said = protocols.Testimony(
        claims=(Claim(about="p", value={"a": [1, None]}),),
        proposals=(Proposal(edits=(Edit(resource="a", base="b", start=0, end=1, was="x", text="y"),)),),
    )
    assert protocols.Testimony.of(said.plain()) == said


def test_the_contract_is_name_and_major_version() -> None:
    """Name.v1, or what the class says; a subclass has its own and is another message."""
    assert (Note.__contract__, Later.__contract__, Child.__contract__) == ("Note.v1", "desk.Note.v2", "Child.v1")


@pytest.mark.parametrize(
    ("annotation", "message", "contract"),
    [
        (Note, Note, Contract(type="Note.v1")),
        (list[Note], Note, Contract(type="Note.v1", many=True)),
        (tuple[Later, ...], Later, Contract(type="desk.Note.v2", many=True)),
        (Sequence[Note], Note, Contract(type="Note.v1", many=True)),
        (Note | None, Note, Contract(type="Note.v1", optional=True)),
        (list[Note] | None, Note, Contract(type="Note.v1", many=True, optional=True)),
    ],
)
def test_shape_reads_an_annotation(annotation: object, message: type[Message], contract: Contract) -> None:
    """The message class behind it, whether there are many, and whether it may be missing."""
    assert shape(annotation) == (message, contract)


@pytest.mark.parametrize(
    "annotation",
    [int, str | None, list[int], Note | Later, Note | Later | None, tuple[Note, Later], dict[str, Note], None, "Note"],
)
def test_shape_refuses_what_is_no_message(annotation: object) -> None:
    """None, so that whoever asked can say it in words."""
    assert shape(annotation) is None


@pytest.mark.parametrize("bare", [list, tuple])
def test_shape_refuses_a_list_of_nothing(bare: object) -> None:
    """A bare `list` says nothing of its elements."""
    assert shape(bare) is None


def test_an_items_source_is_its_lineage_or_else_its_author() -> None:
    """What counts as one witness."""
    assert Item(by="ann").source == "ann"
    assert Item(by="ann", lineage="pyflakes").source == "pyflakes"


@pytest.mark.parametrize("confidence", [-0.1, 1.1])
def test_confidence_lies_between_0_and_1(confidence: float) -> None:
    with pytest.raises(ValidationError):
        Item(confidence=confidence)


def test_a_proposal_keeps_only_if_all_its_edits_do() -> None:
    """To keep is a proposal whose text equals what was there."""
    same = Edit(resource="a", base="b", start=0, end=1, was="x", text="x")
    other = same.model_copy(update={"text": "y"})
    assert Proposal(edits=(same, same)).keeps
    assert not Proposal(edits=(same, other)).keeps
