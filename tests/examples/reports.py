"""Reports of reviews, made up: what a front shows of them is tested without a run."""

from hustings.agents import RunReport
from hustings.examples.review_board import Counts, Gap, Patch, ReviewProof, hunks, unified
from hustings.examples.review_board.messages import GapKind
from hustings.protocols import Claim, Data, Dissent, Evidence, Proposal, Verdict
from hustings.protocols.verdicts import MatterKind

OLD = "import os\nimport sys\n\n\ndef f(a):\n    return '%s' % (a,)\n"
NEW = "import os\n\n\ndef f(a):\n    return f'{a}'\n"


def verdict(
    *stands: Claim | Proposal, kind: MatterKind = "claim", rule: str = "unopposed", dissent: tuple[Dissent, ...] = ()
) -> Verdict:
    first = stands[0] if stands else None
    about = first.about if isinstance(first, Claim) else f"{first.edits[0].resource}:000002" if first else "a.py:000001"
    return Verdict(
        matter=f"M-{about}", kind=kind, about=about, decided=True, rule=rule, because="it breaks test_one",
        stands=stands, dissent=dissent,
    )  # fmt: skip


def insecure(path: str, line: int, code: str = "B311", severity: str = "high, CWE-330", says: str = "weak") -> Claim:
    where = f"{path}:{line}"
    evidence = (
        Evidence(kind="rule", says=f"{code} {says}", source=where),
        Evidence(kind="severity", says=severity, source=where),
        Evidence(kind="source", says="the seed comes from here", source="other file.py:7"),
    )
    about = f"{where}:weak-random"
    return Claim(by="bandit", about=about, value="insecure", because=f"{code} {says}", evidence=evidence)


def changes(path: str = "a.py", old: str = OLD, new: str = NEW, by: str = "ruff") -> Proposal:
    return Proposal(by=by, edits=tuple(hunks(path, old, new)), because="F401, UP031")


def reviewed(
    *verdicts: Verdict,
    holds: bool = True,
    folder: str = "",
    status: str = "decided",
    missing: tuple[str, ...] = (),
    gap: GapKind = "could not run",
) -> RunReport:
    gaps = (Gap(kind=gap, why="no debug build", count=3, names=("test_two",)),)
    proof = ReviewProof(
        holds=holds, because="for 7 tests; 3 could not run: no debug build (3)", before=Counts(passed=7, skipped=3),
        after=Counts(passed=7, skipped=3), proved=7, gaps=gaps,
        how="`python -m pytest` from tox.ini, with folder/.venv", new_failures=() if holds else ("test_one",),
    )  # fmt: skip
    patch = Patch(diff=unified("a.py", OLD, NEW), edits=2, files=1)
    outcome: Data = {"patch": patch.plain(), "proof": proof.plain()}
    return RunReport.of(
        {
            "run": "r1", "team": "review", "status": status, "because": "everything was settled", "outcome": outcome,
            "verdicts": [each.plain() for each in verdicts], "missing": [*missing], "spent": {}, "state_hash": "",
            "events": 1, "seconds": 1.0,
        }
    )  # fmt: skip
