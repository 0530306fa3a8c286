"""The specialist prover: runs the repository's own tests, on scratch copies, with a bound on everything."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from hustings import Proposal, Specialist, TaskContext, Trial

from .environment import BUILT
from .memory import Memory, Terms
from .messages import Draft, Patch, Review, ReviewProof, Tested
from .suite import Suite
from .throwaway import build
from .workspace import inside, work

T = TypeVar("T")

# One task at a time: two test runs would slow each other down into their time limits.
prover = Specialist("prover", "proves by the repository's own tests what holds", max_concurrent_tasks=1, spends=False)
memory = Memory()


@prover.skill
async def test(review: Review, context: TaskContext) -> Tested:
    """Run the tests before any change, twice if there is time: a test that passes only sometimes is set aside."""

    def tested(root: Path, terms: Terms) -> Tested:
        before = memory.proving(root, terms).baseline
        return Tested(
            how=_how(review, root), counts=before.record.counts, seconds=round(before.seconds, 1), gaps=before.gaps
        )

    return await _work(review, context, "running the tests as they are", tested)


@prover.skill
async def trial(review: Review, proposals: list[Proposal], draft: Draft | None, context: TaskContext) -> Trial:
    """Find out which of the proposals hold together; once there is a draft, on top of it."""
    return await _work(
        review, context, "trying the proposals", lambda root, terms: memory.trial(root, proposals, terms, draft)
    )


@prover.skill
async def prove(review: Review, patch: Patch, tested: Tested, context: TaskContext) -> ReviewProof:
    """Apply the patch to a pristine copy and run the tests, to compare with those before."""

    def proved(root: Path, terms: Terms) -> ReviewProof:
        proof = memory.proving(root, terms).prove(patch, inside(review.repository, root))
        return proof.model_copy(update={"how": tested.how})

    return await _work(review, context, "proving the patch", proved)


async def _work(review: Review, context: TaskContext, says: str, job: Callable[[Path, Terms], T]) -> T:
    if _builds(review):
        says = f"{says} (first an environment is built)"

    def go(root: Path) -> T:
        python = str(build(root).python) if _builds(review) else review.python
        return job(root, Terms(Suite(python, review.tests), review.within, context.run))

    return await work(review.repository, context, says, go)


def _builds(review: Review) -> bool:
    return review.install and not review.python


def _how(review: Review, root: Path) -> str:
    where = BUILT if _builds(review) else "hustings's own environment"
    how = review.why or f"`{review.tests or 'python -m pytest'}`, with {where}"
    lacks = build(root).lacks if _builds(review) else ()
    return f"{how}, without {'; '.join(lacks)}" if lacks else how
