"""Matters: everything that was said is grouped once, and where not all can stand it is seen."""

import itertools
import json
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import JsonValue

from hustings.agents.arbitration.matters import clash, effect, group, options
from hustings.protocols import Proposal

from ..sayings import PROPERTY, Said, by_id, claim, edit, members, proposal, sayings


@PROPERTY
@given(sayings())
def test_every_item_lies_in_exactly_one_matter(items: list[Said]) -> None:
    """The matters are a partition of what was said."""
    named = [item for matter in group(items) for item in matter.items]
    assert sorted(named) == sorted(item.id for item in items)


@PROPERTY
@given(sayings(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_show(items: list[Said], chance: Random) -> None:
    """Shuffled testimony gives the same matters, with the same ids and in the same order."""
    assert group(chance.sample(items, len(items))) == group(items)


@PROPERTY
@given(sayings(), st.integers(0, 5), st.integers(0, 5))
def test_matters_are_numbered_on_from_the_counts_given(items: list[Said], conflicts: int, agreed: int) -> None:
    """C-n are the contested ones, M-n the others, each without a gap."""
    matters = group(items, conflicts=conflicts, agreed=agreed)
    contested = [matter.id for matter in matters if matter.contested]
    others = [matter.id for matter in matters if not matter.contested]
    assert contested == [f"C-{conflicts + n + 1}" for n in range(len(contested))]
    assert others == [f"M-{agreed + n + 1}" for n in range(len(others))]


@PROPERTY
@given(sayings())
def test_a_matter_is_contested_iff_not_all_of_it_can_stand(items: list[Said]) -> None:
    """Two of its options clash, or one resource was read in two versions."""
    said = by_id(items)
    for matter in group(items):
        choices = options(said[item] for item in matter.items)
        clashing = any(clash(one, other) for one, other in itertools.combinations(choices, 2))
        assert matter.contested == (clashing or matter.kind == "stale")
        assert (matter.kind == "stale") == _two_versions([said[item] for item in matter.items])


def _two_versions(items: list[Said]) -> bool:
    edits = [edit for item in items if isinstance(item, Proposal) for edit in item.edits]
    return any(a.resource == b.resource and a.base != b.base for a in edits for b in edits)


@PROPERTY
@given(sayings())
def test_what_clashes_lies_in_one_matter(items: list[Said]) -> None:
    """No two items of different matters are in each other's way."""
    matter_of = {item: matter.id for matter in group(items) for item in matter.items}
    for one, other in itertools.combinations(items, 2):
        alike = type(one) is type(other) and getattr(one, "about", "") == getattr(other, "about", "")
        if alike and clash(options([one])[0], options([other])[0]):
            assert matter_of[one.id] == matter_of[other.id]


# proposals


@pytest.mark.parametrize(
    ("first", "second", "joined", "contested"),
    [
        pytest.param((1, 3, "x"), (2, 4, "y"), True, True, id="overlapping lines collide"),
        pytest.param((1, 5, "x"), (2, 3, "y"), True, True, id="one inside the other collides"),
        pytest.param((1, 2, "x"), (2, 3, "y"), True, False, id="touching lines are one matter, and both can stand"),
        pytest.param((1, 2, "x"), (3, 4, "y"), False, False, id="lines apart are two matters"),
        pytest.param((2, 2, "x"), (2, 2, "y"), True, True, id="two texts inserted at one place collide"),
        pytest.param((2, 2, "x"), (2, 2, "x"), True, False, id="the same text inserted twice agrees"),
        pytest.param((2, 2, "x"), (1, 3, "y"), True, True, id="an insertion into replaced lines collides"),
        pytest.param((2, 2, "x"), (2, 4, "y"), True, False, id="an insertion before replaced lines can stand"),
        pytest.param((2, 2, "x"), (0, 2, "y"), True, False, id="an insertion after replaced lines can stand"),
        pytest.param((1, 3, "x"), (1, 3, "x"), True, False, id="identical edits agree"),
        pytest.param((1, 3, "x"), (1, 3, "old"), True, True, id="to keep collides with a change"),
        pytest.param((1, 3, "old"), (2, 4, "old"), True, False, id="to keep does not collide with to keep"),
    ],
)
def test_proposals_meet(
    first: tuple[int, int, str], second: tuple[int, int, str], joined: bool, contested: bool
) -> None:
    """Which spans are one matter, and which of them cannot both stand; whichever is said first."""
    items = [proposal("i1", "ann", edit(*first)), proposal("i2", "bob", edit(*second))]
    for order in (items, items[::-1]):
        matters = group(order)
        assert (len(matters) == 1) == joined
        assert any(matter.contested for matter in matters) == contested
    assert {matter.kind for matter in group(items)} == {"collision" if contested else "change"}


def test_proposals_on_different_bases_are_stale() -> None:
    """Wherever their lines are: one of the two was made against a file that is no more."""
    items = [proposal("i1", "ann", edit(1, 2, "x")), proposal("i2", "bob", edit(50, 51, "y", base="b2"))]
    (matter,) = group(items)
    assert (matter.kind, matter.contested, matter.id) == ("stale", True, "C-1")


def test_a_proposal_of_several_files_joins_what_it_touches() -> None:
    """Its edits stand or fall together, so everything any of them meets is one matter, transitively."""
    items = [
        proposal("i1", "ann", edit(1, 2, "x"), edit(5, 6, "x", resource="b.py")),
        proposal("i2", "bob", edit(1, 2, "y")),
        proposal("i3", "cy", edit(5, 7, "z", resource="b.py")),
        proposal("i4", "cy", edit(7, 8, "z", resource="b.py")),
        proposal("i5", "cy", edit(5, 7, "z", resource="c.py")),
    ]
    assert members(group(items)) == {frozenset({"i1", "i2", "i3", "i4"}), frozenset({"i5"})}


def test_a_long_edit_joins_what_lies_under_it() -> None:
    """Short edits that do not meet each other are one matter where a longer one covers both."""
    items = [
        proposal("i1", "ann", edit(0, 20, "x")),
        proposal("i2", "bob", edit(1, 2, "y")),
        proposal("i3", "bob", edit(10, 11, "y")),
        proposal("i4", "cy", edit(21, 22, "y")),
    ]
    assert members(group(items)) == {frozenset({"i1", "i2", "i3"}), frozenset({"i4"})}


def test_proposals_without_edits_are_numbered_by_content() -> None:
    """Even what says nothing has its place that no order of arrival can change."""
    items = [proposal("i1", "ann"), proposal("i2", "bob")]
    assert group(items) == group(items[::-1])


# claims

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.5, 1.0, 2.0]) | st.sampled_from(["", "1", "a"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)


@PROPERTY
@given(VALUES, VALUES)
@example(1, 1.0)
@example(True, 1)
@example({"a": [1, {"b": 2.0}]}, {"a": [1.0, {"b": 2}]})
@example({"a": 1, "b": 2}, {"b": 2, "a": 1})
def test_claims_contradict_iff_their_values_differ(one: JsonValue, other: JsonValue) -> None:
    """As JSON values: 1 and 1.0 are one number, True and 1 are not the same, the order of keys says nothing."""
    (matter,) = group([claim("i1", "ann", one), claim("i2", "bob", other)])
    assert matter.contested == (not _equal(one, other))
    assert matter.kind == ("contradiction" if matter.contested else "claim")


def _equal(one: JsonValue, other: JsonValue) -> bool:
    """Equality of JSON values, spelled out: booleans are no numbers."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def test_claims_about_different_keys_are_different_matters() -> None:
    """A matter is all that was said about one key, by whomever."""
    items = [claim("i1", "ann", 1, about="p"), claim("i2", "bob", 2, about="q"), claim("i3", "cy", 1, about="p")]
    assert members(group(items)) == {frozenset({"i1", "i3"}), frozenset({"i2"})}
    assert [matter.about for matter in group(items)] == ["p", "q"]


def test_options_count_independent_witnesses_once() -> None:
    """Items that say the same are one option; its sources are the lineages behind it."""
    items = [
        claim("i1", "ann", 1, lineage="L"),
        claim("i2", "bob", 1, lineage="L"),
        claim("i3", "cy", 1),
        claim("i4", "dan", 2),
    ]
    first, second = options(items)
    assert options(items[::-1]) == [first, second]
    assert [item.id for item in first.items] == ["i1", "i2", "i3"]
    assert first.sources == {"L", "cy"}
    assert second.sources == {"dan"}
    assert json.loads(effect(items[0])) == 1
