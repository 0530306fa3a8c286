"""Team: the specialists, their coordinator's policy, the goal and the outcome, as a value in a module."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hustings.protocols import Budget, Goal, NotFound, Outcome, UsageError, timing, token

from .arbitration.counting import independent, majority, unopposed
from .arbitration.docket import Arbiter
from .decider.policy import Exhausted, Policy
from .history.run_report import RunReport
from .models.rules import ModelRouter, ModelRule
from .planning.chain import by_contract
from .planning.planner import Planner
from .skills.specialist import Specialist


@dataclass(frozen=True)
class Team:
    """The specialists of a team, its goal and outcome, and how its coordinator plans and settles.

    `arbiters` are asked in order; `prefer` names agents to prefer where several could do a step; a team that
    is not `open` uses its own specialists only. Times are in seconds, `max_open_tasks` and `budget` as in Policy.
    `models` says which models serve which skills. If a task's share of the budget is too small, a `cheaper` one is
    used, or the task fails and the outcome is `partial`, or the run `stop`s. `tell` turns a report into text for
    people; `files` gives the files that `hustings run` writes beside it, by name; `apply` uses the outcome on the
    paths given for the goal's fields, and says what it did. Raises BadName, UsageError.
    """

    name: str
    goal: type[Goal]
    outcome: type[Outcome]
    specialists: Sequence[Specialist] = ()
    planner: Planner = by_contract
    arbiters: Sequence[Arbiter] = (unopposed, independent, majority)
    prefer: Sequence[str] = ()
    open: bool = True
    attempts: int = 2
    heartbeat_timeout: float = timing.HEARTBEAT_TIMEOUT
    attempt_timeout: float = 300.0
    discovery_timeout: float = 10.0
    undecided: Literal["proceed", "stop"] = "proceed"
    max_open_tasks: int = 1000
    budget: Budget | None = None
    models: Sequence[ModelRule] = ()
    exhausted: Exhausted = "cheaper"
    tell: Callable[[RunReport], str] | None = None
    files: Callable[[RunReport], Mapping[str, str]] = lambda _: {}
    apply: Callable[[RunReport, Mapping[str, Path]], str] | None = None

    def __post_init__(self) -> None:
        token(self.name, "team's name")
        names = [specialist.name for specialist in self.specialists]
        if twice := {name for name in names if names.count(name) > 1}:
            raise UsageError(f"team {self.name} has two specialists named {', '.join(sorted(twice))}")

    @property
    def members(self) -> tuple[str, ...]:
        return tuple(specialist.name for specialist in self.specialists)

    def specialist(self, name: str) -> Specialist:
        """The member of that name. Raises NotFound."""
        for member in self.specialists:
            if member.name == name:
                return member
        raise NotFound(f"team {self.name} has no specialist {name}", f"it has {', '.join(self.members)}")

    def policy(self) -> Policy:
        """The part of the team that its coordinator needs."""
        return Policy(
            goal=self.goal,
            outcome=self.outcome,
            members=self.members,
            planner=self.planner,
            arbiters=tuple(self.arbiters),
            prefer=tuple(self.prefer),
            open=self.open,
            attempts=self.attempts,
            heartbeat_timeout=self.heartbeat_timeout,
            attempt_timeout=self.attempt_timeout,
            discovery_timeout=self.discovery_timeout,
            undecided=self.undecided,
            max_open_tasks=self.max_open_tasks,
            budget=self.budget,
            served=ModelRouter(self.models, cheaper=self.exhausted == "cheaper").of,
            exhausted=self.exhausted,
        )
