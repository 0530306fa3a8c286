"""Testimony of chance, for the properties of matters and arbiters."""

from collections.abc import Sequence

from hypothesis import settings
from hypothesis import strategies as st
from pydantic import JsonValue

from hustings.protocols import Claim, Edit, Evidence, Item, Matter, Proposal

Said = Claim | Proposal

PROPERTY = settings(derandomize=True, max_examples=60, deadline=None)  # the same examples on every machine

QUOTE = Evidence(kind="quote", says="so it is written")
_WITNESSES = ["ann", "bob", "cy"]
_FILE = ["line"] * 8


def edit(start: int, end: int, text: str, *, resource: str = "a.py", base: str = "b1", was: str = "old") -> Edit:
    """Replace lines [start, end) by `text`; where the two texts are equal, the edit keeps what is there."""
    return Edit(resource=resource, base=base, start=start, end=end, was=was, text=text)


def proposal(
    id: str, by: str, *edits: Edit, lineage: str = "", confidence: float = 1.0, proven: bool = False
) -> Proposal:
    evidence = (QUOTE,) if proven else ()
    return Proposal(id=id, by=by, edits=edits, lineage=lineage, confidence=confidence, evidence=evidence)


def claim(id: str, by: str, value: JsonValue, *, about: str = "key", lineage: str = "", proven: bool = False) -> Claim:
    return Claim(id=id, by=by, about=about, value=value, lineage=lineage, evidence=(QUOTE,) if proven else ())


def by_id(items: Sequence[Said]) -> dict[str, Said]:
    return {item.id: item for item in items}


def ids(items: Sequence[Item]) -> list[str]:
    return [item.id for item in items]


def members(matters: Sequence[Matter]) -> set[frozenset[str]]:
    """Which items were grouped, whatever the matters are called."""
    return {frozenset(matter.items) for matter in matters}


@st.composite
def edits(draw: st.DrawFn) -> Edit:
    start = draw(st.integers(0, 6))
    end = draw(st.integers(start, 7))
    was = "\n".join(_FILE[start:end])
    return edit(
        start,
        end,
        draw(st.sampled_from([was, "x", "y", ""])),
        resource=draw(st.sampled_from(["a.py", "b.py"])),
        base=draw(st.sampled_from(["b1", "b1", "b1", "b2"])),
        was=was,
    )


@st.composite
def sayings(draw: st.DrawFn) -> list[Said]:
    """Up to nine claims and proposals, with ids as the coordinator gives them."""
    found: list[Said] = []
    for number in range(draw(st.integers(0, 9))):
        by = draw(st.sampled_from(_WITNESSES))
        lineage = draw(st.sampled_from(["", "", "shared"]))
        proven = draw(st.booleans())
        if draw(st.booleans()):
            about, value = draw(st.sampled_from("pq")), draw(st.sampled_from([1, 2, "1", None]))
            found.append(claim(f"i{number}", by, value, about=about, lineage=lineage, proven=proven))
        else:
            confidence = draw(st.sampled_from([0.5, 1.0]))
            changes = draw(st.lists(edits(), min_size=1, max_size=2))
            said = proposal(f"i{number}", by, *changes, lineage=lineage, confidence=confidence, proven=proven)
            found.append(said)
    return found
