"""The events of a run: everything that is ever appended to the log, as data."""

import hashlib
from typing import Literal, Union

from pydantic import Field

from .budgets import Amount, Budget, BudgetShare
from .goals import Status
from .message import Contract, Count, Data, Message, Moment, Passed, PassedData, Seconds, Timeout, later
from .models import Called, ModelChain, Record
from .plans import Plan
from .retry import RetryPolicy
from .verdicts import Matter, Ruling

FailureKind = Literal["non_retryable", "raised", "timed_out", "abandoned", "killed", "invalid"]


class GoalAsked(Message, contract="hustings.goal.asked.v1"):
    """A client asks for a run. `execution_timeout` bounds the whole run, in seconds.

    If `only` is not empty, no other witnesses are heard; agents in `skip` take no part at all. `budget` replaces the
    team's. A redrive has `again`: instead of the whole goal, these tasks of the run `redrives` are done once more.
    """

    type: str
    goal: Data
    by: str
    execution_timeout: float | None = Field(default=None, gt=0, le=1e9)
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    budget: Budget | None = later(None)
    again: tuple["Assigned", ...] = later(())
    redrives: str = later("")


class Cancelled(Message, contract="hustings.run.cancelled.v1"):
    """A client withdraws the run."""

    by: str
    because: str = ""


class RunAcquired(Message, contract="hustings.run.acquired.v1"):
    """A coordinator acquires the run and drives it from here on. A coordinator that reads another instance's
    RunAcquired after its own has lost the run and stops writing.

    `retry`: how its team retries tasks, unless their skill says otherwise.
    """

    instance: str
    retry: RetryPolicy = later(RetryPolicy())


class Planned(Message, contract="hustings.run.planned.v1"):
    """The plan, and what the run takes from the directory: the agents' versions and the usual seconds of each skill."""

    plan: Plan
    versions: dict[str, str] = {}
    typical: dict[str, Seconds] = {}


class Assigned(Message, contract="hustings.task.assigned.v1"):
    """A task for one agent: decision and dispatch in one message. `deadline` is in seconds since the epoch.

    For an inquiry `step` is empty and `asked_by` names the barrier that waits ("plan": the planner waits, "ask": an
    agent, within its task). `share`: what this attempt may spend of the run's budget; None: there is no budget.
    `serving`: the models that the team lets it call. `depth`: how many nested tasks wait for this one. `record`:
    whether the log gets what its models are asked, or only the hash. `stored`: the
    digests of large values in the object store, by parameter; in `input` there is null.

    `retry`: how the skill retries its tasks; None: as the team does. `timeout`: for how many seconds the skill may work
    on this attempt; the agent counts them from the moment at which it begins.
    """

    task: str
    step: str
    agent: str
    attempt: Count
    skill: str
    input: PassedData
    deadline: Moment
    ordinal: Count = later(0)
    asked_by: str = later("")
    share: BudgetShare | None = later(None)
    serving: ModelChain | None = later(None)
    depth: Count = later(0)
    record: Record = later("full")
    stored: dict[str, str] = later({})
    retry: RetryPolicy | None = later(None)
    timeout: Timeout | None = later(None)


class Result(Message, contract="hustings.task.result.v1"):
    """An agent's answer to one attempt of a task. `seconds` is the time that the handler took.

    `stored`: as in Assigned, under the name `output`.
    """

    task: str
    attempt: Count
    agent: str
    output: Passed
    version: str = ""
    seconds: Seconds = 0.0
    stored: dict[str, str] = later({})


class Failure(Message, contract="hustings.task.failure.v1"):
    """A failed attempt. Kind "non_retryable": the input is bad, and no further attempt is made; else one attempt is
    used up.

    `exhausted`: its share of the budget was too small. `at`: FILE:LINE, where the team's own code failed; `values`: the
    variables there, as text. `traceback`: for people, at most 8 KiB. Neither has secrets or terminal escapes, and all
    three are empty where no exception was raised.
    `lasting`: this agent would fail again, as its key, a package or a setting is missing; only another one is tried.
    `error_types`: the names of the exception's class and of its base classes, for a RetryPolicy's `non_retryable`.
    """

    task: str
    attempt: Count
    agent: str
    kind: FailureKind
    because: str
    version: str = later("")
    exhausted: bool = later(False)
    at: str = later("")
    traceback: str = later("")
    lasting: bool = later(False)
    values: dict[str, str] = later({})
    error_types: tuple[str, ...] = later(())


class Asked(Message, contract="hustings.task.asked.v1"):
    """An agent asks for another agent's skill, within an attempt.

    `ask` is the place of the ask, DIGEST-ORDINAL: the digest of what is asked, and which of the attempt's equal asks it
    is. `share`: what the asker passes on of its own share of the budget. `stored`: as in Assigned. `wants`: what the
    skill has to return; None: anything.
    """

    task: str
    attempt: Count
    agent: str
    ask: str
    skill: str
    input: Data
    share: BudgetShare | None = later(None)
    wants: Contract | None = later(None)
    stored: dict[str, str] = later({})

    @property
    def child(self) -> str:
        """The id of the task that answers it."""
        return "ask-" + hashlib.sha256(f"{self.task}/{self.agent}/{self.ask}".encode()).hexdigest()[:16]


class Answered(Message, contract="hustings.task.answered.v1"):
    """The coordinator answers an ask: the output of the task `child`, or in `failed` why there is none."""

    child: str
    output: Passed = None
    failed: str = ""
    stored: dict[str, str] = later({})


class Spent(Message, contract="hustings.task.spent.v1"):
    """An attempt reserves an amount before it spends it, or gives back what it did not need."""

    task: str
    attempt: Count
    agent: str
    amount: Amount


class AttemptAbandoned(Message, contract="hustings.attempt.abandoned.v1"):
    """The coordinator stops waiting for an attempt: its agent is lost, or (`timed_out`) there is no answer in time."""

    task: str
    attempt: Count
    because: str
    kind: Literal["abandoned", "timed_out"] = later("abandoned")


class DeadLetter(Message, contract="hustings.task.deadletter.v1"):
    """The coordinator gives a task up and leaves it to a person. There is one for each task that is given up.

    `kind`, `because`, `version` and `at` are those of the last failure, `attempts` is how many there were; `assigned`
    is the log sequence of the last Assigned, whose bytes are the task.
    """

    task: str
    agent: str
    skill: str
    attempts: Count
    kind: FailureKind
    because: str
    version: str = ""
    assigned: Count = 0
    at: str = later("")


class Discarded(Message, contract="hustings.task.discarded.v1"):
    """A person discards a dead letter: nothing more is to be done about it."""

    task: str
    by: str
    because: str = ""


class Opened(Message, contract="hustings.barrier.opened.v1"):
    """All matters of one barrier. They name the items of the Results by id: the task, and the number of the item."""

    barrier: str
    matters: tuple[Matter, ...]


class Settled(Message, contract="hustings.barrier.settled.v1"):
    """All verdicts of one barrier, as rulings."""

    barrier: str
    rulings: tuple[Ruling, ...]


class Concluded(Message, contract="hustings.run.concluded.v1"):
    """The end of the run. `state_hash`: the hash of the state after sequence `at`; a replay must give the same.

    `filled` names the fields of the outcome that have a value. The values are on the log already: the plan says where.
    """

    status: Status
    because: str
    filled: tuple[str, ...] = ()
    state_hash: str
    at: Count
    missing: tuple[str, ...] = ()


class Stored(Message, contract="hustings.message.stored.v1"):
    """Replaces a message that is too large for the bus; the envelope itself is in the object store."""

    digest: str
    size: Count


Decision = RunAcquired | Planned | Assigned | Answered | AttemptAbandoned | DeadLetter | Opened | Settled | Concluded
Completion = Result | Failure
Event = Union[GoalAsked, Cancelled, Discarded, Decision, Completion, Asked, Called, Spent, Stored]  # noqa: UP007 - get_args flattens it for the envelope

GoalAsked.model_rebuild()
