"""How a run that is not simply decided ends for whoever asked: a code, and what, why, what to try."""

from importlib import import_module

import pytest

from hustings.agents import RunReport, Team
from hustings.agents.history.run_report import RunStatus
from hustings.protocols import Data, Goal, Outcome, Proof

code_of = import_module("hustings.agents.cli.verbs.run")._code


class Proved(Outcome):
    proof: Proof


TEAM = Team("jury", goal=Goal, outcome=Proved)


def came(status: RunStatus, outcome: Data) -> RunReport:
    return RunReport(
        run="r1", team="jury", status=status, because="so it is", outcome=outcome, verdicts=(), missing=(), spent={},
        state_hash="", events=0, seconds=0.0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "holds", "code", "words"),
    [
        ("decided", True, 0, []),
        ("partial", True, 7, ["error: run r1 partial", "why: so it is", "try: `hustings show r1`"]),
        (
            "decided",
            False,
            4,
            ["error: the outcome of run r1 is not proved", "why: no tests", "try: Do not use the outcome"],
        ),
        ("failed", True, 1, ["error: run r1 failed", "why: so it is", "try: `hustings show r1`"]),
        ("cancelled", True, 1, ["error: run r1 cancelled"]),
        ("undecided", True, 3, ["error: run r1 undecided"]),
    ],
)
def test_the_code_and_the_words(
    capsys: pytest.CaptureFixture[str], status: RunStatus, holds: bool, code: int, words: list[str]
) -> None:
    proof: Data = {"holds": holds, "because": "no tests"}
    assert code_of(TEAM, came(status, {"proof": proof})) == code
    said = capsys.readouterr().err
    assert all(word in said for word in words)
    assert bool(said) == bool(code)
