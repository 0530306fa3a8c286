"""Team: a value in a module. The specialists, the policy of their coordinator, the goal and the outcome."""

import importlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Literal

from hustings.protocols import Budget, Goal, NotFound, Outcome, UsageError, token

from .arbitration.counting import independent, majority, unopposed
from .arbitration.docket import Arbiter
from .client.run_report import Report
from .decider.policy import Exhausted, Policy
from .models.rules import Serve, Served
from .planning.chain import by_contract
from .planning.planner import Planner
from .skills.specialist import Specialist


@dataclass(frozen=True)
class Team:
    """The specialists of a team, its goal and outcome, and how its coordinator plans and settles.

    `arbiters` are asked in order; `prefer` names agents to be preferred where several could do one thing; a team that
    is not `open` admits its own specialists only. Times in seconds, `window` and `budget` as in Policy. `models` says
    which models serve which skills; where a task's share of the budget is not enough, a `cheaper` one is taken, or the
    task is lost and the outcome `partial`, or the run shall `stop`. `tell` puts a report into words for people, `files`
    gives what `hustings run` writes beside it, by name; `apply` uses the outcome on the paths that the goal's fields
    were given as, and says what it did. Raises BadName, UsageError.
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
    lease: float = 5.0
    timeout: float = 300.0
    patience: float = 10.0
    undecided: Literal["proceed", "stop"] = "proceed"
    window: int = 1000
    budget: Budget | None = None
    models: Sequence[Serve] = ()
    exhausted: Exhausted = "cheaper"
    tell: Callable[[Report], str] | None = None
    files: Callable[[Report], Mapping[str, str]] = lambda _: {}
    apply: Callable[[Report, Mapping[str, Path]], str] | None = None

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
        """What the coordinator needs to know of the team."""
        return Policy(
            goal=self.goal,
            outcome=self.outcome,
            members=self.members,
            planner=self.planner,
            arbiters=tuple(self.arbiters),
            prefer=tuple(self.prefer),
            open=self.open,
            attempts=self.attempts,
            lease=self.lease,
            timeout=self.timeout,
            patience=self.patience,
            undecided=self.undecided,
            window=self.window,
            budget=self.budget,
            served=Served(self.models, cheaper=self.exhausted == "cheaper").of,
            exhausted=self.exhausted,
        )


def load(target: str) -> Team | Specialist:
    """The team or specialist behind MODULE:NAME, the module looked for in the current folder too.

    Raises UsageError: no such module or name, or something else lies there.
    """
    path, _, name = target.partition(":")
    if not path or not name or name.startswith("//"):  # a URL is told as a whole, for parts of it cannot be masked
        raise UsageError(f"{target!r} names no team or specialist", "it takes the form MODULE:NAME")
    module = _module(path)
    if not hasattr(module, name):
        known = [key for key, value in vars(module).items() if isinstance(value, Team | Specialist)]
        near = get_close_matches(name, known, 1) or known
        hint = f"Try {path}:{near[0]}." if near else ""
        raise UsageError(f"there is no {name} in {path}", f"it has {', '.join(known) or 'no team or specialist'}", hint)
    found = getattr(module, name)
    if not isinstance(found, Team | Specialist):
        raise UsageError(f"{target} is neither a Team nor a Specialist", f"it is a {type(found).__name__}")
    return found


def load_team(target: str) -> Team:
    """The team behind MODULE:NAME. Raises UsageError."""
    found = load(target)
    if not isinstance(found, Team):
        hint = f"Run it with `hustings agent {target}`."
        raise UsageError(f"{target} is a specialist, not a team", "only a team pursues goals", hint)
    return found


def _module(path: str) -> ModuleType:
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError as error:
        if error.name and (path == error.name or path.startswith(f"{error.name}.")):
            raise UsageError(
                f"there is no module {path}", f"looked in {here} and the installed packages", "Check the spelling."
            ) from None
        raise UsageError(f"{path} cannot be imported", f"it needs {error.name}, which is not installed") from None
    except Exception as error:  # a module is somebody else's code: it may raise whatever it likes
        why = f"{type(error).__name__}: {error}"
        raise UsageError(f"{path} cannot be imported", why, "Correct it; --debug shows where it is raised.") from error
