"""What the review board says to each other: the vocabulary of this team."""

from typing import Literal

from hustings import Blob, Goal, Message, Outcome, Proof, Proposal, Testimony, Verdict


class Repository(Blob, contract="review.Repository.v1"):
    """A packed folder of Python code: one that holds packages (or `src/`), or a package itself."""

    kind: Literal["folder"] = "folder"  # pyright: ignore[reportIncompatibleVariableOverride] - a message is frozen


class Review(Goal, contract="review.Review.v1"):
    """Find what can be improved in a repository, settle what the tools disagree about, and prove what is left."""

    repository: Repository


class Findings(Testimony, contract="review.Findings.v1"):
    """What one tool says about a repository."""


class Rewritten(Message, contract="review.Rewritten.v1"):
    """A file after the accepted edits. `base` is the digest of the file before them."""

    resource: str
    base: str
    text: str


class Draft(Message, contract="review.Draft.v1"):
    """The accepted proposals, and the files they change as they would read: not a patch yet, formatters may follow."""

    accepted: tuple[Proposal, ...] = ()
    files: tuple[Rewritten, ...] = ()


class Formatting(Testimony, contract="review.Formatting.v1"):
    """What a formatter says about a draft: proposals on the rewritten files, not on those of the repository."""


class Patch(Message, contract="review.Patch.v1"):
    """A unified diff; `patch -p1` applies it to a pristine copy. `edits` and `files` count what it changes."""

    diff: str
    edits: int
    files: int


class Counts(Message, contract="review.Counts.v1"):
    """Tests by outcome. A module that could not be collected counts as one error, one that skips itself as one skipped.
    `unreached`: the run ended before their turn."""

    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    unreached: int = 0


GapKind = Literal["could not run", "failed already", "fail as expected", "cannot be imported"]


class Gap(Message, contract="review.Gap.v1"):
    """What a proof does not claim, for one reason: how many tests (or test modules, or modules), and the first of
    their names."""

    kind: GapKind
    why: str
    count: int
    names: tuple[str, ...] = ()


class ReviewProof(Proof, contract="review.ReviewProof.v1"):
    """The repository's own tests before and after the patch.

    It holds for the `proved` tests, which passed before and pass now, if nothing broke and if they are most of the
    tests. Of what is in the gaps it claims nothing. `new_failures` are the first thousand.
    """

    before: Counts
    after: Counts
    new_failures: tuple[str, ...] = ()
    proved: int = 0
    gaps: tuple[Gap, ...] = ()


class Report(Outcome, contract="review.Report.v1"):
    """What a review comes to."""

    patch: Patch
    proof: ReviewProof
    verdicts: list[Verdict]
