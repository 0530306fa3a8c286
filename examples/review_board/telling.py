"""Telling: a review as text for a terminal."""

from collections import Counter
from collections.abc import Iterator
from shutil import get_terminal_size
from typing import NamedTuple

from hustings import Claim, Proposal, Verdict
from hustings.agents import RunReport

from .findings import claimed
from .gaps import counted
from .messages import Patch, ReviewProof

PROOF = "verified"  # the rule by which something falls that does not hold
SHOWN, FELL = 5, 3  # conflicts, and what fell by proof, shown one by one, so that the whole fits on a screen
INDENT, WIDTH = 16, 116  # of an edit; and the columns where there is no terminal
IN_ORDER = {"could not run", "fail as expected", "left out by the repository", "cannot be imported"}  # kinds of gaps


def tell(report: RunReport) -> str:
    """Each specialist's statements, conflicts with their verdicts, what proof rejected, the tests before and after.
    These come first where the proof does not hold, or where the tests were not in order before the patch."""
    parts = [_said(report), _conflicts(report), _rejected(report), _result(report)]
    if not proved(report) or _in_disorder(report):
        parts = [_result(report), *parts[:3]]
    return "\n\n".join("\n".join(part) for part in parts)


def _in_disorder(report: RunReport) -> bool:
    """True if a test failed, hung, passed only sometimes or was not reached before anything was changed."""
    proof = proof_of(report)
    return proof is not None and any(gap.kind not in IN_ORDER for gap in proof.gaps)


def _said(report: RunReport) -> Iterator[str]:
    yield "WHAT EACH SPECIALIST SAID"
    said = contributions(report)
    width = max(map(len, said), default=0)
    for who, (proposals, claims, stand) in said.items():
        yield f"  {who:<{width}} {proposals:4} proposals {claims:4} claims {stand:4} stand"


class Contribution(NamedTuple):
    """How much one specialist proposed and claimed, and how much of it stands."""

    proposals: int = 0
    claims: int = 0
    stand: int = 0


def contributions(report: RunReport) -> dict[str, Contribution]:
    """What each specialist said, by name."""
    said: dict[str, Contribution] = {}
    for verdict in report.verdicts:
        claims = verdict.kind in ("claim", "contradiction")
        each = [*((item.by, 1) for item in verdict.stands), *((dissent.by, 0) for dissent in verdict.dissent)]
        for who, stands in each:
            was = said.get(who, Contribution())
            said[who] = Contribution(was.proposals + (not claims), was.claims + claims, was.stand + stands)
    return dict(sorted(said.items()))


def _conflicts(report: RunReport) -> Iterator[str]:
    conflicts = contested(report)
    agreed = len(report.verdicts) - len(conflicts)
    yield f"CONFLICTS  {len(conflicts)} of {len(report.verdicts)} matters were contested, {agreed} were not"
    yield f"           {_overlapping(report)} proposals overlap with another one"
    for verdict in conflicts[:SHOWN]:
        yield from _conflict(verdict)
    if len(conflicts) > SHOWN:
        yield f"  … and {len(conflicts) - SHOWN} more: hustings conflicts {report.run}"


def contested(report: RunReport) -> list[Verdict]:
    """The conflicts."""
    return [verdict for verdict in report.verdicts if verdict.contested]


def rejected(report: RunReport) -> list[Verdict]:
    """What fell by proof."""
    return [verdict for verdict in report.verdicts if verdict.rule == PROOF]


def _overlapping(report: RunReport) -> int:
    """How many proposals change, or keep, lines that another proposal concerns too."""
    changes = [verdict for verdict in report.verdicts if verdict.kind not in ("claim", "contradiction")]
    sizes = [len(verdict.stands) + len(verdict.falls) for verdict in changes]
    return sum(size for size in sizes if size > 1)


def _conflict(verdict: Verdict) -> Iterator[str]:
    yield f"  {verdict.matter:<5} {about(verdict)}  [{verdict.rule}]"
    yield f"        stands  {_cut(standing(verdict))}"
    if falls := falling(verdict):
        yield f"        falls   {_cut(falls)}"


def standing(verdict: Verdict) -> str:
    """Who says what of that which stands, in a line."""
    said = dict.fromkeys(f"{item.by}: {_word(item)}" for item in verdict.stands)
    return "; ".join(said) or f"nothing: {verdict.because}"


def falling(verdict: Verdict) -> str:
    """Who says what of that which falls, in a line."""
    return "; ".join(dict.fromkeys(f"{dissent.by}: {one_line(dissent.says)}" for dissent in verdict.dissent))


def _word(item: Claim | Proposal) -> str:
    if isinstance(item, Claim):
        return str(item.value)
    edit = item.edits[0]
    return f"keep {one_line(edit.was)}" if item.keeps else one_line(edit.text) or f"drop {one_line(edit.was)}"


def about(verdict: Verdict) -> str:
    """What it is about, the line number without leading zeros."""
    path, _, line = verdict.about.rpartition(":")
    return f"{path}:{int(line)}" if line.isdigit() else verdict.about


def _rejected(report: RunReport) -> Iterator[str]:
    found = rejected(report)
    yield f"REJECTED BY PROOF  {len(found)}" if found else "REJECTED BY PROOF  nothing had to be"
    for verdict in found[:FELL]:
        yield _cut(f"  {verdict.matter:<5} {about(verdict)}  {falling(verdict)}", 0)
        yield f"        because {one_line(verdict.because)}"
    if len(found) > FELL:
        yield f"  … and {len(found) - FELL} more"


def _result(report: RunReport) -> Iterator[str]:
    if patch := patch_of(report):
        yield f"PATCH  {patch.size}{'' if proved(report) else ', UNPROVED'}"
    if said := proof_of(report):
        yield f"TESTS  {_cut(one_line(said.how), len('TESTS  '))}"
        for word, counts in (("before", said.before), ("after", said.after)):
            yield (
                f"TESTS  {word:<6} {counts.passed} passed, {counts.failed} failed, "
                f"{counts.errors} errors, {counts.skipped} skipped"
                + (f", {counts.unreached} not reached" if counts.unreached else "")
            )
        yield f"PROOF  {'holds' if said.holds else 'does not hold:'} {one_line(said.because)}"
    if found := claimed(report):
        levels = Counter(each.level for each in found)
        told = ", ".join(counted(levels[level], level) for level in ("error", "warning", "note") if levels[level])
        yield f"CLAIMS {told}: in report.html and review.sarif"


def patch_of(report: RunReport) -> Patch | None:
    """The patch, if there is one."""
    patch = report.outcome.get("patch")
    return Patch.of(patch) if isinstance(patch, dict) else None


def proof_of(report: RunReport) -> ReviewProof | None:
    """The proof, if there is one."""
    proof = report.outcome.get("proof")
    return ReviewProof.of(proof) if isinstance(proof, dict) else None


def proved(report: RunReport) -> bool:
    """True if the proof holds."""
    proof = proof_of(report)
    return proof is not None and proof.holds


def one_line(text: str) -> str:
    """The text without its ends of line."""
    return " ".join(text.split())


def _cut(text: str, indent: int = INDENT) -> str:
    """The text, cut to one line of the terminal in which it is indented so."""
    room = get_terminal_size((WIDTH, 0)).columns - indent
    return text if len(text) <= room else f"{text[: max(room - 1, 0)]}…"
