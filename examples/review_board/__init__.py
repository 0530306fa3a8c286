"""Real tools review a real package: they disagree, the disagreements are settled, and the tests prove what is left."""

from .api_guard import api_guard
from .applying import apply_to
from .autoflake import autoflake
from .bandit import bandit
from .baseline import Baseline, baseline, tree_digest
from .bench import Bench
from .codespell import codespell
from .comparison import Row, board, compare, table
from .complexity import complex_functions
from .config import config
from .critic import critic
from .dead_code import unused
from .dependencies import dependency_claims
from .dependency_guard import dependency_guard
from .docs_guard import docs_guard
from .documentation import misdocumented
from .doubting import doubted
from .edits import BadEdit, apply, digest, hunks, split_lines
from .fixers import bold_fixes, lineage, ruff_fixes
from .flynt import flynt
from .formatter import formatter
from .formatting import format_draft
from .house_rules import defended
from .isort import isort
from .memory import Memory
from .messages import (
    Counts,
    Draft,
    Findings,
    Formatting,
    Gap,
    Patch,
    Report,
    Repository,
    Review,
    ReviewProof,
    Rewritten,
)
from .mypy import mypy
from .patches import BadPatch, apply_patch, unified
from .prover import prover
from .proving import MOST_RUNS, Proving
from .public_api import guard
from .pythons import oldest_python
from .pyupgrade import pyupgrade
from .radon import radon
from .records import Outcome, Record
from .rewriters import autoflake_fixes, flynt_fixes, isort_fixes, pyupgrade_fixes
from .rewriting import groups, rewritten
from .ruff import ruff
from .ruff_bold import ruff_bold
from .ruff_security import ruff_security
from .scribe import scribe
from .security import bandit_findings, ruff_security_findings
from .settings import Settings, read_settings
from .severity import Severity
from .sifting import OutOfRuns, sift
from .simplifier import simplifier
from .sources import Source, read_sources
from .spelling import spelling_fixes
from .suspicion import accused
from .team import team, with_models
from .tools import find
from .ty import ty
from .type_errors import ty_errors, type_errors
from .vulnerabilities import vulnerability_claims
from .vulture import vulture
from .writing import finished, write_draft, write_patch

__all__ = [  # noqa: RUF022 - a table of contents
    # what is said
    "Repository", "Review", "Findings", "Draft", "Rewritten", "Formatting", "Patch", "Counts", "Gap", "ReviewProof",
    "Report",
    # the team, and who says it
    "team", "with_models",
    "ruff", "ruff_bold", "autoflake", "pyupgrade", "flynt", "isort", "codespell", "formatter",
    "vulture", "bandit", "ruff_security", "mypy", "ty", "radon", "api_guard", "docs_guard", "dependency_guard",
    "config", "prover", "scribe", "critic", "simplifier",
    # what the witnesses do, over a folder
    "ruff_fixes", "bold_fixes", "autoflake_fixes", "pyupgrade_fixes", "flynt_fixes", "isort_fixes", "spelling_fixes",
    "format_draft", "unused", "bandit_findings", "ruff_security_findings", "type_errors", "ty_errors",
    "complex_functions", "guard", "misdocumented", "dependency_claims", "vulnerability_claims", "defended", "lineage",
    "Severity", "doubted", "find",
    "Settings", "read_settings", "oldest_python",
    # edits, sources, patches
    "hunks", "apply", "digest", "split_lines", "groups", "rewritten", "BadEdit", "Source", "read_sources",
    "unified", "apply_patch", "apply_to", "BadPatch", "write_draft", "finished", "write_patch",
    # proof
    "Memory", "Proving", "Baseline", "baseline", "Bench", "Outcome", "Record", "MOST_RUNS", "tree_digest",
    "sift", "accused", "OutOfRuns",
    # each tool by itself
    "Row", "board", "compare", "table",
]  # fmt: skip
