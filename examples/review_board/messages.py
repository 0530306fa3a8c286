"""What the review board says to each other: the vocabulary of this team."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from hustings import Blob, Goal, Message, Outcome, Proof, Proposal, Testimony, Verdict


class Repository(Blob, contract="review.Repository.v1"):
    """A packed folder of Python code: one that holds packages (or `src/`), or a package itself."""

    tracked: ClassVar[bool] = True
    kind: Literal["folder"] = "folder"  # pyright: ignore[reportIncompatibleVariableOverride] - a message is frozen


class Review(Goal, contract="review.Review.v1"):
    """Find what can be improved in a repository, settle what the tools disagree about, and prove what is left."""

    repository: Repository
    python: Annotated[str, Field(description="the interpreter to run the tests with; else one that the folder has")] = (
        ""
    )
    tests: Annotated[str, Field(description="the command that runs the tests; else what the folder's files have")] = ""
    bold: Annotated[bool, Field(description="also formats and fixes that the folder does not ask for")] = False
    install: Annotated[bool, Field(description="build an environment for the tests where the folder has none")] = False
    within: Annotated[float, Field(gt=0, le=86400, description="the seconds that trials and proof may take")] = 210.0
    vulnerabilities: Annotated[
        Blob | None, Field(description="a file of OSV advisories: a JSON file, or a zip of such files")
    ] = None
    why: Annotated[str, Field(description="filled in: how the tests are run, and why so")] = ""


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


class Objections(Testimony, contract="review.Objections.v1"):
    """What a reviewer says about the diff to a draft: proposals on the rewritten files, not those of the repository."""


class Patch(Message, contract="review.Patch.v1"):
    """A unified diff; `patch -p1` applies it to a pristine copy of the reviewed folder, which lies in its checkout at
    `folder`. `edits` and `files` count what it changes."""

    diff: str
    edits: int
    files: int
    folder: str = ""

    @property
    def size(self) -> str:
        """How much it changes: "1 edit in 1 file"."""
        counts = (self.edits, "edit"), (self.files, "file")
        return " in ".join(f"{number} {noun}{'' if number == 1 else 's'}" for number, noun in counts)


class Counts(Message, contract="review.Counts.v1"):
    """Tests by outcome. A module that could not be collected counts as one error, one that skips itself as one skipped.
    `unreached`: the run ended before their turn."""

    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    unreached: int = 0


GapKind = Literal[
    "could not run",
    "failed already",
    "fail as expected",
    "left out by the repository",
    "passed only sometimes",
    "stopped the run",
    "took too long",
    "not reached",
    "cannot be imported",
]


class Gap(Message, contract="review.Gap.v1"):
    """What a proof does not claim, for one reason: how many tests (or test modules, or modules), and the first of
    their names."""

    kind: GapKind
    why: str
    count: int
    names: tuple[str, ...] = ()


class Tested(Message, contract="review.Tested.v1"):
    """The repository's tests before any change. `how`: the command and the interpreter, and why these."""

    how: str
    counts: Counts
    seconds: float
    gaps: tuple[Gap, ...] = ()


class ReviewProof(Proof, contract="review.ReviewProof.v1"):
    """The repository's own tests before and after the patch.

    It holds for the `proved` tests, which passed before and pass now, if nothing broke and if they are most of the
    tests. Of what is in the gaps it claims nothing. `new_failures` are the first thousand. `how`: the command and the
    interpreter, and why these.
    """

    how: str = ""

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
