"""Testimony: what a witness returns. Claims assert facts, Proposals ask for changes, Evidence backs both."""

from typing import ClassVar

from pydantic import Field, JsonValue
from pydantic.json_schema import SkipJsonSchema

from .message import Count, Data, Message, later


class Evidence(Message, contract="hustings.Evidence.v1"):
    """Something that can be checked: a test result, a quote from a source, a measurement, a log span.

    `says` is for people; `data` has times and numbers for rules, as JSON values. Models are not asked for `data`.
    """

    kind: str
    says: str
    source: str = ""
    data: SkipJsonSchema[Data] = later({})  # with free names in it no server could enforce the schema of a testimony

    def __hash__(self) -> int:
        return hash((self.kind, self.says, self.source))


class Item(Message):
    """The fields that Claims and Proposals share.

    The coordinator writes `id` (from the position in the log) and `by` (the author on the subject, which the broker
    checks), and overwrites what an agent put there. `lineage` names the real source of the statement ("pyflakes");
    statements of one lineage count as one witness. Empty: the agent itself is the source.
    """

    id: str = later("")
    by: str = later("")
    lineage: str = ""
    confidence: float = Field(default=1.0, ge=0.0, le=1.0)
    evidence: tuple[Evidence, ...] = ()

    @property
    def source(self) -> str:
        """The lineage, or the author if no lineage is given. Items with the same source count as one witness."""
        return self.lineage or self.by


class Claim(Item, contract="hustings.Claim.v1"):
    """An assertion: the thing named `about` (a key that other witnesses use, too) has this `value`."""

    about: str
    value: JsonValue
    because: str = ""


class Edit(Message, contract="hustings.Edit.v1"):
    """Replace the lines [start, end) of `resource`, counted from 0, by `text`.

    `base` is the Blob digest of the resource as it was read, `was` the old text of those lines. If `start == end`, the
    text is inserted before that line.
    """

    resource: str
    base: str
    start: Count
    end: Count
    was: str
    text: str

    @property
    def keeps(self) -> bool:
        """True if the edit leaves its lines as they are."""
        return self.text == self.was


class Proposal(Item, contract="hustings.Proposal.v1"):
    """A proposed change: its edits stand or fall together. To keep the text is a Proposal, too: `text` equals `was`."""

    edits: tuple[Edit, ...]
    because: str = ""

    @property
    def keeps(self) -> bool:
        """True if it changes nothing: it proposes to keep the text as it is."""
        return all(edit.keeps for edit in self.edits)


class Testimony(Message, contract="hustings.Testimony.v1"):
    """All statements of one witness. A skill that returns a Testimony, or a subclass, is a witness."""

    __test__: ClassVar[bool] = False  # pytest would take it for a test class, by its name

    claims: tuple[Claim, ...] = ()
    proposals: tuple[Proposal, ...] = ()
