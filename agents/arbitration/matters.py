"""Matter: all statements about one thing. Pure functions that group testimony and find conflicts."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from pydantic import JsonValue

from hustings.protocols import Claim, Edit, Matter, Proposal
from hustings.protocols.verdicts import MatterKind

Said = Claim | Proposal


class Option(NamedTuple):
    """One way to settle a matter: items that say the same, and the independent witnesses behind them."""

    items: tuple[Said, ...]
    sources: frozenset[str]
    label: str

    @property
    def first(self) -> Said:
        return self.items[0]

    @property
    def keeps(self) -> bool:
        return isinstance(self.first, Proposal) and self.first.keeps


def effect(item: Said) -> str:
    """The content of an item in canonical form: two items with the same effect agree."""
    if isinstance(item, Claim):
        return json.dumps(_number(item.value), sort_keys=True)
    return json.dumps(sorted((e.resource, e.base, e.start, e.end, e.text) for e in item.edits))


def _number(value: JsonValue) -> JsonValue:
    """The value with every whole float as an integer, because 1.0 and 1 are the same number in JSON."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case list():
            return [_number(element) for element in value]
        case dict():
            return {key: _number(element) for key, element in value.items()}
        case _:
            return value


def options(items: Iterable[Said]) -> list[Option]:
    """The items grouped by content, in an order that does not depend on their arrival."""
    groups: dict[str, list[Said]] = defaultdict(list)
    for item in items:
        groups[effect(item)].append(item)
    return [
        Option(tuple(sorted(said, key=lambda i: (i.by, i.id))), frozenset(i.source for i in said), label)
        for label, said in sorted(groups.items())
    ]


def clash(one: Option, other: Option) -> bool:
    """True if the two options cannot both stand."""
    a, b = one.first, other.first
    if isinstance(a, Proposal) and isinstance(b, Proposal):
        return any(_edits_clash(x, y) for x in a.edits for y in b.edits)
    return one.label != other.label


def _edits_clash(a: Edit, b: Edit) -> bool:
    if a.resource != b.resource or (a.keeps and b.keeps):
        return False
    if a.base != b.base:
        return True
    if (a.start, a.end, a.text) == (b.start, b.end, b.text):
        return False
    if a.start == a.end == b.start == b.end:
        return True
    return a.start < b.end and b.start < a.end


def group(items: Sequence[Said], *, conflicts: int = 0, agreed: int = 0) -> tuple[Matter, ...]:
    """Group all items into matters, numbered C-n (contested) and M-n, from the given counts on.

    The order, and so the numbers, depend on the content only.
    """
    said = [*_about_one_key(items), *_overlapping([item for item in items if isinstance(item, Proposal)])]
    found = []
    for about, members in sorted(said, key=lambda pair: (pair[0], min(map(_by_content, pair[1])))):
        kind = _kind(members)
        contested = kind in ("contradiction", "collision", "stale")
        conflicts, agreed = conflicts + contested, agreed + (not contested)
        name = f"C-{conflicts}" if contested else f"M-{agreed}"
        ids = tuple(m.id for m in sorted(members, key=_by_content))
        found.append(Matter(id=name, items=ids, kind=kind, contested=contested, about=about))
    return tuple(found)


def _by_content(item: Said) -> tuple[str, str, str]:
    return effect(item), item.by, item.id


def _about_one_key(items: Sequence[Said]) -> list[tuple[str, list[Said]]]:
    claims: dict[str, list[Said]] = defaultdict(list)
    for item in items:
        if isinstance(item, Claim):
            claims[item.about].append(item)
    return list(claims.items())


def _overlapping(proposals: Sequence[Proposal]) -> list[tuple[str, list[Said]]]:
    """Group proposals whose edits overlap, touch or have different bases of a resource, transitively (union-find)."""
    leader = list(range(len(proposals)))

    def find(index: int) -> int:
        while leader[index] != index:
            leader[index] = index = leader[leader[index]]
        return index

    spans: dict[str, list[tuple[Edit, int]]] = defaultdict(list)
    for index, proposal in enumerate(proposals):
        for edit in proposal.edits:
            spans[edit.resource].append((edit, index))
    for edits in spans.values():
        for one, other in _neighbours(edits):
            leader[find(one)] = find(other)
    joined: dict[int, list[Said]] = defaultdict(list)
    for index, proposal in enumerate(proposals):
        joined[find(index)].append(proposal)
    return [(_place(members), members) for members in joined.values()]


def _neighbours(edits: Sequence[tuple[Edit, int]]) -> Iterable[tuple[int, int]]:
    stale = len({edit.base for edit, _ in edits}) > 1
    failpoint, last = -1, -1
    for edit, index in sorted(edits, key=lambda pair: (pair[0].start, pair[0].end)):
        if last >= 0 and (stale or edit.start <= failpoint):
            yield last, index
        failpoint, last = max(failpoint, edit.end), index


def _place(members: Sequence[Said]) -> str:
    edits = [edit for member in members if isinstance(member, Proposal) for edit in member.edits]
    first = min(edits, key=lambda e: (e.resource, e.start), default=None)
    return f"{first.resource}:{first.start + 1:05d}" if first else ""


def _kind(members: Sequence[Said]) -> MatterKind:
    choices = options(members)
    if isinstance(members[0], Claim):
        return "contradiction" if len(choices) > 1 else "claim"
    bases: Mapping[str, set[str]] = defaultdict(set)
    for member in members:
        for edit in member.edits if isinstance(member, Proposal) else ():
            bases[edit.resource].add(edit.base)
    if any(len(digests) > 1 for digests in bases.values()):
        return "stale"
    contested = any(clash(one, other) for n, one in enumerate(choices) for other in choices[n + 1 :])
    return "collision" if contested else "change"
