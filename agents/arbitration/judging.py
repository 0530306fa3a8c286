"""judged: the arbiter that asks a judging specialist, twice, with the options in both orders.

Judges prefer the first option; one that does so contradicts itself and its answer is ignored. (Zheng et al., "Judging
LLM-as-a-Judge with MT-Bench and Chatbot Arena", NeurIPS 2023, section 3.4.)
"""

from collections.abc import Iterator, Sequence

from pydantic import Field, ValidationError
from pydantic_core import to_json

from hustings.protocols import Evidence, Inquiry, Matter, Message, Proposal, Untrusted, Verdict

from ..settings import Asks, mentions
from .docket import Arbiter, Docket
from .matters import Option
from .verdict import ranked

MOST = 12  # options in one case, at most


class Side(Message, contract="hustings.Side.v1"):
    """One way to settle a matter, named by a letter. Its texts were written by other agents."""

    letter: str
    says: Untrusted
    because: tuple[Untrusted, ...] = ()
    evidence: tuple[Evidence, ...] = ()


class Case(Message, contract="hustings.Case.v1"):
    """What a judge is asked: the sides of one conflict, without the names of the agents."""

    about: Untrusted
    kind: str
    sides: tuple[Side, ...]


class Judgement(Message, contract="hustings.Judgement.v1"):
    """A judge's answer: the letter of the side that stands, or "none"."""

    choice: str = Field(description='The letter of a side, or "none".')
    because: str
    confidence: float = Field(ge=0, le=1)


def judged(skill: str = "judge") -> Arbiter:
    """Ask an agent that offers `skill` (it takes `case: Case` and returns a Judgement) about undecided matters.

    Each matter is asked twice, with the sides in both orders. A side stands if both answers choose it. If the judge
    contradicts itself, fails, or says "none", the matter is left to the next arbiter; so is one with more than twelve
    sides. Options that do not clash with the chosen side stand, too; if some of these clash with each other, the matter
    is narrowed to them and the chosen side.
    """

    @mentions(f"*.{skill}", asks=[Asks("judged", skill, "case", Case, Judgement)])
    def by_judge(docket: Docket) -> Iterator[Verdict | Inquiry]:
        cases = [(m, docket.options(m)) for m in docket.contested() if 2 <= len(docket.options(m)) <= MOST]
        asked = [
            (matter, order, _inquiry(skill, matter, order)) for matter, choices in cases for order in _orders(choices)
        ]
        if open_ := [inquiry for _, _, inquiry in asked if docket.answer(inquiry) is None]:
            yield from open_
            return
        for matter, _ in cases:
            said = [_choice(docket, inquiry, order) for each, order, inquiry in asked if each is matter]
            if (chosen := _agreed(said)) is not None:
                label, because = chosen
                yield from ranked(
                    docket,
                    matter,
                    lambda option, label=label: float(option.label == label),  # type: ignore[misc]
                    "judged",
                    because,
                    lambda word, _: f"a judge that chooses {word} in both orders",
                )

    return by_judge


def _orders(choices: Sequence[Option]) -> tuple[Sequence[Option], Sequence[Option]]:
    return choices, [*reversed(choices)]


def _inquiry(skill: str, matter: Matter, order: Sequence[Option]) -> Inquiry:
    sides = tuple(_side(letter, option) for letter, option in zip(_letters(order), order, strict=True))
    case = Case(about=Untrusted(matter.about), kind=matter.kind, sides=sides)
    return Inquiry(skill=skill, given={"case": case.plain()})


def _letters(order: Sequence[Option]) -> list[str]:
    return [chr(ord("A") + n) for n in range(len(order))]


def _side(letter: str, option: Option) -> Side:
    reasons = dict.fromkeys(item.because for item in option.items if item.because)
    return Side(
        letter=letter,
        says=Untrusted(_says(option)),
        because=tuple(Untrusted(reason) for reason in reasons),
        evidence=tuple(dict.fromkeys(evidence for item in option.items for evidence in item.evidence)),
    )


def _says(option: Option) -> str:
    first = option.first
    if not isinstance(first, Proposal):
        return first.value if isinstance(first.value, str) else to_json(first.value).decode()
    return "\n".join(
        f"{edit.resource}:{edit.start + 1}: "
        + ("keep\n" + edit.was if edit.keeps else f"replace\n{edit.was}by\n{edit.text}")
        for edit in first.edits
    )


def _choice(docket: Docket, inquiry: Inquiry, order: Sequence[Option]) -> tuple[str, str] | None:
    """The label of the option that a judge chose, and its reason; None if it chose none."""
    answer = docket.answer(inquiry)
    try:
        judgement = Judgement.of(answer) if isinstance(answer, dict) else None
    except ValidationError:
        return None
    letters = dict(zip(_letters(order), order, strict=True))
    if judgement is None or judgement.choice.strip() not in letters:
        return None
    return letters[judgement.choice.strip()].label, judgement.because


def _agreed(said: Sequence[tuple[str, str] | None]) -> tuple[str, str] | None:
    first, second = said
    return first if first and second and first[0] == second[0] else None
