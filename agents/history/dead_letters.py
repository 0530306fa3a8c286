"""Dead letters: tasks that failed for good, each with its status: dead, redriven or discarded."""

import hashlib
import re
from collections.abc import AsyncIterable, Iterable
from typing import Literal, NamedTuple

from hustings.protocols import (
    COORDINATOR,
    Assigned,
    Concluded,
    Data,
    DeadLetter,
    Discarded,
    Entry,
    Failure,
    GoalAsked,
    Message,
)
from hustings.protocols.events import FailureKind

from ..decider.folding import evolve
from ..decider.state import RunState
from .run_report import iso

LetterStatus = Literal["dead", "redriven", "discarded"]


class DeadLetterEntry(Message, contract="hustings.cli.DeadLetterEntry.v1"):
    """A dead letter and its status. The id is RUN.TASK; `version` is the agent's when it failed, at `time` (ISO 8601).

    "redriven": the run `redriven_by` does the task once more, or did; if it fails there, that is a dead letter of that
    run. "discarded": by `discarded_by`, for the reason `discarded_because`.
    """

    id: str
    team: str
    run: str
    task: str
    agent: str
    skill: str
    cause: FailureKind
    because: str
    attempts: int
    version: str
    time: str
    status: LetterStatus
    redriven_by: str = ""
    discarded_by: str = ""
    discarded_because: str = ""
    assigned: int = 0
    at: str = ""


class Redrive(NamedTuple):
    """The run `run` does these tasks of the run `redrives` once more."""

    run: str
    redrives: str
    tasks: tuple[str, ...]


class FailedAttempt(Message, contract="hustings.cli.FailedAttempt.v1"):
    """One failed attempt of a task: the agent, its version, and the failure; `at` and `traceback` as in Failure."""

    attempt: int
    agent: str
    version: str
    cause: FailureKind
    because: str
    time: str
    at: str = ""
    traceback: str = ""


class DeadLetterDetail(Message, contract="hustings.cli.DeadLetterDetail.v1"):
    """A dead letter with each attempt, the input, and the last Assigned message, as its bytes are on the log."""

    letter: DeadLetterEntry
    failures: tuple[FailedAttempt, ...]
    input: Data
    original: bytes


class DeadLetters:
    """The dead letters of a team, from the part of the log read so far."""

    def __init__(self, team: str) -> None:
        self._team = team
        self._asked: dict[str, int] = {}
        self._said: dict[tuple[str, str], tuple[DeadLetter, float]] = {}
        self._discards: dict[tuple[str, str], Discarded] = {}
        self._redrives: dict[str, list[Redrive]] = {}
        self._ends: dict[str, Concluded] = {}

    def note(self, entry: Entry) -> None:
        """Note one more of `Log.dead_letters`. Entries of other authors are ignored; of duplicates the first counts."""
        run, author, kind, rest = entry.subject
        match entry.event:
            case GoalAsked() as goal if kind == "goal" and run not in self._asked:
                self._asked[run] = entry.seq
                if goal.again:
                    redrive = Redrive(run, goal.redrives, tuple(task.task for task in goal.again))
                    self._redrives.setdefault(goal.redrives, []).append(redrive)
            case DeadLetter() as letter if author == COORDINATOR:
                self._said.setdefault((run, letter.task), (letter, entry.time))
            case Concluded() as end if author == COORDINATOR:
                self._ends.setdefault(run, end)
            case Discarded() as discarded if kind == "discard" and rest == (discarded.task,):
                self._discards.setdefault((run, discarded.task), discarded)
            case _:
                pass

    def all(self) -> list[DeadLetterEntry]:
        """Every dead letter, in the order of the log."""
        return [self._letter(run, letter, moment) for (run, _), (letter, moment) in self._said.items()]

    def goal(self, run: str) -> int:
        """The position of a run's goal on the log."""
        return self._asked.get(run, 0)

    def next_run(self, run: str) -> str:
        """The id of the next run that redrives tasks of this one.

        It follows from the existing redrives: if two clients look at the same moment, only one can begin a run of this
        id, whatever each has chosen; the other has to look again.
        """
        before = sorted(redrive.run for redrive in self._redrives.get(run, ()))
        return "r" + hashlib.sha256("/".join([run, *before]).encode()).hexdigest()[:12]

    def _letter(self, run: str, letter: DeadLetter, moment: float) -> DeadLetterEntry:
        status, by, because = self._fate(run, letter.task)
        return DeadLetterEntry(
            id=f"{run}.{letter.task}",
            team=self._team,
            run=run,
            task=letter.task,
            agent=letter.agent,
            skill=letter.skill,
            cause=letter.kind,
            because=letter.because,
            attempts=letter.attempts,
            version=letter.version,
            time=iso(moment),
            status=status,
            redriven_by=by if status == "redriven" else "",
            discarded_by=by if status == "discarded" else "",
            discarded_because=because,
            assigned=letter.assigned,
            at=letter.at,
        )

    def _fate(self, run: str, task: str) -> tuple[LetterStatus, str, str]:
        for redrive in self._redrives.get(run, ()):
            if task in redrive.tasks and not self._undone(redrive.run, task):
                return "redriven", redrive.run, ""
        if discarded := self._discards.get((run, task)):
            return "discarded", discarded.by, discarded.because
        return "dead", "", ""

    def _undone(self, run: str, task: str) -> bool:
        """True if a redrive ended without the task and without a dead letter of its own, for example when cancelled."""
        end = self._ends.get(run)
        return end is not None and task not in end.filled and (run, task) not in self._said


def by_run(letters: Iterable[DeadLetterEntry]) -> dict[str, list[DeadLetterEntry]]:
    """The dead letters of each run."""
    found: dict[str, list[DeadLetterEntry]] = {}
    for letter in letters:
        found.setdefault(letter.run, []).append(letter)
    return found


def assigned_to(letter: DeadLetterEntry, entry: Entry | None) -> Assigned | None:
    """The bytes of this entry, if it is the last Assigned of a dead letter's task."""
    event = entry.event if entry else None
    if not isinstance(event, Assigned) or entry is None or (event.task, event.agent) != (letter.task, letter.agent):
        return None
    return event if (entry.subject.run, entry.subject.author) == (letter.run, COORDINATOR) else None


async def failures(letter: DeadLetterEntry, entries: AsyncIterable[Entry]) -> tuple[FailedAttempt, ...]:
    """Each failed attempt of a dead letter's task, from the log of its run."""
    state, found = RunState(letter.run), dict[int, FailedAttempt]()
    async for entry in entries:
        evolve(state, entry)
        failure = state.failures.get(letter.task)
        if failure and failure.attempt not in found:
            found[failure.attempt] = FailedAttempt(
                attempt=failure.attempt,
                agent=failure.agent,
                version=failure.version or state.versions.get(failure.agent, ""),
                cause=failure.kind,
                because=failure.because,
                time=iso(entry.time),
                at=failure.at,
                traceback=entry.event.traceback if isinstance(entry.event, Failure) else "",
            )
    return tuple(found.values())


def newer(version: str, than: str) -> bool:
    """True if a version is later than another, number by number; a pre-release is before its release (semver.org)."""
    return _order(version) > _order(than)


def _order(version: str) -> tuple[list[tuple[int, str]], bool, list[tuple[int, str]]]:
    core, _, pre = version.removeprefix("v").partition("+")[0].partition("-")
    return _parts(re.sub(r"(\.0)+$", "", core)), not pre, _parts(pre)


def _parts(text: str) -> list[tuple[int, str]]:
    """A sort key: numbers by value, before words."""
    return [(int(part), "") if part.isdecimal() else (2**63, part) for part in text.split(".") if part]
