"""The run's events: everything that is ever appended to the log, as data."""

import hashlib
from typing import Literal, Union

from pydantic import Field, JsonValue

from .budgets import Amount, Budget, BudgetShare
from .goals import Status
from .message import Count, Data, Message, Moment, Seconds, later
from .models import Called, ModelChain
from .plans import Plan
from .testimony import Claim, Proposal
from .verdicts import Matter, Verdict

FailureKind = Literal["refused", "raised", "lapsed", "killed", "foreign"]


class GoalAsked(Message, contract="hustings.goal.asked.v1"):
    """A client asks for a run. `execution_timeout` bounds the whole run, in seconds.

    Of the witnesses `only` these are heard, if any are named; whoever is in `skip` takes no part at all. `budget`
    stands above the team's own. `again`: not the whole goal is pursued, but these tasks of the run `redrives` are done
    once more.
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
    """A coordinator takes the wheel. Whoever reads another instance here after its own has been fenced off.

    `attempts` is how often a task is tried under its policy, the first time included.
    """

    instance: str
    attempts: Count = 2


class Planned(Message, contract="hustings.run.planned.v1"):
    """The plan, and all that was taken from the directory: the agents' versions, the usual seconds of each skill."""

    plan: Plan
    versions: dict[str, str] = {}
    typical: dict[str, Seconds] = {}


class Assigned(Message, contract="hustings.task.assigned.v1"):
    """A task for one agent: decision and dispatch in one message. `deadline` is in seconds since the epoch.

    For an inquiry `step` is empty and `asked_by` names the barrier that waits ("plan": the planner, "ask": an agent,
    within its task). `share` is what this attempt may spend of the run's budget; None: there is no budget. `serving`:
    the models that it may call, as the team says. `depth`: how many tasks wait for this one, each within the other.
    """

    task: str
    step: str
    agent: str
    attempt: Count
    skill: str
    input: Data
    deadline: Moment
    ordinal: Count = 0
    asked_by: str = ""
    share: BudgetShare | None = later(None)
    serving: ModelChain | None = later(None)
    depth: Count = later(0)


class Result(Message, contract="hustings.task.result.v1"):
    """What an agent answered to one attempt of a task. `seconds` is the time the handler took."""

    task: str
    attempt: Count
    agent: str
    output: JsonValue
    version: str = ""
    seconds: Seconds = 0.0


class Failure(Message, contract="hustings.task.failure.v1"):
    """An attempt that brought no answer. Refused: the input was bad, so nobody else is tried. The others cost it.

    `exhausted`: its share of the budget was not enough.
    """

    task: str
    attempt: Count
    agent: str
    kind: FailureKind
    because: str
    version: str = later("")
    exhausted: bool = later(False)


class Asked(Message, contract="hustings.task.asked.v1"):
    """An agent asks, within an attempt, for somebody else's skill.

    `ask` is its place, DIGEST-ORDINAL: of skill and input, and which of the attempt's equal questions it is. `share` is
    what the asker has reserved of its own share and gives away for it.
    """

    task: str
    attempt: Count
    agent: str
    ask: str
    skill: str
    input: Data
    share: BudgetShare | None = later(None)

    @property
    def child(self) -> str:
        """The id of the task that answers it."""
        return "ask-" + hashlib.sha256(f"{self.task}/{self.agent}/{self.ask}".encode()).hexdigest()[:16]


class Answered(Message, contract="hustings.task.answered.v1"):
    """The coordinator passes on what came of an ask: the output of the task `child`, or why there is none."""

    child: str
    output: JsonValue = None
    failed: str = ""


class Spent(Message, contract="hustings.task.spent.v1"):
    """An attempt reserves an amount before it is spent, or gives back what it did not need."""

    task: str
    attempt: Count
    agent: str
    amount: Amount


class AttemptAbandoned(Message, contract="hustings.task.abandoned.v1"):
    """The coordinator gave up waiting for an attempt."""

    task: str
    attempt: Count
    because: str


class DeadLetter(Message, contract="hustings.task.dead.v1"):
    """The coordinator gives a task up, and leaves it to a person. There is one for each task that was given up.

    `kind`, `because` and `version` are those of the last failure, `attempts` how many there were; `assigned` is the
    place on the log of the message that was dispatched last, where its bytes are.
    """

    task: str
    agent: str
    skill: str
    attempts: Count
    kind: FailureKind
    because: str
    version: str = ""
    assigned: Count = 0


class Discarded(Message, contract="hustings.task.discarded.v1"):
    """Somebody has looked at a dead letter, and nothing more is to be done about it."""

    task: str
    by: str
    because: str = ""


class Opened(Message, contract="hustings.barrier.opened.v1"):
    """All matters of one barrier, with what was said, each item stamped with its id and author."""

    barrier: str
    matters: tuple[Matter, ...]
    items: tuple[Claim | Proposal, ...]


class Settled(Message, contract="hustings.barrier.settled.v1"):
    """All verdicts of one barrier."""

    barrier: str
    verdicts: tuple[Verdict, ...]


class Concluded(Message, contract="hustings.run.concluded.v1"):
    """The end. `state_hash` is the hash of the state after the entry at sequence `at`: a replay must give the same."""

    status: Status
    outcome: Data
    because: str
    state_hash: str
    at: Count
    missing: tuple[str, ...] = ()


class Stored(Message, contract="hustings.message.stored.v1"):
    """Stands for a message too large for the bus: the envelope itself lies in the object store."""

    digest: str
    size: Count


Decision = RunAcquired | Planned | Assigned | Answered | AttemptAbandoned | DeadLetter | Opened | Settled | Concluded
Answer = Result | Failure
Event = Union[GoalAsked, Cancelled, Discarded, Decision, Answer, Asked, Called, Spent, Stored]  # noqa: UP007 - get_args flattens it for the envelope

GoalAsked.model_rebuild()
