"""Records: what became of each test in a run, read from the lines that the recorder wrote."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from .messages import Counts

DESELECTED = "deselected"
WORST = ("passed", DESELECTED, "skipped", "failed", "error")
UNREACHED, LATE = "unreached", "late"
BROKEN_OFF = ("2", "3", "4")  # exit codes of pytest: interrupted, an error of its own, a wrong option
Line = Sequence[str]  # kind, test, outcome, why


@dataclass(frozen=True)
class Outcome:
    """How a test ended: passed, skipped, deselected, failed, error or unreached, and the end of its report.

    `ran`: its body was run; one that is expected to fail ran and is "skipped". A module that cannot be collected, or
    skips itself, has an outcome as a test has.
    """

    kind: str
    why: str = ""
    ran: bool = False

    @property
    def red(self) -> bool:
        """True if it failed, in whatever way."""
        return self.kind in ("failed", "error")


@dataclass(frozen=True)
class Record:
    """What became of each test in a run of them.

    `stopped`: why the run did not come to its end, and how far it got; empty if it did. `running`: the test that was
    running then; empty if none was. `late`: the run was cut because its time was up.
    """

    collected: frozenset[str]
    outcomes: Mapping[str, Outcome]
    stopped: str = ""
    running: str = ""
    late: bool = False

    @property
    def complete(self) -> bool:
        """True if the run came to its end."""
        return not self.stopped

    @cached_property
    def counts(self) -> Counts:
        """The tests by outcome."""
        kinds = [outcome.kind for outcome in self.outcomes.values()]
        return Counts(
            passed=kinds.count("passed"),
            failed=kinds.count("failed"),
            errors=kinds.count("error"),
            skipped=kinds.count("skipped") + kinds.count(DESELECTED),
            unreached=kinds.count(UNREACHED) + kinds.count(LATE),
        )

    def having(self, outcomes: Mapping[str, Outcome]) -> "Record":
        """The same record, but these tests ended so."""
        return replace(self, outcomes={**self.outcomes, **outcomes}, collected=self.collected | outcomes.keys())

    def accepted(self) -> "Record":
        """The same record, of a run that was cut, as one that came to its end: what it did not reach came too late."""
        late = {name: replace(seen, kind=LATE) for name, seen in self.outcomes.items() if seen.kind == UNREACHED}
        return replace(self, stopped="", outcomes={**self.outcomes, **late})


def record_of(lines: Sequence[Line], late: bool, how: Callable[[], str]) -> Record:
    """What the lines say. `late`: the run was cut. `how` says how a run ended that did not come to its end."""
    found = list(dict.fromkeys(test for kind, test, _, _ in lines if kind == "collected"))
    outcomes: dict[str, Outcome] = {}
    begun = ""
    for kind, test, outcome, why in lines:
        if kind == "began":
            begun = test
        elif kind == "test":
            outcomes[test] = _worse(outcomes.get(test, Outcome("passed")), _outcome(outcome, why))
            begun = "" if begun == test else begun
    ends = [outcome for kind, _, outcome, _ in lines if kind == "end"]
    told = [why for kind, _, _, why in lines if kind == "stopped"]
    left = [test for test in found if test not in outcomes]
    stopped = "" if ends and ends[0] not in BROKEN_OFF else _broken_off(" ".join(told) or how(), found, left)
    unreached = Outcome(UNREACHED, stopped or " ".join(told) or "the run ended before its turn")
    outcomes.update(dict.fromkeys(left, unreached))
    return Record(frozenset(found), outcomes, stopped, begun if stopped else "", late and bool(stopped))


def record_of_command(command: str, code: int | None, last: str) -> Record:
    """Of a command that recorded nothing: it counts as one test, which passes if the command ends with 0."""
    outcome = Outcome("failed", last, True) if code else Outcome("passed", "", True)
    return Record(frozenset([command]), {command: outcome}, last if code is None else "")


def _outcome(kind: str, why: str) -> Outcome:
    ran = kind in ("passed", "failed", "xfailed")
    return Outcome("skipped" if kind == "xfailed" else kind, why, ran)


def _worse(one: Outcome, other: Outcome) -> Outcome:
    worst = max(one, other, key=lambda seen: WORST.index(seen.kind))
    return replace(worst, ran=one.ran or other.ran)


def _broken_off(how: str, found: Sequence[str], left: Sequence[str]) -> str:
    if not found:
        return f"{how}, before a test was found"
    place = f", in {left[0]}" if left else ""
    return f"{how}{place}, after {len(found) - len(left)} of {len(found)} tests"
