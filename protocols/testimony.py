"""Testimony: what a witness says. Claims assert, Proposals want a change, Evidence backs them."""

from typing import ClassVar

from pydantic import Field, JsonValue

from .message import Count, Message


class Evidence(Message, contract="hustings.Evidence.v1"):
    """Something that can be checked: a test result, a quote of a source, a measurement, a log span."""

    kind: str
    says: str
    source: str = ""


class Item(Message):
    """What Claims and Proposals share.

    `id` and `by` are written by the coordinator, from the position in the log and the author that the broker saw;
    what an agent puts there is overwritten. `lineage` names what the statement really descends from ("pyflakes");
    statements of one lineage count as one witness. Empty means: the agent's own.
    """

    id: str = ""
    by: str = ""
    lineage: str = ""
    confidence: float = Field(default=1.0, ge=0.0, le=1.0)
    evidence: tuple[Evidence, ...] = ()

    @property
    def source(self) -> str:
        """The lineage, or the author where none was declared: what counts as one witness."""
        return self.lineage or self.by


class Claim(Item, contract="hustings.Claim.v1"):
    """An assertion: `about` (a key that other witnesses would use too) has this `value`."""

    about: str
    value: JsonValue
    because: str = ""


class Edit(Message, contract="hustings.Edit.v1"):
    """Replace the lines [start, end) of `resource`, counted from 0, by `text`.

    `base` is the Blob digest of the resource that was read, `was` the text of the span in it. Where `start == end` the
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
        """True if the edit wants the span to stay as it is."""
        return self.text == self.was


class Proposal(Item, contract="hustings.Proposal.v1"):
    """A change somebody wants: its edits stand or fall together. To keep is a Proposal too: text equals base."""

    edits: tuple[Edit, ...]
    because: str = ""

    @property
    def keeps(self) -> bool:
        """True if nothing would change: the proposal defends what is there."""
        return all(edit.keeps for edit in self.edits)


class Testimony(Message, contract="hustings.Testimony.v1"):
    """What a witness says about the matter at hand. A skill that returns this, or a subclass, is a witness."""

    __test__: ClassVar[bool] = False  # or pytest would take the name for that of a test class

    claims: tuple[Claim, ...] = ()
    proposals: tuple[Proposal, ...] = ()
