"""Policy: what a team lays down for its coordinator, and what else a decision sees."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from hustings.protocols import (
    Budget,
    Directory,
    Goal,
    ModelChain,
    Outcome,
)

from ..arbitration.docket import Arbiter
from ..planning.chain import by_contract
from ..planning.planner import Planner
from .state import RunState

SILENT = 3.0  # seconds, three heartbeats, after which what an agent has in hand goes to another that could do it


BATCH = 1000  # events of one decision: the most that the log takes as one atomic batch

Exhausted = Literal["cheaper", "partial", "stop"]


def own_choice(agent: str, skill: str) -> None:
    """Where the team says nothing of models."""


@dataclass(frozen=True)
class Policy:
    """What a team lays down for its coordinator. Times in seconds.

    `attempts` per task; `heartbeat_timeout`: how long an agent may be silent with a task in hand, where nobody else
    could do it; `attempt_timeout` of one attempt; `discovery_timeout`: how long planning waits for the team's members,
    and a barrier or an agent for whoever could answer what it asks; `max_open_tasks`: how many tasks one agent has open
    in a run, wherever they come from; `budget` where none is asked for; `served`: which models serve a skill, from the
    names of agent and skill, None where it is the agent's own choice; `exhausted`: what becomes of a run in which a
    task's share is not enough.
    """

    goal: type[Goal]
    outcome: type[Outcome]
    members: tuple[str, ...] = ()
    planner: Planner = by_contract
    arbiters: tuple[Arbiter, ...] = ()
    prefer: tuple[str, ...] = ()
    open: bool = True
    attempts: int = 2
    heartbeat_timeout: float = 5.0
    attempt_timeout: float = 300.0
    discovery_timeout: float = 10.0
    undecided: Literal["proceed", "stop"] = "proceed"
    max_open_tasks: int = 1000
    budget: Budget | None = None
    served: Callable[[str, str], ModelChain | None] = own_choice
    exhausted: Exhausted = "cheaper"


class View(NamedTuple):
    """All that a decision sees besides the log: the time, and who is there."""

    now: float
    directory: Directory


def ends_at(state: RunState, policy: Policy) -> float | None:
    """When the time of the run is over: its patience, or its budget's seconds."""
    budget, execution_timeout = budget_of(state, policy), state.goal.execution_timeout if state.goal else None
    bounds = [bound for bound in (execution_timeout, budget.seconds if budget else None) if bound is not None]
    return state.asked_at + min(bounds) if bounds else None


def budget_of(state: RunState, policy: Policy) -> Budget | None:
    return (state.goal.budget if state.goal else None) or policy.budget
