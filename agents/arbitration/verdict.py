"""Verdict: what arbiters build theirs with: options ranked by a score, what stands, what falls, what would flip it."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from hustings.protocols import Dissent, Evidence, Matter, Proposal, Verdict
from hustings.protocols.verdicts import own_evidence

from .docket import Docket, Rule
from .matters import (
    Option,
    Said,
    clash,
)


class _Ranking(NamedTuple):
    stands: list[Option]
    falls: list[Option]
    tied: list[Option]


def _rank(choices: Sequence[Option], score: Rule) -> _Ranking:
    """The best options stand; equally good ones that clash are tied. An option falls if it clashes with a better one
    that stands, or with all better ones that are tied, whichever of those will stand."""
    stands: list[Option] = []
    falls: list[Option] = []
    tied: list[Option] = []
    for level in sorted({score(choice) for choice in choices}, reverse=True):
        peers = [choice for choice in choices if score(choice) == level]
        beaten = [c for c in peers if any(clash(c, o) for o in stands) or (tied and all(clash(c, o) for o in tied))]
        left = [choice for choice in peers if choice not in beaten]
        doubtful = [c for c in left if any(c is not o and clash(c, o) for o in (*left, *tied))]
        falls += beaten
        tied += doubtful
        stands += [choice for choice in left if choice not in doubtful]
    return _Ranking(stands, falls, tied)


def ranked(
    docket: Docket, matter: Matter, score: Rule, rule: str, because: str, flips: Callable[[str, float], str]
) -> Iterator[Verdict]:
    """A verdict if the score separates all options; a narrowed matter if it separates some; nothing if none.

    `flips` says what the closest losing option would have needed, given its name and how far it is behind.
    """
    choices = docket.options(matter)
    ranking = _rank(choices, score)
    if ranking.tied:
        out = tuple(item.id for choice in ranking.falls for item in choice.items)
        if out:
            yield verdict_on(docket, matter, [], rule, because, decided=False, out=out)
        return
    words = _words(choices)
    lead, closest = min(
        ((_lead(ranking, loser, score), words[loser.label]) for loser in ranking.falls), default=(0.0, "")
    )
    yield verdict_on(
        docket,
        matter,
        ranking.stands,
        rule,
        because,
        weights={words[choice.label]: score(choice) for choice in choices},
        margin=lead,
        flips=flips(closest, lead) if closest else "somebody who contests it",
    )


def _lead(ranking: _Ranking, loser: Option, score: Rule) -> float:
    """How far the best option that defeated the loser is ahead of it."""
    return max(score(winner) for winner in ranking.stands if clash(winner, loser)) - score(loser)


def verdict_on(
    docket: Docket,
    matter: Matter,
    stands: Sequence[Option],
    rule: str,
    because: str,
    *,
    decided: bool = True,
    out: tuple[str, ...] | None = None,
    weights: dict[str, float] | None = None,
    margin: float = 0.0,
    flips: str = "",
    evidence: tuple[Evidence, ...] = (),
) -> Verdict:
    standing = tuple(item for choice in stands for item in choice.items)
    ids = {item.id for item in standing}
    fallen = [item for item in docket.said(matter) if item.id not in ids]
    value = next((item.value for item in standing if not isinstance(item, Proposal)), None)
    earlier = docket.tentative.get(matter.id)
    narrowed = earlier.falls if earlier and not earlier.decided and out is not None else ()
    return Verdict(
        matter=matter.id,
        kind=matter.kind,
        about=matter.about,
        decided=decided,
        rule=rule,
        because=because,
        stands=standing,
        falls=tuple(item.id for item in fallen) if out is None else tuple(dict.fromkeys((*narrowed, *out))),
        value=value,
        evidence=evidence or own_evidence(standing),
        weights=weights or {},
        margin=margin,
        dissent=tuple(Dissent(item=item.id, by=item.by, says=item.because or _short(item)) for item in fallen),
        flips=flips,
    )


def undecided(docket: Docket, matter: Matter) -> Verdict:
    choices = docket.options(matter)
    words = _words(choices)
    return verdict_on(
        docket,
        matter,
        [],
        "undecided",
        f"no rule of the policy tells {' and '.join(words.values())} apart",
        decided=False,
        weights={words[choice.label]: witnesses_of(choice) for choice in choices},
        flips="a rule, a further independent witness, or a person",
    )


def witnesses_of(option: Option) -> float:
    return float(len(option.sources))


def names_of(items: Iterable[Said]) -> str:
    return ", ".join(sorted({item.by for item in items}))


def _words(choices: Sequence[Option]) -> dict[str, str]:
    """A distinct short name for each option, by its label."""
    words: dict[str, str] = {}
    seen: Counter[str] = Counter()
    for choice in choices:
        word = f"{names_of(choice.items)}: {_short(choice.first)}"
        seen[word] += 1
        words[choice.label] = f"{word} ({seen[word]})" if seen[word] > 1 else word
    return words


def _short(item: Said) -> str:
    """The content of an item, in a few words."""
    if not isinstance(item, Proposal):
        return str(item.value)
    if not item.edits:
        return "nothing"
    edit = item.edits[0]
    what = "keep" if item.keeps else " ".join(edit.text.split())[:60] or "delete"
    return f"{what} at {edit.resource}:{edit.start + 1}"
