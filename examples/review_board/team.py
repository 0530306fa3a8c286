"""The review board: its specialists, its rules, and the text of its report."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from hustings import (
    Budget,
    Claim,
    Goal,
    ModelRule,
    Proposal,
    Team,
    Verdict,
    independent,
    judged,
    majority,
    rules,
    unopposed,
    verified,
)
from hustings.agents import RunReport, evident, exit_code, keep, model_judge, prefer, surest

from .api_guard import api_guard
from .applying import apply_to
from .autoflake import autoflake
from .bandit import bandit
from .codespell import codespell
from .config import config
from .critic import critic
from .environment import choose
from .flynt import flynt
from .formatter import formatter
from .isort import isort
from .messages import Patch, Report, Review, ReviewProof
from .mypy import mypy
from .prover import prover
from .pyupgrade import pyupgrade
from .radon import radon
from .ruff import ruff
from .ruff_bold import ruff_bold
from .ruff_security import ruff_security
from .scribe import scribe
from .simplifier import simplifier
from .vulture import vulture

SHOWN = 8  # conflicts shown one by one, so that the whole fits on a screen
WIDTH = 100  # characters shown of an edit
DOLLARS = 2.0  # the limit for models in a run


def tell(report: RunReport) -> str:
    """Each specialist's statements, conflicts with their verdicts, what proof rejected, the tests before and after.
    These come first where the proof does not hold."""
    parts = [_said(report), _conflicts(report), _rejected(report), _result(report)]
    if exit_code(report, Report):
        parts = [_result(report), *parts[:3]]
    return "\n\n".join("\n".join(part) for part in parts)


def prepare(goal: Goal, paths: Mapping[str, Path]) -> Review:
    """Find out, where the repository lies, how its tests are run. Raises UsageError: what is given cannot be used."""
    review = Review.of(goal.plain())
    chosen = choose(paths["repository"], review.python, review.tests, review.install)
    return review.model_copy(update=chosen._asdict())


def files(report: RunReport) -> Mapping[str, str]:
    """The patch, as `patch -p1` takes it; its name says whether it is proved."""
    patch, proof = _patch(report), report.outcome.get("proof")
    proved = isinstance(proof, dict) and proof.get("holds")
    return {"merged.patch" if proved else "unproved.patch": patch.diff} if patch else {}


def _said(report: RunReport) -> Iterator[str]:
    yield "WHAT EACH SPECIALIST SAID"
    said: dict[str, list[int]] = {}
    for verdict in report.verdicts:
        for item in verdict.stands:
            _count(said, item.by, verdict, 1)
        for dissent in verdict.dissent:
            _count(said, dissent.by, verdict, 0)
    width = max(map(len, said), default=0)
    for who, (claims, proposals, stand) in sorted(said.items()):
        yield f"  {who:<{width}} {proposals:4} proposals {claims:4} claims {stand:4} stand"


def _count(said: dict[str, list[int]], who: str, verdict: Verdict, stands: int) -> None:
    row = said.setdefault(who, [0, 0, 0])
    row[verdict.kind not in ("claim", "contradiction")] += 1
    row[2] += stands


def _conflicts(report: RunReport) -> Iterator[str]:
    conflicts = [verdict for verdict in report.verdicts if verdict.contested]
    agreed = len(report.verdicts) - len(conflicts)
    yield f"CONFLICTS  {len(conflicts)} of {len(report.verdicts)} matters were contested, {agreed} were not"
    yield f"           {_overlapping(report)} proposals overlap with another one"
    for verdict in conflicts[:SHOWN]:
        yield from _conflict(verdict)
    if len(conflicts) > SHOWN:
        yield f"  … and {len(conflicts) - SHOWN} more: `hustings conflicts {report.run}`"


def _overlapping(report: RunReport) -> int:
    """How many proposals change, or keep, lines that another proposal concerns too."""
    changes = [verdict for verdict in report.verdicts if verdict.kind not in ("claim", "contradiction")]
    sizes = [len(verdict.stands) + len(verdict.falls) for verdict in changes]
    return sum(size for size in sizes if size > 1)


def _conflict(verdict: Verdict) -> Iterator[str]:
    yield f"  {verdict.matter:<5} {_about(verdict)}  [{verdict.rule}]"
    stands = list(dict.fromkeys(f"{item.by}: {_word(item)}" for item in verdict.stands)) or [
        f"nothing: {verdict.because}"
    ]
    falls = dict.fromkeys(f"{dissent.by}: {_line(dissent.says)}" for dissent in verdict.dissent)
    yield f"        stands  {_cut('; '.join(stands))}"
    if falls:
        yield f"        falls   {_cut('; '.join(falls))}"


def _word(item: Claim | Proposal) -> str:
    if isinstance(item, Claim):
        return str(item.value)
    edit = item.edits[0]
    return f"keep {_line(edit.was)}" if item.keeps else _line(edit.text) or f"drop {_line(edit.was)}"


def _about(verdict: Verdict) -> str:
    path, _, line = verdict.about.rpartition(":")
    return f"{path}:{int(line)}" if line.isdigit() else verdict.about


def _rejected(report: RunReport) -> Iterator[str]:
    rejected = [verdict for verdict in report.verdicts if verdict.rule == "verified"]
    yield f"REJECTED BY PROOF  {len(rejected)}" if rejected else "REJECTED BY PROOF  nothing had to be"
    for verdict in rejected[:SHOWN]:
        who = ", ".join(dict.fromkeys(f"{dissent.by}: {_line(dissent.says)}" for dissent in verdict.dissent))
        yield f"  {verdict.matter:<5} {_about(verdict)}  {_cut(who)}"
        yield f"        because {_line(verdict.because)}"


def _result(report: RunReport) -> Iterator[str]:
    patch, proof = _patch(report), report.outcome.get("proof")
    if patch:
        proved = isinstance(proof, dict) and proof.get("holds")
        yield f"PATCH  {patch.edits} edits in {patch.files} files{'' if proved else ', UNPROVED'}"
    if isinstance(proof, dict):
        said = ReviewProof.of(proof)
        yield f"TESTS  {_line(said.how)}"
        for word, counts in (("before", said.before), ("after", said.after)):
            yield (
                f"TESTS  {word:<6} {counts.passed} passed, {counts.failed} failed, "
                f"{counts.errors} errors, {counts.skipped} skipped"
                + (f", {counts.unreached} not reached" if counts.unreached else "")
            )
        yield f"PROOF  {'holds' if said.holds else 'does not hold:'} {_line(said.because)}"


def _patch(report: RunReport) -> Patch | None:
    patch = report.outcome.get("patch")
    return Patch.of(patch) if isinstance(patch, dict) else None


def _line(text: str) -> str:
    return " ".join(text.split())


def _cut(text: str) -> str:
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…"


TOOLS = [
    *(ruff, ruff_bold, autoflake, pyupgrade, flynt, isort, codespell, formatter, vulture, bandit, ruff_security),
    *(mypy, radon, api_guard, config, prover, scribe),
]
RULES = [
    unopposed,
    independent,
    rules(keep),
    majority,
    rules(
        prefer("config", "pyupgrade", "ruff", "flynt", "autoflake", "isort", "codespell", "ruff_bold"), evident, surest
    ),
]

team = Team(
    name="review",
    goal=Review,
    outcome=Report,
    specialists=TOOLS,
    arbiters=[*RULES, verified("trial")],
    attempt_timeout=600,
    tell=tell,
    files=files,
    prepare=prepare,
    apply=apply_to,
)

with_models = replace(
    team,
    name="review_with_models",
    specialists=[*TOOLS, critic, simplifier, model_judge()],
    arbiters=[*RULES, judged(), verified("trial")],
    models=[
        ModelRule("critic.*", models=("anthropic:claude-opus-5-5", "anthropic:claude-sonnet-5-5")),
        ModelRule("*", models=("anthropic:claude-sonnet-5-5", "anthropic:claude-haiku-5-5")),
    ],
    budget=Budget(money=DOLLARS),
)
