"""Real tools review a real package: they disagree, the disagreements are settled, and the tests prove what is left."""

from .api_guard import api_guard
from .applying import apply_to
from .autoflake import autoflake
from .baseline import Baseline, tree_digest
from .bench import Bench, Record
from .dead_code import unused
from .edits import BadEdit, apply, digest, hunks, split_lines
from .fixers import autoflake_fixes, bold_fixes, lineage, pyupgrade_fixes, ruff_fixes
from .memory import Memory
from .messages import Counts, Draft, Findings, Patch, Report, Repository, Review, ReviewProof, Rewritten
from .patches import BadPatch, apply_patch, unified
from .process import Limits, Ran, run, scrubbed
from .prover import prover
from .proving import MOST_RUNS, Proving
from .public_api import guard
from .pyupgrade import pyupgrade
from .rewriting import groups
from .ruff import ruff
from .ruff_bold import ruff_bold
from .scribe import scribe
from .sifting import OutOfRuns, sift
from .sources import Source, read_sources
from .team import team
from .tools import find
from .vulture import vulture
from .writing import write_draft, write_patch

__all__ = [  # noqa: RUF022 - a table of contents
    # what is said
    "Repository", "Review", "Findings", "Draft", "Rewritten", "Patch", "Counts", "ReviewProof", "Report",
    # the team, and who says it
    "team",
    "ruff", "ruff_bold", "autoflake", "pyupgrade", "vulture", "api_guard", "prover", "scribe",
    # what the witnesses do, over a folder
    "ruff_fixes", "bold_fixes", "autoflake_fixes", "pyupgrade_fixes", "unused", "guard", "lineage", "find",
    # edits, sources, patches
    "hunks", "apply", "digest", "split_lines", "groups", "BadEdit", "Source", "read_sources",
    "unified", "apply_patch", "apply_to", "BadPatch", "write_draft", "write_patch",
    # proof
    "Memory", "Proving", "Baseline", "Bench", "Record", "MOST_RUNS", "tree_digest", "sift", "OutOfRuns",
    "run", "scrubbed", "Limits", "Ran",
]  # fmt: skip
