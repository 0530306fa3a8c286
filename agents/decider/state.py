"""RunState: the state of one run, folded from its log. Only evolve changes it; all others read."""

import hashlib
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from itertools import takewhile
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, JsonValue, TypeAdapter

from hustings.protocols import (
    Amount,
    BudgetShare,
    Claim,
    Concluded,
    Contract,
    Data,
    Failure,
    FromGoal,
    FromSteps,
    FromVerdicts,
    GoalAsked,
    Matter,
    Plan,
    Proposal,
    Ref,
    RetryPolicy,
    Step,
    Usage,
    Verdict,
)

ASK = "ask"  # `asked_by` of a task that answers an ask of an agent
LATER = (
    "spending",
    "tallies",
    "recorded",
    "former",
    "exhausted",
    "asks",
)  # fields added later: hashed only if they are not empty


# a field derived from others, kept to avoid searches; not part of the hash
DERIVED = {"derived": True}


@dataclass
class TaskState:
    """A task and its current attempt. Failed: the next attempt is made when it is `due`; lost: none is made any more.

    `retry`: how its skill retries it; None: as the team does.
    """

    step: str
    agent: str
    attempt: int
    since: float
    deadline: float
    ordinal: int = 0
    asked_by: str = ""
    status: Literal["open", "failed", "done", "lost"] = "open"
    seconds: float = 0.0
    retry: RetryPolicy | None = None
    due: float = 0.0


@dataclass
class StepState:
    """A step and the outputs of its tasks, by ordinal. `rank` is the longest remaining path from here, in seconds."""

    step: Step
    rank: float = 0.0
    status: Literal["waiting", "ready", "done", "lost"] = "waiting"
    total: int = 0
    assigned: int = 0
    closed: int = 0
    outputs: dict[int, JsonValue] = field(default_factory=dict)


@dataclass
class BarrierState:
    """A barrier before a step, or the outcome, that takes verdicts, with the witness steps that only it settles.

    `due`: not settled before, because an inquiry of it has failed and waits for its next attempt.
    """

    steps: tuple[str, ...]
    status: Literal["waiting", "ready", "open", "asking", "settled"] = "waiting"
    since: float = 0.0
    matters: tuple[Matter, ...] = ()
    items: dict[str, Claim | Proposal] = field(default_factory=dict)
    verdicts: tuple[Verdict, ...] = ()
    due: float = 0.0


@dataclass
class Spending:
    """What each attempt of a task has spent and what it may spend."""

    shares: dict[int, BudgetShare] = field(default_factory=dict)
    spent: dict[int, Amount] = field(default_factory=dict)

    def committed(self) -> Amount:
        """The amount spent or still to be spent: of each attempt the larger of its share and what it spent."""
        total = Amount()
        for attempt, share in self.shares.items():
            spent = self.spent.get(attempt, Amount())
            total = total.plus(
                Amount(
                    calls=max(share.calls or 0, spent.calls),
                    tokens=max(share.tokens or 0, spent.tokens),
                    money=max(share.money or 0.0, spent.money),
                )
            )
        return total


@dataclass
class Tally:
    """What an agent has spent with one model: calls, failed calls, tokens, money in US dollars. `estimated`: the price
    or the tokens of some calls are estimates."""

    calls: int = 0
    failed: int = 0
    usage: Usage = field(default_factory=Usage)
    money: float = 0.0
    estimated: bool = False


@dataclass
class AskState:
    """An ask of an agent within an attempt of the task `asker`; `depth` is that of the task that answers it.

    Dropped: the attempt is over, so no answer is needed. Answered: the answer is on the log, also for a later attempt.
    """

    asker: str
    attempt: int
    skill: str
    input: Data
    since: float
    depth: int
    share: BudgetShare | None = None
    status: Literal["waiting", "dropped", "answered"] = "waiting"
    wants: Annotated[Contract | None, Field(exclude_if=lambda wants: wants is None)] = None  # hashed only if given


class Place(NamedTuple):
    """The log sequence at which a task was assigned last, and for which skill."""

    seq: int
    skill: str


@dataclass
class RunState:
    """One run. `agenda`, `dead` and `unsettled` are to be decided next, and so are the `retries` that are due: the
    failed tasks of the plan, by when. `retry`: how the team retries. `waits`: what each step, barrier and the outcome
    still wait for; `after`: the reverse, who waits for them. `preempted`: subjects of answers that were
    written to before the task was assigned, so the real answer cannot be stored there.

    `spending`: what was shared out of the budget and spent; `committed`: the sum. `failures`: the last failure of each
    task that is not done; `unfit`: the agents that would fail with it again; `dead`: tasks that were given up and have
    no dead letter yet; `places`: where each task that is not done was assigned; `given`: the inputs of the tasks of
    each step at work; `openings`: the barriers that are ready; `testimony`: what each task of a witness said, until its
    barrier opens; `queues`: the ready steps by the agents that can do them, the longest remaining path first; `unbegun`
    counts the waiting steps, `unassigned` the tasks of the others, `widest` is the most tasks in one step.

    `tallies`: what each agent has spent with each model; `recorded`: the hash of all calls in their order; `former`:
    the agents of attempts that were followed by one of another agent; `exhausted`: the task whose share was too small.

    `asks`: the asks of agents, by the task that answers them; `waiting`: the open asks of each task; `unserved`: those
    about which something may be decided.

    Dicts that are emptied from the front are OrderedDicts: iterating over a plain dict visits the deleted slots, too.
    """

    run: str
    goal: GoalAsked | None = None
    asked_at: float = 0.0
    driver: str = ""
    driving_since: float = 0.0
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    plan: Plan | None = None
    versions: dict[str, str] = field(default_factory=dict)
    steps: dict[str, StepState] = field(default_factory=dict)
    barriers: dict[str, BarrierState] = field(default_factory=dict)
    owner: dict[str, str] = field(default_factory=dict)
    tasks: dict[str, TaskState] = field(default_factory=dict)
    answers: dict[str, JsonValue | Failure] = field(default_factory=dict)
    waits: dict[str, int] = field(default_factory=dict)
    after: dict[str, list[str]] = field(default_factory=dict)
    agenda: dict[str, None] = field(default_factory=OrderedDict)
    retries: list[tuple[float, str]] = field(default_factory=list)
    unsettled: dict[str, None] = field(default_factory=dict)
    open: dict[str, dict[str, None]] = field(default_factory=dict)
    deadlines: list[tuple[float, str, int]] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    unreachable: str = ""
    cancelled: str = ""
    conflicts: int = 0
    agreed: int = 0
    invalid: int = 0
    preempted: dict[tuple[str, str, str], None] = field(default_factory=dict)
    failures: dict[str, Failure] = field(default_factory=dict, metadata=DERIVED)
    unfit: dict[str, set[str]] = field(default_factory=dict, metadata=DERIVED)
    dead: dict[str, None] = field(default_factory=OrderedDict, metadata=DERIVED)
    places: dict[str, Place] = field(default_factory=dict, metadata=DERIVED)
    given: dict[str, tuple[Data, list[JsonValue]]] = field(default_factory=dict, metadata=DERIVED)
    openings: dict[str, None] = field(default_factory=dict, metadata=DERIVED)
    queues: dict[tuple[str, ...], list[tuple[float, int, str]]] = field(default_factory=dict, metadata=DERIVED)
    testimony: dict[str, tuple[Claim | Proposal, ...]] = field(default_factory=dict, metadata=DERIVED)
    queued: int = field(default_factory=int, metadata=DERIVED)
    unbegun: int = field(default_factory=int, metadata=DERIVED)
    unassigned: int = field(default_factory=int, metadata=DERIVED)
    widest: tuple[int, str] = field(default=(0, ""), metadata=DERIVED)
    committed: Amount = field(default_factory=Amount, metadata=DERIVED)
    spending: dict[str, Spending] = field(default_factory=dict)
    tallies: dict[str, dict[str, Tally]] = field(default_factory=dict)
    recorded: str = ""
    former: dict[str, str] = field(default_factory=dict)
    exhausted: str = ""
    asks: dict[str, AskState] = field(default_factory=dict)
    waiting: dict[str, dict[str, None]] = field(default_factory=dict, metadata=DERIVED)
    unserved: dict[str, None] = field(default_factory=OrderedDict, metadata=DERIVED)
    events: int = 0
    last: float = 0.0
    seq: int = 0
    fence: int = 0
    concluded: Concluded | None = None

    def hash(self) -> str:
        """The digest of the whole state: equal logs give equal hashes."""
        silent = {name for name in LATER if not getattr(self, name)}
        return hashlib.sha256(_DUMP.dump_json(self, exclude=_DERIVED | silent)).hexdigest()

    # further attempts

    def policy(self, task: TaskState) -> RetryPolicy:
        """How a task is retried: as its skill says, else as the team does."""
        return task.retry or self.retry

    def due(self, now: float) -> Iterator[str]:
        """The failed tasks of the plan whose next attempt is due, those that were due first in front."""
        return (name for _, name in takewhile(lambda each: each[0] <= now, self.retries))

    # the value of a Ref

    def available(self, ref: Ref) -> bool:
        """False if the reference cannot be filled any more. A list is lost only if all its elements are."""
        if isinstance(ref, FromSteps):
            return not ref.steps or any(self.steps[name].status == "done" for name in ref.steps)
        return True

    def value(self, ref: Ref) -> JsonValue:
        """The value of a reference whose steps have ended."""
        match ref:
            case FromGoal(field=None):
                return self.goal_data()
            case FromGoal(field=name):
                return self.goal_data().get(name or "")
            case FromSteps(many=True):
                return list(self._said(ref))
            case FromSteps(steps=(name, *_)):
                return self.steps[name].outputs.get(0)
            case FromVerdicts():
                return [verdict.plain() for verdict in self.verdicts(ref)]
            case _:
                return getattr(ref, "value", None)

    def outcome(self) -> Data:
        """The fields of the outcome that can be filled; after the conclusion those that it names."""
        if self.plan is None:
            return {}
        end, refs = self.concluded, self.plan.outcome
        filled = [*filter(refs.__contains__, end.filled)] if end else [n for n in refs if self.available(refs[n])]
        fields = {name: self.value(refs[name]) for name in filled}
        return {name: value for name, value in fields.items() if value is not None}

    def goal_data(self) -> Data:
        return self.goal.goal if self.goal else {}

    def verdicts(self, ref: FromVerdicts) -> list[Verdict]:
        """The verdicts of all barriers that settle one of these steps, in the order of the barriers."""
        heard = {self.owner[step] for step in ref.steps if step in self.owner}
        return [verdict for name, barrier in self.barriers.items() if name in heard for verdict in barrier.verdicts]

    def _said(self, ref: FromSteps) -> Iterator[JsonValue]:
        for name in ref.steps:
            outputs = self.steps[name].outputs
            for ordinal in sorted(outputs):
                said = outputs[ordinal]
                if isinstance(said, list):
                    yield from said
                else:
                    yield said

    def inputs(self, step: Step, first: int = 0) -> Iterator[Data]:
        """The inputs of the tasks of a ready step, from the ordinal `first` on: one, or one for each element."""
        shared, elements = self.given.get(step.id) or self.given_to(step)
        if step.each is None:
            yield shared
            return
        for ordinal in range(first, len(elements)):
            yield {**shared, step.each: elements[ordinal]}

    def given_to(self, step: Step) -> tuple[Data, list[JsonValue]]:
        """The input that all tasks of a ready step share, and the elements that it fans out over."""
        shared = {name: self.value(ref) for name, ref in step.inputs.items() if self.available(ref)}
        elements = shared.pop(step.each, None) if step.each else None
        return shared, elements if isinstance(elements, list) else []


def task_id(step: Step, ordinal: int) -> str:
    """The id of a step's task: the id of the step, with the ordinal if the step fans out."""
    return step.id if step.each is None else f"{step.id}-{ordinal}"


_DUMP = TypeAdapter(RunState)
_DERIVED = {each.name for each in fields(RunState) if each.metadata.get("derived")}
