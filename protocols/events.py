"""The run's events: everything that is ever appended to the log, as data."""

from typing import Literal, Union

from pydantic import JsonValue

from .goals import Status
from .message import Data, Message
from .plans import Plan
from .testimony import Claim, Proposal
from .verdicts import Matter, Verdict

FailureKind = Literal["refused", "raised", "lapsed", "killed", "foreign"]


class GoalAsked(Message, contract="moot.goal.asked.v1"):
    """A client asks for a run. `patience` bounds the whole run, in seconds.

    Of the witnesses `only` these are heard, if any are named; whoever is in `skip` takes no part at all.
    """

    type: str
    goal: Data
    by: str
    patience: float | None = None
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()


class Cancelled(Message, contract="moot.run.cancelled.v1"):
    """A client withdraws the run."""

    by: str
    because: str = ""


class Driving(Message, contract="moot.run.driving.v1"):
    """A coordinator takes the wheel. Whoever reads another instance here after its own has been fenced off.

    `attempts` is how often a task is tried under its policy, the first time included.
    """

    instance: str
    attempts: int = 2


class Planned(Message, contract="moot.run.planned.v1"):
    """The plan, and all that was taken from the directory: the agents' versions, the usual seconds of each skill."""

    plan: Plan
    versions: dict[str, str] = {}
    typical: dict[str, float] = {}


class Assigned(Message, contract="moot.task.assigned.v1"):
    """A task for one agent: decision and dispatch in one message. `deadline` is in seconds since the epoch.

    For an inquiry `step` is empty and `asked_by` names the barrier that waits ("plan": the planner).
    """

    task: str
    step: str
    agent: str
    attempt: int
    skill: str
    input: Data
    deadline: float
    ordinal: int = 0
    asked_by: str = ""


class Result(Message, contract="moot.task.result.v1"):
    """What an agent answered to one attempt of a task. `seconds` is the time the handler took."""

    task: str
    attempt: int
    agent: str
    output: JsonValue
    version: str = ""
    seconds: float = 0.0


class Failure(Message, contract="moot.task.failure.v1"):
    """An attempt that brought no answer. Refused: the input was bad, so nobody else is tried. The others cost it."""

    task: str
    attempt: int
    agent: str
    kind: FailureKind
    because: str


class Lapsed(Message, contract="moot.task.lapsed.v1"):
    """The coordinator gave up waiting for an attempt."""

    task: str
    attempt: int
    because: str


class Opened(Message, contract="moot.barrier.opened.v1"):
    """All matters of one barrier, with what was said, each item stamped with its id and author."""

    barrier: str
    matters: tuple[Matter, ...]
    items: tuple[Claim | Proposal, ...]


class Settled(Message, contract="moot.barrier.settled.v1"):
    """All verdicts of one barrier."""

    barrier: str
    verdicts: tuple[Verdict, ...]


class Concluded(Message, contract="moot.run.concluded.v1"):
    """The end. `state_hash` is the hash of the state after the entry at sequence `at`: a replay must give the same."""

    status: Status
    outcome: Data
    because: str
    state_hash: str
    at: int
    missing: tuple[str, ...] = ()


class Stored(Message, contract="moot.message.stored.v1"):
    """Stands for a message too large for the bus: the envelope itself lies in the object store."""

    digest: str
    size: int


Decision = Driving | Planned | Assigned | Lapsed | Opened | Settled | Concluded
Answer = Result | Failure
Event = Union[GoalAsked, Cancelled, Decision, Answer, Stored]  # noqa: UP007 - get_args flattens it for the envelope
