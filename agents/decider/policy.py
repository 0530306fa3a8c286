"""TeamSettings: what a team lays down; Policy: what its coordinator needs of it; View: what else decides."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

from annotated_types import Ge

from hustings.protocols import (
    Budget,
    Directory,
    Goal,
    ModelChain,
    Outcome,
    Record,
    RetryPolicy,
    UsageError,
    timing,
)

from ..arbitration.counting import independent, majority, unopposed
from ..arbitration.docket import Arbiter
from ..arbitration.rules import is_rule
from ..planning.chain import by_contract
from ..planning.planner import Planner
from ..settings import MaybeSeconds, Seconds, check

RETRY = RetryPolicy()
BATCH = 1000  # events of one decision: the limit of an atomic batch

Undecided = Literal["proceed", "stop"]
Exhausted = Literal["cheaper", "partial", "stop"]
Discard = Literal["new", "old"]


def own_choice(agent: str, skill: str) -> None:
    """The default: each agent chooses its own model."""


@dataclass(frozen=True, kw_only=True)
class TeamSettings:
    """What a team lays down for all of its runs. A setting stands here and nowhere else; docs/settings.md lists them.

    Raises UsageError: a value is not of its setting's type, or out of bounds.
    """

    planner: Annotated[Planner, "makes the plan of a run"] = by_contract
    arbiters: Annotated[Sequence[Arbiter], "settle matters, asked in this order"] = (unopposed, independent, majority)
    prefer: Annotated[Sequence[str], "the agents to prefer where several could do a step"] = ()
    open: Annotated[bool, "whether specialists of other teams may join"] = True
    retry: Annotated[RetryPolicy, "how failed tasks are retried, unless their skill says otherwise"] = RETRY
    heartbeat_timeout: Annotated[
        Seconds, "how long, for each attempt, its agent may be silent if no other can do it"
    ] = timing.HEARTBEAT_TIMEOUT
    attempt_timeout: Annotated[Seconds, "how long an attempt may take, with its time in the work queue"] = 300.0
    discovery_timeout: Annotated[Seconds, "how long to wait for members, or for an agent that offers a skill"] = 10.0
    undecided: Annotated[Undecided, "whether a run with undecided matters proceeds to its outcome"] = "proceed"
    max_open_tasks: Annotated[int, Ge(1), "how many open tasks of a run one agent has, of all kinds"] = 1000
    budget: Annotated[Budget | None, "what a run may spend if its goal has no budget"] = None
    exhausted: Annotated[Exhausted, "what a share of the budget that is too small leads to"] = "cheaper"
    record: Annotated[Record, "what the log gets of a request to a model: all of it, or only its hash"] = "full"
    retention: Annotated[MaybeSeconds, "how long a run is kept after its end; without it, until it is removed"] = None
    max_runs: Annotated[int | None, Ge(1), "how many ended runs are kept, those that ended last"] = None
    discard: Annotated[Discard, "what a log that fills up discards: new goals, or the runs that ended first"] = "new"

    def __post_init__(self) -> None:
        check(self)
        for arbiter in self.arbiters:
            if is_rule(arbiter):
                name = getattr(arbiter, "__name__", str(arbiter))
                why = "it takes an Option, and an arbiter takes a Docket"
                raise UsageError(f"arbiters: {name} is a rule, not an arbiter", why, f"Write `rules({name})`.")


@dataclass(frozen=True, kw_only=True)
class Policy(TeamSettings):
    """The part of a team that its coordinator needs. `served`: the models for an agent's skill, from both names; None
    if the agent chooses."""

    goal: type[Goal]
    outcome: type[Outcome]
    members: tuple[str, ...] = ()
    served: Callable[[str, str], ModelChain | None] = own_choice


class View(NamedTuple):
    """What a decision depends on besides the log: the time and the directory of agents."""

    now: float
    directory: Directory
