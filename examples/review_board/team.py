"""The review board: its specialists and its rules."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from hustings import (
    Budget,
    Goal,
    ModelRule,
    Team,
    independent,
    judged,
    majority,
    rules,
    unopposed,
    verified,
)
from hustings.agents import RunReport, evident, keep, model_judge, prefer, surest

from .api_guard import api_guard
from .applying import apply_to
from .autoflake import autoflake
from .bandit import bandit
from .codespell import codespell
from .config import config
from .critic import critic
from .dependency_guard import dependency_guard
from .docs_guard import docs_guard
from .doubting import doubted
from .environment import choose
from .flynt import flynt
from .formatter import formatter
from .isort import isort
from .messages import Report, Review
from .mypy import mypy
from .patches import moved_into
from .prover import prover
from .pyupgrade import pyupgrade
from .radon import radon
from .ruff import ruff
from .ruff_bold import ruff_bold
from .ruff_security import ruff_security
from .sarif import sarif
from .scribe import scribe
from .simplifier import simplifier
from .summary import summary
from .telling import patch_of, proved, tell
from .ty import ty
from .vulnerabilities import check_advisories
from .vulture import vulture

DOLLARS = 2.0  # the limit for models in a run


def prepare(goal: Goal, paths: Mapping[str, Path]) -> Review:
    """Find out, where the repository lies, how its tests are run. Raises UsageError: what is given cannot be used."""
    review = Review.of(goal.plain())
    if file := paths.get("vulnerabilities"):
        check_advisories(file)
    chosen = choose(paths["repository"], review.python, review.tests, review.install)
    return review.model_copy(update=chosen._asdict())


def files(report: RunReport) -> Mapping[str, str]:
    """The patch, as `git apply` takes it at the root of the checkout; its name says whether it is proved. The review
    for code hosts (SARIF), and as a comment (Markdown)."""
    patch = patch_of(report)
    name, folder = "merged.patch" if proved(report) else "unproved.patch", patch.folder if patch else ""
    diffs = {name: moved_into(patch.diff, folder)} if patch else {}
    return {**diffs, "review.sarif": sarif(report, folder), "summary.md": summary(report)}


TOOLS = [
    *(ruff, ruff_bold, autoflake, pyupgrade, flynt, isort, codespell, formatter, vulture, bandit, ruff_security),
    *(mypy, ty, radon, api_guard, docs_guard, dependency_guard, config, prover, scribe),
]
RULES = [
    unopposed,
    independent,
    rules(keep),
    majority,
    rules(
        prefer("config", "pyupgrade", "ruff", "flynt", "autoflake", "isort", "codespell", "ruff_bold"), evident, surest
    ),
    doubted,
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
