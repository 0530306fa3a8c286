"""verified: the arbiter that lets no change stand without a proof."""

from collections.abc import Iterator, Sequence
from contextlib import suppress

from pydantic import ValidationError

from hustings.protocols import Data, Evidence, Failure, Inquiry, Matter, Proposal, Trial, Verdict

from ..settings import Asks, mentions
from .docket import Arbiter, Docket
from .matters import Option, options
from .verdict import verdict_on


def verified(skill: str) -> Arbiter:
    """No change stands without a proof.

    One Inquiry to `skill` (it takes `proposals: list[Proposal]` and returns a Trial) proves all proposals that would
    stand at this barrier together; those that break the proof fall. Without a valid answer, no change stands.
    """

    @mentions(f"*.{skill}", asks=[Asks("verified", skill, "proposals", list[Proposal], Trial)])
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


def _trial(answer: Data | Failure, changes: Sequence[Option]) -> Trial:
    why = f"unproved: {answer.because}" if isinstance(answer, Failure) else "unproved: the answer is not a Trial"
    with suppress(ValidationError):
        if not isinstance(answer, Failure):
            return Trial.of(answer)
    return Trial(holds=(), falls={choice.first.id: why for choice in changes}, because=why)


def _proved(docket: Docket, matter: Matter, standing: Sequence[Option], trial: Trial) -> Verdict:
    """The tentative verdict with its proof added; a new verdict if some of its items were not proved."""
    proved = set(trial.holds) - set(trial.falls)
    held = [choice for choice in standing if choice.keeps or choice.first.id in proved]
    proof = Evidence(kind="trial", says=trial.because)
    if len(held) == len(standing):
        tentative = docket.tentative[matter.id]
        return tentative.model_copy(update={"evidence": (*tentative.evidence, proof)})
    guilty = [choice for choice in standing if choice not in held]
    reasons = (trial.falls.get(choice.first.id, "unproved: the Trial does not name it") for choice in guilty)
    because = "; ".join(dict.fromkeys(reasons))
    flips = "a trial in which it holds"
    return verdict_on(docket, matter, held, "verified", because, evidence=(proof,), flips=flips)
