"""Policy: what a team configures for its coordinator; View: what else a decision depends on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from hustings.protocols import (
    Budget,
    Directory,
    Goal,
    ModelChain,
    Outcome,
    timing,
)

from ..arbitration.docket import Arbiter
from ..planning.chain import by_contract
from ..planning.planner import Planner

BATCH = 1000  # events of one decision: the limit of an atomic batch

Exhausted = Literal["cheaper", "partial", "stop"]


def own_choice(agent: str, skill: str) -> None:
    """The default: each agent chooses its own model."""


@dataclass(frozen=True)
class Policy:
    """What a team configures for its coordinator. Times in seconds.

    `attempts` per task; `heartbeat_timeout`: how long an agent with a task may be silent if no other agent can do it;
    `attempt_timeout` of one attempt; `discovery_timeout`: how long planning waits for the team's members, and an
    inquiry or ask for an agent that offers the skill; `max_open_tasks`: how many open tasks one agent has in a run, of
    all kinds; `budget`: used if the goal has none; `served`: the models for an agent's skill, from both names, None if
    the agent chooses; `exhausted`: what happens to a run if a task's share is too small.
    """

    goal: type[Goal]
    outcome: type[Outcome]
    members: tuple[str, ...] = ()
    planner: Planner = by_contract
    arbiters: tuple[Arbiter, ...] = ()
    prefer: tuple[str, ...] = ()
    open: bool = True
    attempts: int = 2
    heartbeat_timeout: float = timing.HEARTBEAT_TIMEOUT
    attempt_timeout: float = 300.0
    discovery_timeout: float = 10.0
    undecided: Literal["proceed", "stop"] = "proceed"
    max_open_tasks: int = 1000
    budget: Budget | None = None
    served: Callable[[str, str], ModelChain | None] = own_choice
    exhausted: Exhausted = "cheaper"


class View(NamedTuple):
    """What a decision depends on besides the log: the time and the directory of agents."""

    now: float
    directory: Directory
