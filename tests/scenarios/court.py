"""The teams of the scenarios, small and fast; whoever is to be killed halts exactly where the test wants it.

Child processes import a copy of this file from their working directory, as they would a user's module.
"""

import os
from collections.abc import Mapping
from pathlib import Path

import anyio

from hustings.agents import (
    RunReport,
    Specialist,
    TaskContext,
    Team,
    evident,
    independent,
    majority,
    rules,
    unopposed,
    verified,
)
from hustings.protocols import (
    Blob,
    Claim,
    Edit,
    Evidence,
    Goal,
    Message,
    Outcome,
    Proof,
    Proposal,
    Testimony,
    Trial,
    Verdict,
)

FATAL = "fatal"  # a line that no change may touch: the prover finds out


class Text(Blob, contract="court.Text.v1"):
    """A file of lines."""


class Case(Goal, contract="court.Case.v1"):
    """Improve a text.

    Whoever is named in `hold` tells its pid as progress and waits until `gate` has a file of its name.
    """

    text: Text
    hold: tuple[str, ...] = ()
    gate: str = "."


class Findings(Testimony, contract="court.Findings.v1"): ...


class Draft(Message, contract="court.Draft.v1"):
    """The text as it would read."""

    text: str


class Intact(Proof, contract="court.Intact.v1"): ...


class Ruling(Outcome, contract="court.Ruling.v1"):
    """What a case comes to."""

    draft: Draft
    proof: Intact
    verdicts: list[Verdict]


async def halt(case: Case, context: TaskContext) -> None:
    """Wait for the gate, if the case says so. A file, since a test in another process must be able to open it."""
    if context.agent in case.hold:
        await context.progress(str(os.getpid()))
        while not Path(case.gate, context.agent).exists():  # noqa: ASYNC110, ASYNC240
            await anyio.sleep(0.02)


async def lines(case: Case, context: TaskContext) -> list[str]:
    return (await context.read(case.text)).decode().splitlines(keepends=True)


def change(case: Case, number: int, was: str, text: str, *evidence: Evidence) -> Proposal:
    edit = Edit(resource="text", base=case.text.digest, start=number, end=number + 1, was=was, text=text)
    return Proposal(edits=(edit,), evidence=evidence)


eager = Specialist("eager", "wants every line in capitals")
careful = Specialist("careful", "wants the first line as a title")
scribe = Specialist("scribe", "writes down what was decided")
prover = Specialist("prover", "finds out whether what matters is intact")


@eager.skill
async def shout(case: Case, context: TaskContext) -> Findings:
    """Propose capitals everywhere, and miscount."""
    await halt(case, context)
    text = await lines(case, context)
    return Findings(
        claims=(Claim(about="lines", value=len(text) + 1),),
        proposals=tuple(change(case, number, line, line.upper()) for number, line in enumerate(text)),
    )


@careful.skill
async def title(case: Case, context: TaskContext) -> Findings:
    """Propose a title, with evidence, and count."""
    await halt(case, context)
    text = await lines(case, context)
    counted = Evidence(kind="measurement", says="counted")
    return Findings(
        claims=(Claim(about="lines", value=len(text), evidence=(counted,)),),
        proposals=(change(case, 0, text[0], text[0].title(), counted),),
    )


@scribe.skill
async def draft(case: Case, verdicts: list[Verdict], context: TaskContext) -> Draft:
    """Apply what stands."""
    await halt(case, context)
    text = await lines(case, context)
    for verdict in verdicts:
        for item in verdict.stands:
            for edit in item.edits if isinstance(item, Proposal) else ():
                text[edit.start] = edit.text
    return Draft(text="".join(text))


@prover.skill
async def trial(case: Case, proposals: list[Proposal], context: TaskContext) -> Trial:
    """Reject what touches the fatal line."""
    await halt(case, context)
    guilty = {p.id: "it touches the fatal line" for p in proposals if any(FATAL in edit.was for edit in p.edits)}
    return Trial(holds=tuple(p.id for p in proposals if p.id not in guilty), falls=guilty, because="looked")


@prover.skill
async def prove(draft: Draft) -> Intact:
    """Say whether the fatal line is still there."""
    return Intact(holds=FATAL in draft.text, because="looked")


def write(report: RunReport, paths: Mapping[str, Path]) -> str:
    """Write the text as it would read to where it came from."""
    paths["text"].write_text(Draft.of(report.outcome["draft"]).text)
    return f"wrote {paths['text']}"


team = Team(
    name="court",
    apply=write,
    goal=Case,
    outcome=Ruling,
    specialists=[eager, careful, scribe, prover],
    arbiters=[unopposed, independent, rules(evident), majority, verified("trial")],
)


# a second team: many small tasks for replicas


class Job(Goal, contract="court.Job.v1"):
    """Type so many pages. The first `held` of them wait until `gate` has a file of their number."""

    pages: int
    held: int = 0
    gate: str = "."


class Page(Message, contract="court.Page.v1"):
    number: int


class Typed(Outcome, contract="court.Typed.v1"):
    verdicts: list[Verdict]


splitter = Specialist("splitter", "cuts a job into pages")
typist = Specialist("typist", "types pages, two at a time", max_concurrent_tasks=2)


@splitter.skill
def split(job: Job) -> list[Page]:
    return [Page(number=number) for number in range(job.pages)]


async def type_page(page: Page, job: Job, context: TaskContext) -> Testimony:
    """Say in whose process a page was typed."""
    await context.progress(f"{os.getpid()} begins {page.number}")
    while page.number < job.held and not Path(job.gate, str(page.number)).exists():  # noqa: ASYNC110, ASYNC240
        await anyio.sleep(0.02)
    return Testimony(claims=(Claim(about=f"page {page.number}", value=os.getpid()),))


typist.skill(type_page)

pool = Team(name="pool", goal=Job, outcome=Typed, specialists=[splitter, typist], arbiters=[unopposed])
