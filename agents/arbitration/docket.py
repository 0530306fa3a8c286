"""Arbiter: a plain callable the decider asks in order. The list is the policy, cheapest sound rule first."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from pydantic import ValidationError

from hustings.protocols import Data, Dissent, Evidence, Failure, Inquiry, Matter, Proposal, Trial, Verdict

from .matters import (
    Option,
    Said,
    clash,
    options,
)

Answer = Callable[[Inquiry], Data | Failure | None]


@dataclass(frozen=True)
class Docket:
    """Everything that lies at one barrier. `tentative` has what earlier arbiters made of it.

    A tentative verdict that is not decided has narrowed its matter: what falls in it is out.
    """

    open: tuple[Matter, ...]
    items: Mapping[str, Said]
    tentative: Mapping[str, Verdict]
    answer: Answer

    def contested(self) -> list[Matter]:
        """The conflicts that nobody has decided yet."""
        return [matter for matter in self.open if matter.contested and not self._decided(matter)]

    def said(self, matter: Matter) -> list[Said]:
        return [self.items[item] for item in matter.items]

    def options(self, matter: Matter) -> list[Option]:
        """What could still stand in a matter."""
        narrowed = self.tentative.get(matter.id)
        out = narrowed.falls if narrowed and not narrowed.decided else ()
        return options(item for item in self.said(matter) if item.id not in out)

    def _decided(self, matter: Matter) -> bool:
        return matter.id in self.tentative and self.tentative[matter.id].decided


Arbiter = Callable[[Docket], Iterable[Verdict | Inquiry]]


def settle(
    matters: tuple[Matter, ...], items: Mapping[str, Said], arbiters: Sequence[Arbiter], answer: Answer
) -> list[Verdict] | list[Inquiry]:
    """Ask the arbiters in order. Inquiries, if one of them needs answers first; else one verdict for every matter."""
    tentative: dict[str, Verdict] = {}
    for arbiter in arbiters:
        docket = Docket(matters, items, dict(tentative), answer)
        replies = list(arbiter(docket))
        if inquiries := [reply for reply in replies if isinstance(reply, Inquiry)]:
            return inquiries
        for reply in replies:
            if not isinstance(reply, Verdict):
                raise TypeError(f"an arbiter gives Verdicts and Inquiries, and gave a {type(reply).__name__}")
            tentative[reply.matter] = reply
    docket = Docket(matters, items, tentative, answer)
    return [v if (v := tentative.get(m.id)) and v.decided else _undecided(docket, m) for m in matters]


# arbiters


def unopposed(docket: Docket) -> Iterator[Verdict]:
    """What nobody contests stands, for now: agreement is not truth, so `verified` may still overrule it."""
    for matter in docket.open:
        if not matter.contested:
            choices = docket.options(matter)
            witnesses = len({source for choice in choices for source in choice.sources})
            because = "said by " + _names(docket.said(matter)) + (f", {witnesses} independent" if witnesses > 1 else "")
            yield _verdict(docket, matter, choices, "unopposed", because, flips="somebody who contests it")


def independent(docket: Docket) -> Iterator[Verdict]:
    """Witnesses of one lineage count once: where only one lineage speaks, its surest statement stands, and of equally
    sure changes the smallest."""
    for matter in docket.contested():
        choices = docket.options(matter)
        if len({source for choice in choices for source in choice.sources}) == 1:
            lineage = next(iter(choices[0].sources))
            because = f"all descend from {lineage}: one witness"
            yield from ranked(
                docket, matter, _surest, "independent", because, lambda word, _: f"{word}, said with more confidence"
            )


Rule = Callable[[Option], float]


def rules(*order: Rule) -> Arbiter:
    """Settle by rules, one after the other: each gives every option a number, and of two that clash the higher stands.

    A rule's name and docstring become the verdict's reason.
    """

    def by_rule(docket: Docket) -> Iterator[Verdict]:
        for matter in docket.contested():
            view = docket
            for rule in order:
                why = " ".join((rule.__doc__ or rule.__name__).split())
                for verdict in ranked(view, matter, rule, f"rule: {rule.__name__}", why, _put_first_by(rule)):
                    yield verdict
                    view = Docket(view.open, view.items, {**view.tentative, matter.id: verdict}, view.answer)
                if matter not in view.contested():
                    break

    return by_rule


def keep(option: Option) -> float:
    """Who defends what is there, with evidence, goes before who would change it."""
    return float(option.keeps and any(item.evidence for item in option.items))


def evident(option: Option) -> float:
    """What is backed by evidence goes before what is not."""
    return float(any(item.evidence for item in option.items))


def surest(option: Option) -> float:
    """The statement with the higher confidence goes first."""
    return max(item.confidence for item in option.items)


def prefer(*agents: str) -> Rule:
    """A rule: of two options the one of the agent named earlier stands."""

    def preferred(option: Option) -> float:
        return max((float(len(agents) - agents.index(i.by)) for i in option.items if i.by in agents), default=0.0)

    preferred.__doc__ = f"The team's order of preference: {', '.join(agents)}."
    return preferred


def majority(docket: Docket) -> Iterator[Verdict]:
    """More independent witnesses outweigh fewer; a tie decides nothing."""
    for matter in docket.contested():
        yield from ranked(docket, matter, _witnesses, "majority", "more independent witnesses", _more_witnesses)


def verified(skill: str) -> Arbiter:
    """Nothing that changes anything stands without proof.

    One Inquiry to `skill` (it takes `proposals: list[Proposal]` and answers with a Trial) proves all that would stand
    at this barrier, together; culprits fall. Fails closed: no proof, nothing unproved stands.
    """

    def by_proof(docket: Docket) -> Iterator[Verdict | Inquiry]:
        standing = {
            matter.id: options(v.stands)
            for matter in docket.open
            if (v := docket.tentative.get(matter.id)) and v.decided and any(isinstance(i, Proposal) for i in v.stands)
        }
        changes = sorted(
            (choice for choices in standing.values() for choice in choices if not choice.keeps), key=lambda c: c.label
        )
        if not changes:
            return
        inquiry = Inquiry(skill=skill, given={"proposals": [c.first.plain() for c in changes]})
        answer = docket.answer(inquiry)
        if answer is None:
            yield inquiry
            return
        trial = _trial(answer, changes)
        for matter in docket.open:
            if any(not choice.keeps for choice in standing.get(matter.id, ())):
                yield _proved(docket, matter, standing[matter.id], trial)

    return by_proof


# how they decide


class _Ranking(NamedTuple):
    stands: list[Option]
    falls: list[Option]
    tied: list[Option]


def _rank(choices: Sequence[Option], score: Rule) -> _Ranking:
    """The best stand, equals that clash are tied, and what clashes with something better falls: with anything better
    that stands, or with all that is better and tied, for then it does not matter which of those will stand."""
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
    """A verdict if the score tells all options apart; a narrowed matter if it tells some; nothing if none.

    `flips` puts into words what the closest loser would have needed, from the word for it and its distance.
    """
    choices = docket.options(matter)
    ranking = _rank(choices, score)
    if ranking.tied:
        out = tuple(item.id for choice in ranking.falls for item in choice.items)
        if out:
            yield _verdict(docket, matter, [], rule, because, decided=False, out=out)
        return
    words = _words(choices)
    lead, closest = min(
        ((_lead(ranking, loser, score), words[loser.label]) for loser in ranking.falls), default=(0.0, "")
    )
    yield _verdict(
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
    """How far the best of those that displaced an option is ahead of it."""
    return max(score(winner) for winner in ranking.stands if clash(winner, loser)) - score(loser)


def _more_witnesses(word: str, lead: float) -> str:
    return f"{lead + 1:g} more independent witnesses for {word}"


def _put_first_by(rule: Rule) -> Callable[[str, float], str]:
    return lambda word, _: f"{word}, if {rule.__name__} put it first"


def _verdict(
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
        evidence=evidence or tuple(dict.fromkeys(e for item in standing for e in item.evidence)),
        weights=weights or {},
        margin=margin,
        dissent=tuple(Dissent(item=item.id, by=item.by, says=item.because or _short(item)) for item in fallen),
        flips=flips,
    )


def _undecided(docket: Docket, matter: Matter) -> Verdict:
    choices = docket.options(matter)
    words = _words(choices)
    return _verdict(
        docket,
        matter,
        [],
        "undecided",
        f"no rule of the policy tells {' and '.join(words.values())} apart",
        decided=False,
        weights={words[choice.label]: _witnesses(choice) for choice in choices},
        flips="a rule, a further independent witness, or a person",
    )


def _trial(answer: Data | Failure, changes: Sequence[Option]) -> Trial:
    why = f"unproved: {answer.because}" if isinstance(answer, Failure) else "unproved: the answer was no Trial"
    with suppress(ValidationError):
        if not isinstance(answer, Failure):
            return Trial.of(answer)
    return Trial(holds=(), falls={choice.first.id: why for choice in changes}, because=why)


def _proved(docket: Docket, matter: Matter, standing: Sequence[Option], trial: Trial) -> Verdict:
    """The tentative verdict with its proof, or a verdict by proof where something of it fell."""
    proved = set(trial.holds) - set(trial.falls)
    held = [choice for choice in standing if choice.keeps or choice.first.id in proved]
    proof = Evidence(kind="trial", says=trial.because)
    if len(held) == len(standing):
        tentative = docket.tentative[matter.id]
        return tentative.model_copy(update={"evidence": (*tentative.evidence, proof)})
    guilty = [choice for choice in standing if choice not in held]
    reasons = (trial.falls.get(choice.first.id, "unproved: the trial does not name it") for choice in guilty)
    because = "; ".join(dict.fromkeys(reasons))
    flips = "a trial in which it holds"
    return _verdict(docket, matter, held, "verified", because, evidence=(proof,), flips=flips)


def _witnesses(option: Option) -> float:
    return float(len(option.sources))


def _surest(option: Option) -> float:
    first = option.first
    size = sum(len(e.text) + len(e.was) for e in first.edits) if isinstance(first, Proposal) else 0
    return surest(option) - size * 1e-9


def _names(items: Iterable[Said]) -> str:
    return ", ".join(sorted({item.by for item in items}))


def _words(choices: Sequence[Option]) -> dict[str, str]:
    """A word for each option, by its label; no two are the same."""
    words: dict[str, str] = {}
    seen: Counter[str] = Counter()
    for choice in choices:
        word = f"{_names(choice.items)}: {_short(choice.first)}"
        seen[word] += 1
        words[choice.label] = f"{word} ({seen[word]})" if seen[word] > 1 else word
    return words


def _short(item: Said) -> str:
    """What an item says, in a few words."""
    if not isinstance(item, Proposal):
        return str(item.value)
    if not item.edits:
        return "nothing"
    edit = item.edits[0]
    what = "keep" if item.keeps else " ".join(edit.text.split())[:60] or "delete"
    return f"{what} at {edit.resource}:{edit.start + 1}"
