"""Arbiters that count witnesses: no one contests a matter, only one lineage speaks, or a majority does."""

from collections.abc import Iterator

from hustings.protocols import Proposal, Verdict

from .docket import Docket
from .matters import Option
from .rules import surest
from .verdict import names_of, ranked, verdict_on, witnesses_of


def unopposed(docket: Docket) -> Iterator[Verdict]:
    """A matter that nobody contests stands, for now: agreement is not truth, so `verified` may overrule it."""
    for matter in docket.open:
        if not matter.contested:
            choices = docket.options(matter)
            witnesses = len({source for choice in choices for source in choice.sources})
            because = (
                "said by " + names_of(docket.said(matter)) + (f", {witnesses} independent" if witnesses > 1 else "")
            )
            yield verdict_on(docket, matter, choices, "unopposed", because, flips="somebody who contests it")


def independent(docket: Docket) -> Iterator[Verdict]:
    """Statements of one lineage count as one witness. If only one lineage speaks, its statement with the highest
    confidence stands; of equally sure changes, the smallest."""
    for matter in docket.contested():
        choices = docket.options(matter)
        if len({source for choice in choices for source in choice.sources}) == 1:
            lineage = next(iter(choices[0].sources))
            because = f"all descend from {lineage}: one witness"
            yield from ranked(
                docket, matter, _surest, "independent", because, lambda word, _: f"{word}, said with more confidence"
            )


def majority(docket: Docket) -> Iterator[Verdict]:
    """The option with more independent witnesses stands; a tie decides nothing."""
    for matter in docket.contested():
        yield from ranked(docket, matter, witnesses_of, "majority", "more independent witnesses", _more_witnesses)


def _more_witnesses(word: str, lead: float) -> str:
    return f"{lead + 1:g} more independent witnesses for {word}"


def _surest(option: Option) -> float:
    first = option.first
    size = sum(len(e.text) + len(e.was) for e in first.edits) if isinstance(first, Proposal) else 0
    return surest(option) - size * 1e-9
