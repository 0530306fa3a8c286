"""Timeline: a whole run for people: its report, its conflicts, and who did what when. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from hustings.protocols import (
    Assigned,
    AttemptAbandoned,
    Concluded,
    Entry,
    Failure,
    Opened,
    Planned,
    Result,
    Settled,
)

from ..decider.folding import evolve
from ..decider.state import RunState
from .conflicts import Case, cases
from .run_report import NextAttempt, RunReport, next_attempt, report

BarStatus = Literal["done", "failed", "open"]
MarkKind = Literal["planned", "opened", "settled", "concluded"]


@dataclass(frozen=True)
class Bar:
    """One attempt of a task in the lane of its agent; all times in seconds since the goal was written.

    Assigned at `asked`, running from `start` to `end`. An inquiry is a question of the coordinator, for itself or for
    an agent. `again`: the attempt that was to follow when this one had failed.
    """

    lane: str
    task: str
    skill: str
    asked: float
    start: float
    end: float
    status: BarStatus
    attempt: int = 1
    inquiry: bool = False
    because: str = ""
    again: NextAttempt | None = None


@dataclass(frozen=True)
class Mark:
    """A decision of the coordinator; `conflicts` of `matters` when it opened or settled a barrier, which are all that
    there is to say when it opened one."""

    at: float
    kind: MarkKind
    says: str
    barrier: str = ""
    matters: int = 0
    conflicts: int = 0


@dataclass(frozen=True)
class Timeline:
    """A run for people. `lanes` are the agents in the order of their first assignments."""

    report: RunReport
    state: RunState
    cases: tuple[Case, ...]
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    lanes: tuple[str, ...]
    log: tuple[Entry, ...]

    @property
    def seconds(self) -> float:
        """Seconds until the conclusion, or until the last entry."""
        return max((self.report.seconds, *(bar.end for bar in self.bars)))

    @property
    def conflicts(self) -> tuple[Case, ...]:
        return tuple(case for case in self.cases if case.contested)


@dataclass
class Recorder:
    """Follows a run entry by entry: `state` is its fold, `timeline` what people want to see of it."""

    state: RunState
    running: dict[str, tuple[Assigned, float]] = field(default_factory=dict)
    bars: list[Bar] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    log: list[Entry] = field(default_factory=list)

    def hear(self, entry: Entry) -> None:
        ended = self.state.concluded is not None
        invalid = self.state.invalid
        evolve(self.state, entry)
        self.log.append(entry)
        if ended:
            return
        if self.state.invalid == invalid:
            self._mark(entry)
            if isinstance(entry.event, Assigned):
                self.running[entry.event.task] = entry.event, self.since(entry)
        self._close(entry)

    def since(self, entry: Entry) -> float:
        return round(max(entry.time - self.state.asked_at, 0.0), 3)

    def _close(self, entry: Entry) -> None:
        """The attempt that this entry ended, whoever wrote it: an invalid answer costs an attempt too."""
        said = getattr(entry.event, "task", "")
        for task in {said, *entry.subject.rest[:1]} & self.running.keys():
            now = self.state.tasks[task]
            if now.status != "open" and not isinstance(entry.event, Assigned):
                assigned, asked = self.running.pop(task)
                bar = _bar(assigned, asked, self.since(entry), now.status == "done", entry)
                self.bars.append(replace(bar, again=next_attempt(self.state, task)))

    def _mark(self, entry: Entry) -> None:
        at, event = self.since(entry), entry.event
        match event:
            case Planned():
                self.marks.append(
                    Mark(
                        at,
                        "planned",
                        f"planned {len(event.plan.steps)} {'step' if len(event.plan.steps) == 1 else 'steps'}",
                    )
                )
            case Opened():
                conflicts = sum(matter.contested for matter in event.matters)
                self.marks.append(Mark(at, "opened", "", event.barrier, len(event.matters), conflicts))
            case Settled():
                undecided = sum(not ruling.decided for ruling in event.rulings)
                says = f"settled, {undecided} undecided" if undecided else "settled"
                self.marks.append(Mark(at, "settled", says, event.barrier, len(event.rulings)))
            case Concluded():
                self.marks.append(Mark(at, "concluded", f"{event.status}: {event.because}"))
            case _:
                pass

    def unfinished(self, end: float) -> list[Bar]:
        return [
            Bar(task.agent, task.task, task.skill, asked, asked, end, "open", task.attempt, bool(task.asked_by))
            for task, asked in self.running.values()
        ]

    def timeline(self, team: str) -> Timeline:
        """All that was heard so far."""
        end = max(0.0, round(self.state.last - self.state.asked_at, 3))
        bars = sorted([*self.bars, *self.unfinished(end)], key=lambda bar: (bar.asked, bar.task, bar.attempt))
        return Timeline(
            report=report(team, self.state),
            state=self.state,
            cases=cases(self.state, {bar.task: bar.end - bar.start for bar in bars if bar.inquiry}),
            bars=tuple(bars),
            marks=tuple(self.marks),
            lanes=tuple(dict.fromkeys(bar.lane for bar in bars)),
            log=tuple(self.log),
        )


def _bar(task: Assigned, asked: float, end: float, done: bool, entry: Entry) -> Bar:
    event = entry.event
    worked = event.seconds if isinstance(event, Result) else end - asked
    because = "" if done else event.because if isinstance(event, Failure | AttemptAbandoned) else "an invalid answer"
    return Bar(
        lane=task.agent,
        task=task.task,
        skill=task.skill,
        asked=asked,
        start=round(min(max(end - worked, asked), end), 3),
        end=end,
        status="done" if done else "failed",
        attempt=task.attempt,
        inquiry=bool(task.asked_by),
        because=because,
    )


def timeline_of(team: str, run: str, entries: Iterable[Entry]) -> Timeline:
    """The timeline of a run from its log; of a run that has not ended, up to its last entry."""
    recorder = Recorder(RunState(run))
    for entry in entries:
        recorder.hear(entry)
    return recorder.timeline(team)
