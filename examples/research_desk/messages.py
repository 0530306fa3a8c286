"""What is said at the research desk."""

from pydantic import Field

from hustings import Blob, Goal, Message, Outcome, Proof, Testimony, Untrusted


class Library(Blob):
    """A folder of texts, `.md` or `.txt`."""


class Research(Goal):
    """A question in plain words, to be answered from a library, with citations."""

    question: str = Field(description="What you want to know.")
    library: Library = Field(description="A folder of .md or .txt files.")


class Topic(Message):
    """One part of the question: a planner writes it into the plan. `name` is what findings about it go under."""

    name: str = Field(min_length=1, max_length=60)
    ask: str = Field(min_length=1, max_length=400)


class Words(Message):
    """What to look for."""

    words: str


class Passage(Message):
    """A paragraph of the library, and where it stands: FILE:LINE, counted from 1."""

    source: str
    text: Untrusted


class Passages(Message):
    """The best first."""

    passages: tuple[Passage, ...]


class Reading(Message):
    """What a model makes of the passages on a topic: a short value, and the words that it rests on."""

    value: str = Field(description="The answer in at most eight words; a number or a date where it is one.")
    quote: str = Field(description="The words of one passage that say so, letter by letter.")
    source: str = Field(description="The source of that passage, FILE:LINE.")
    confidence: float = Field(ge=0, le=1, description="How sure you are that the passage answers the question.")


class Findings(Testimony):
    """What a reader found."""


class Citation(Message):
    """A sentence of the answer, and the passage that it rests on."""

    sentence: str
    quote: str
    source: str


class Cited(Message):
    """The answer: each sentence with its citation."""

    sentences: tuple[Citation, ...]
    unsettled: tuple[str, ...] = Field(default=(), description="What the sources disagree about and nobody settled.")


class Checked(Proof):
    """Whether each quote stands in the library where the citation says."""

    found: int
    wrong: tuple[str, ...] = ()


class Answer(Outcome):
    """A cited answer, and the proof that the citations are real."""

    answer: Cited
    proof: Checked
